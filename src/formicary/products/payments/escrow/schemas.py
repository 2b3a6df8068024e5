"""What an escrow is asked, what happened to it, and what is kept of it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.factory.ledger import AMOUNT_MAX
from formicary.products.payments.escrow.table import Refund, Role, Timing, Trade
from formicary.products.payments.terms import FEE_POINTS_MAX

__all__ = [
    "COMMANDS",
    "ESCROW",
    "EVENTS",
    "AgreeRefund",
    "CancelRefund",
    "CloseEscrow",
    "ConfirmEscrow",
    "ConfirmReturn",
    "EscalateRefund",
    "EscrowClosed",
    "EscrowCommand",
    "EscrowDelayed",
    "EscrowExtended",
    "EscrowFinished",
    "EscrowMoved",
    "EscrowOpened",
    "EscrowPaid",
    "EscrowSettled",
    "EscrowShipped",
    "ExtendEscrow",
    "OpenEscrow",
    "PayEscrow",
    "RefundAgreed",
    "RefundClaim",
    "RefundClaimed",
    "RefundClosed",
    "RefundEscalated",
    "RefundPaid",
    "RefundRefused",
    "RefundRequested",
    "RefundRevised",
    "RefuseRefund",
    "RequestRefund",
    "ReturnShipped",
    "ReviseRefund",
    "RuleRefund",
    "ShipEscrow",
    "ShipReturn",
]

Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]
Points = Annotated[int, msgspec.Meta(ge=0, le=FEE_POINTS_MAX)]
Number = Annotated[int, msgspec.Meta(ge=1, le=999)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]

ESCROW: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        # Parties, not accounts.
        ("buyer_high", "<u8"),
        ("buyer_low", "<u8"),
        ("seller_high", "<u8"),
        ("seller_low", "<u8"),
        # Minor units: agreed, in escrow now, paid to the seller (fees included), given back to the buyer.
        ("amount", "<i8"),
        ("held", "<i8"),
        ("released", "<i8"),
        ("refunded", "<i8"),
        ("currency", "<u4"),
        ("fee_points", "<u4"),
        # By the numbers of Trade, Refund and Timing.
        ("trade", "<u4"),
        ("refund", "<u4"),
        ("timer", "<u4"),
        ("extended", "<u4"),
        # When the timer falls due; what was left of the automatic confirmation when a refund stopped it.
        ("due", "<i8"),
        ("remaining", "<i8"),
        # The latest refund asked for.
        ("refund_amount", "<i8"),
        ("goods_received", "<u4"),
        ("goods_returned", "<u4"),
    ]
)
"""One escrow: 164 bytes. The timer and its time tell a timer of the present from a stale one."""


class EscrowCommand(Command, frozen=True, kw_only=True):
    """Something wanted of an escrow. ``by`` says who asks; the surface knows, and the table says who may."""

    by: Role = Role.HOUSE


class OpenEscrow(EscrowCommand, frozen=True, kw_only=True):
    """Agree on a trade: nothing moves until the buyer pays.

    ``buyer`` and ``seller`` are ids of parties; ``currency`` is an ISO 4217 number; ``amount`` is in minor
    units; ``fee_points`` is the seller's fee in basis points of what the seller gets.
    """

    buyer: int
    seller: int
    currency: Number
    amount: Amount
    fee_points: Points = 0


class PayEscrow(EscrowCommand, frozen=True, kw_only=True):
    """Move the amount from the buyer's wallet into escrow."""


class ShipEscrow(EscrowCommand, frozen=True, kw_only=True):
    """Say that the goods are on their way."""


class ConfirmEscrow(EscrowCommand, frozen=True, kw_only=True):
    """Say that the goods came and are right: the seller is paid."""


class ExtendEscrow(EscrowCommand, frozen=True, kw_only=True):
    """Put the automatic confirmation off, once."""


class CloseEscrow(EscrowCommand, frozen=True, kw_only=True):
    """Call the trade off before shipment; what the buyer paid goes back."""


class RefundClaim(EscrowCommand, frozen=True, kw_only=True):
    """What a buyer claims: how much, in minor units, and what is with the goods."""

    amount: Amount
    goods_received: bool = False
    goods_returned: bool = False


class RequestRefund(RefundClaim, frozen=True, kw_only=True):
    """Ask for a refund of all that is held or of a part."""


class ReviseRefund(RefundClaim, frozen=True, kw_only=True):
    """Ask for another refund after the seller refused."""


