"""Held payments: somebody of the house releases the money to the payee, or gives it back to the payer.

A decision holds it; the aggregate is keyed by the payment's id, which is that of its transfer. Whoever waits
for nobody gets it back by the ledger's own time-out, of which there is no event here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    TimerFired,
)
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.ledger import AMOUNT_MAX, Transfer, TransferFlags
from formicary.products.payments.postings import (
    PAYMENT_CODES,
    AccountCode,
    PaymentNotFound,
    TransferCode,
    house_account_id,
)
from formicary.products.payments.terms import MERCHANT_FEE_POINTS, fee_of

__all__ = [
    "HELD_PAYMENT",
    "HELD_PAYMENTS",
    "HeldNote",
    "HeldPaymentReleased",
    "HeldPaymentReturned",
    "HeldStatus",
    "HoldAlreadyReleased",
    "HoldAlreadyReturned",
    "HoldExpired",
    "PaymentNotHeld",
    "ReleaseHeldPayment",
    "ReturnHeldPayment",
    "decide",
    "evolve",
    "hold_end",
]

Rows = npt.NDArray[Any]
HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]

HELD_PAYMENTS: Final = "held_payment"
"""The name of the product."""

HELD_PAYMENT: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("status", "<u4"),
        ("note", "<u4"),
        ("by_high", "<u8"),
        ("by_low", "<u8"),
        ("fee", "<i8"),
    ]
)
"""What became of a held payment, why, who said so, and the fee that was charged, in minor units."""

_NANOSECONDS_PER_SECOND: Final = 1_000_000_000


class HeldStatus(IntEnum):
    """What became of a held payment."""

    RELEASED = 1
    RETURNED = 2


class HeldNote(IntEnum):
    """Why, in a word: who looked at it may write more elsewhere, and the journal takes no free text."""

    UNSAID = 0
    PAYER_CONFIRMED = 1
    PAYER_DENIED = 2
    CHECKED = 3
    SUSPICIOUS = 4
    APPEALED = 5


class PaymentNotHeld(Refusal):
    """The payment was made at once: no decision holds its money."""

    code = "payment_not_held"


class HoldAlreadyReleased(Refusal):
    """The held money went to the payee already."""

    code = "hold_already_released"


class HoldAlreadyReturned(Refusal):
    """The held money went back to the payer already, as somebody decided."""

    code = "hold_already_returned"


class HoldExpired(Refusal):
    """The held money went back to the payer by itself, as nobody decided in time."""

    code = "hold_expired"


class ReleaseHeldPayment(Command, frozen=True, kw_only=True):
    """Pay what is held, and charge a merchant's fee; ``subject`` is the payment's id, ``by`` a credential."""

    by: HexId
    note: HeldNote = HeldNote.UNSAID


class ReturnHeldPayment(Command, frozen=True, kw_only=True):
    """Give back what is held; ``subject`` is the payment's id, ``by`` a credential."""

    by: HexId
    note: HeldNote = HeldNote.UNSAID


class HeldPaymentReleased(DomainEvent, frozen=True, kw_only=True):
    """The payee has the money."""

    by: HexId
    note: HeldNote
    fee: Amount


class HeldPaymentReturned(DomainEvent, frozen=True, kw_only=True):
    """The payer has the money back."""

    by: HexId
    note: HeldNote


def decide(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide about held money; the receipt's answer tells the fee of what was released."""
    require_well_formed(asked)
    held = _require_held(asked.subject, record, context)
    if isinstance(asked, ReleaseHeldPayment):
        return _release(asked, held, context)
    assert isinstance(asked, ReturnHeldPayment)  # noqa: S101, the other one
    back = Transfer(
        id=context.derive_id(0), pending_id=asked.subject, flags=TransferFlags.VOID_PENDING_TRANSFER
    )
    return Decision(events=[HeldPaymentReturned(by=asked.by, note=asked.note)], transfers=[back])


def _require_held(payment: int, record: Rows | None, context: Context) -> Rows:
    held = context.transfer(payment)
    if held is None or held["code"] not in PAYMENT_CODES:
        raise PaymentNotFound
    if not held["flags"] & TransferFlags.HELD:
        raise PaymentNotHeld
    if record is not None:
        raise HoldAlreadyReleased if record["status"] == HeldStatus.RELEASED else HoldAlreadyReturned
    if hold_end(held) <= context.now:
        raise HoldExpired
    return held


def _release(asked: ReleaseHeldPayment, held: Rows, context: Context) -> Decision:
    amount, ledger = int(held["amount"]), int(held["ledger"])
    is_charged = held["code"] == TransferCode.MERCHANT_PAYMENT
    fee = fee_of(amount, MERCHANT_FEE_POINTS) if is_charged else 0
    paid = Transfer(
        id=context.derive_id(0),
        pending_id=asked.subject,
        amount=amount,
        flags=TransferFlags.POST_PENDING_TRANSFER,
    )
    charged = Transfer(
        id=context.derive_id(1),
        debit_account_id=(int(held["credit_account_id_high"]) << 64) | int(held["credit_account_id_low"]),
        credit_account_id=house_account_id(AccountCode.FEES, ledger),
        amount=fee,
        ledger=ledger,
        code=TransferCode.MERCHANT_FEE,
        user_data_128=asked.subject,
    )
    return Decision(
        events=[HeldPaymentReleased(by=asked.by, note=asked.note, fee=fee)],
        transfers=[paid, charged] if fee else [paid],
        answer={"fee": fee},
    )


def hold_end(held: Rows) -> int:
    """Return when held money goes back by itself, in nanoseconds, of a transfer, shape ()."""
    return int(held["timestamp"]) + int(held["timeout"]) * _NANOSECONDS_PER_SECOND


def evolve(kind: str, payments: Rows, events: Sequence[Any]) -> None:
    """Note what became of held payments (n,) in events (n,) of one kind."""
    is_released = kind == "HeldPaymentReleased"
    payments["status"] = HeldStatus.RELEASED if is_released else HeldStatus.RETURNED
    payments["note"] = [event.note for event in events]
    payments["by_high"] = [int(event.by[:16], 16) for event in events]
    payments["by_low"] = [int(event.by[16:], 16) for event in events]
    payments["fee"] = [event.fee for event in events] if is_released else 0
