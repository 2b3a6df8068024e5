"""What an order of the rail is asked, what happened to it, and what is kept of it."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.factory.ledger import AMOUNT_MAX

__all__ = [
    "COMMANDS",
    "EVENTS",
    "RAIL_ORDER",
    "ConfirmOrder",
    "Direction",
    "FailOrder",
    "FailureReason",
    "OrderConfirmed",
    "OrderDelayed",
    "OrderExists",
    "OrderFailed",
    "OrderMoved",
    "OrderNotFound",
    "OrderRequested",
    "OrderReturned",
    "OrderSettled",
    "OrderSilent",
    "OrderState",
    "OrderWrongState",
    "RequestCashOut",
    "RequestOrder",
    "RequestTopUp",
    "ReturnOrder",
    "SettleOrder",
]

Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]
Number = Annotated[int, msgspec.Meta(ge=1, le=999)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]


class Direction(IntEnum):
    """Which way the money goes."""

    TOP_UP = 1
    CASH_OUT = 2


class OrderState(IntEnum):
    """Where an order is: what the bank said of it last, ``SILENT`` where it said nothing for too long."""

    REQUESTED = 1
    CONFIRMED = 2
    FAILED = 3
    RETURNED = 4
    SILENT = 5


class FailureReason(IntEnum):
    """Why a bank did not do what it was asked."""

    UNKNOWN = 0
    NO_SUCH_ACCOUNT = 1
    ACCOUNT_CLOSED = 2
    NO_FUNDS = 3
    REFUSED = 4


class OrderExists(Refusal):
    """There is an order with this id."""

    code = "rail_order_exists"


class OrderNotFound(Refusal):
    """There is no order with this id."""

    code = "rail_order_not_found"


class OrderWrongState(Refusal):
    """The order is not where this can be done: the bank said something else before."""

    code = "rail_order_wrong_state"


RAIL_ORDER: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        # Minor units: asked for, and standing on the clearing account because the wallet could not take part.
        ("amount", "<i8"),
        ("open", "<i8"),
        # When the wallet is asked again, in nanoseconds.
        ("due", "<i8"),
        ("currency", "<u4"),
        # By the numbers of Direction, OrderState and FailureReason.
        ("direction", "<u4"),
        ("state", "<u4"),
        ("reason", "<u4"),
    ]
)
"""One order: 84 bytes."""


class RequestOrder(Command, frozen=True, kw_only=True):
    """Something wanted of the bank: ``amount`` minor units for a party's wallet in a currency."""

    party: int
    currency: Number
    amount: Amount


class RequestTopUp(RequestOrder, frozen=True, kw_only=True):
    """Expect money from a bank for a wallet; nothing moves before the bank's word."""


class RequestCashOut(RequestOrder, frozen=True, kw_only=True):
    """Send money of a wallet to a bank; it is held until the bank's word."""


class ConfirmOrder(Command, frozen=True, kw_only=True):
    """Take the bank's word that the money came, or went."""


class FailOrder(Command, frozen=True, kw_only=True):
    """Take the bank's word that nothing came of it."""

    reason: FailureReason = FailureReason.UNKNOWN


class ReturnOrder(Command, frozen=True, kw_only=True):
    """Take the bank's word that what it had confirmed was undone."""


class SettleOrder(Command, frozen=True, kw_only=True):
    """Try again what the wallet could not take part in; a timer does so every day."""


class OrderRequested(DomainEvent, frozen=True, kw_only=True):
    """The bank was asked."""

    direction: Direction
    party: Id
    currency: Number
    amount: Amount


class OrderMoved(DomainEvent, frozen=True, kw_only=True):
    """The bank said something; ``open`` minor units stand on the clearing account from then on.

    ``due`` is when the wallet is asked again, in nanoseconds, 0 for never.
    """

    open: Amount = 0
    due: Time = 0


class OrderConfirmed(OrderMoved, frozen=True, kw_only=True):
    """The money came, or went."""


class OrderReturned(OrderMoved, frozen=True, kw_only=True):
    """What was confirmed was undone."""


class OrderFailed(DomainEvent, frozen=True, kw_only=True):
    """Nothing came of it."""

    reason: FailureReason


class OrderSilent(DomainEvent, frozen=True, kw_only=True):
    """The bank said nothing for three days."""


class OrderSettled(DomainEvent, frozen=True, kw_only=True):
    """The wallet took part at last: nothing of the order stands on the clearing account any more."""


class OrderDelayed(DomainEvent, frozen=True, kw_only=True):
    """The wallet still could not take part, and is asked again at ``due``."""

    due: Time


COMMANDS: Final = (RequestTopUp, RequestCashOut, ConfirmOrder, FailOrder, ReturnOrder, SettleOrder)
EVENTS: Final = (
    OrderRequested,
    OrderConfirmed,
    OrderReturned,
    OrderFailed,
    OrderSilent,
    OrderSettled,
    OrderDelayed,
)