class AgreeRefund(EscrowCommand, frozen=True, kw_only=True):
    """Agree to the refund that was asked for."""


class RefuseRefund(EscrowCommand, frozen=True, kw_only=True):
    """Refuse the refund, or the goods that came back."""


class EscalateRefund(EscrowCommand, frozen=True, kw_only=True):
    """Ask the house to rule on a refused refund."""


class RuleRefund(EscrowCommand, frozen=True, kw_only=True):
    """Rule how much of what is held the buyer gets, in minor units."""

    amount: Amount


class ShipReturn(EscrowCommand, frozen=True, kw_only=True):
    """Say that the goods are on their way back."""


class ConfirmReturn(EscrowCommand, frozen=True, kw_only=True):
    """Say that the goods came back: the refund is paid."""


class CancelRefund(EscrowCommand, frozen=True, kw_only=True):
    """Take the refund back; the trade goes on."""


class EscrowMoved(DomainEvent, frozen=True, kw_only=True):
    """What every event of an escrow says: who moved it, and where it is from then on.

    ``due`` is when the timer falls due, ``remaining`` what is left of a stopped automatic confirmation,
    both in nanoseconds, 0 for none.
    """

    by: Role
    trade: Trade
    refund: Refund
    timer: Timing = Timing.NONE
    due: Time = 0
    remaining: Time = 0


class EscrowOpened(EscrowMoved, frozen=True, kw_only=True):
    """A trade was agreed on."""

    buyer: Id
    seller: Id
    currency: Number
    amount: Amount
    fee_points: Points


class EscrowPaid(EscrowMoved, frozen=True, kw_only=True):
    """The buyer's money is held."""


class EscrowShipped(EscrowMoved, frozen=True, kw_only=True):
    """The goods are on their way."""


class EscrowExtended(EscrowMoved, frozen=True, kw_only=True):
    """The automatic confirmation was put off."""


class EscrowDelayed(EscrowMoved, frozen=True, kw_only=True):
    """A timer could not pay, as the receiver's account is closed; it runs again."""


class EscrowSettled(EscrowMoved, frozen=True, kw_only=True):
    """Money left escrow: to the buyer, to the seller before the fee, and the fee of it, in minor units."""

    to_buyer: Amount = 0
    to_seller: Amount = 0
    fee: Amount = 0


class EscrowFinished(EscrowSettled, frozen=True, kw_only=True):
    """The seller is paid."""


class EscrowClosed(EscrowSettled, frozen=True, kw_only=True):
    """The trade was called off."""


class RefundPaid(EscrowSettled, frozen=True, kw_only=True):
    """The refund is paid."""


class RefundClaimed(EscrowMoved, frozen=True, kw_only=True):
    """What the buyer claims."""

    amount: Amount
    goods_received: bool
    goods_returned: bool


class RefundRequested(RefundClaimed, frozen=True, kw_only=True):
    """The buyer asked for a refund."""


class RefundRevised(RefundClaimed, frozen=True, kw_only=True):
    """The buyer asked for another refund."""


class RefundAgreed(EscrowMoved, frozen=True, kw_only=True):
    """The refund will be paid when the goods are back."""


class RefundRefused(EscrowMoved, frozen=True, kw_only=True):
    """The seller refused."""


class RefundEscalated(EscrowMoved, frozen=True, kw_only=True):
    """The house is to rule."""


class ReturnShipped(EscrowMoved, frozen=True, kw_only=True):
    """The goods are on their way back."""


class RefundClosed(EscrowMoved, frozen=True, kw_only=True):
    """The refund ended without money; the trade goes on."""


COMMANDS: Final = (
    OpenEscrow,
    PayEscrow,
    ShipEscrow,
    ConfirmEscrow,
    ExtendEscrow,
    CloseEscrow,
    RequestRefund,
    ReviseRefund,
    AgreeRefund,
    RefuseRefund,
    EscalateRefund,
    RuleRefund,
    ShipReturn,
    ConfirmReturn,
    CancelRefund,
)
EVENTS: Final = (
    EscrowOpened,
    EscrowPaid,
    EscrowShipped,
    EscrowExtended,
    EscrowDelayed,
    EscrowFinished,
    EscrowClosed,
    RefundRequested,
    RefundRevised,
    RefundAgreed,
    RefundRefused,
    RefundEscalated,
    ReturnShipped,
    RefundClosed,
    RefundPaid,
)
