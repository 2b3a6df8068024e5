"""Refunds of payments: the payee gives back what was paid or a part of it, never more than that in all.

The aggregate is keyed by the payment's id, which is that of its transfer. The fee stays with the house.
What a decision holds can be refunded once it is released.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from formicary.factory.ledger import AMOUNT_MAX, Transfer, TransferFlags
from formicary.products.payments.held import HELD_PAYMENTS, HeldStatus
from formicary.products.payments.postings import (
    PAYMENT_CODES,
    InvalidAmount,
    PaymentNotFound,
    TransferCode,
)

__all__ = [
    "PAYMENT_REFUND",
    "PaymentNotCompleted",
    "PaymentRefunded",
    "RefundExceedsPayment",
    "RefundPayment",
    "decide",
    "evolve",
]

Rows = npt.NDArray[Any]
Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]

PAYMENT_REFUND: Final = np.dtype([*AGGREGATE_HEADER, ("refunded", "<i8"), ("refunds", "<u4")])
"""What was refunded of a payment so far, in minor units, and in how many refunds."""


class PaymentNotCompleted(Refusal):
    """The payment's money is held, or went back: there is nothing to refund."""

    code = "payment_not_completed"


class RefundExceedsPayment(Refusal):
    """All refunds of a payment together are at most what was paid."""

    code = "refund_exceeds_payment"


class RefundPayment(Command, frozen=True, kw_only=True):
    """Give back ``amount`` minor units of a payment; ``subject`` is the payment's id."""

    amount: Amount


class PaymentRefunded(DomainEvent, frozen=True, kw_only=True):
    """The payer has it back."""

    amount: Amount


def decide(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide a refund; the receipt's answer names the refund's transfer and the sum refunded by now."""
    if not isinstance(asked, RefundPayment) or (paid := context.transfer(asked.subject)) is None:
        raise PaymentNotFound
    if paid["code"] not in PAYMENT_CODES:
        raise PaymentNotFound
    if paid["flags"] & TransferFlags.PENDING:
        _require_released(asked.subject, context)
    if not 1 <= asked.amount <= AMOUNT_MAX:
        raise InvalidAmount
    refunded = asked.amount + (0 if record is None else int(record["refunded"]))
    if refunded > int(paid["amount"]):
        raise RefundExceedsPayment
    back = Transfer(
        id=context.derive_id(0),
        debit_account_id=_id(paid, "credit_account_id"),
        credit_account_id=_id(paid, "debit_account_id"),
        amount=asked.amount,
        ledger=int(paid["ledger"]),
        code=TransferCode.REFUND,
        user_data_128=asked.subject,
    )
    return Decision(
        events=[PaymentRefunded(amount=asked.amount)],
        transfers=[back],
        answer={"refund": f"{back.id:032x}", "refunded": refunded},
    )


def _require_released(payment: int, context: Context) -> None:
    held = context.aggregate(HELD_PAYMENTS, payment)
    if held is None or held["status"] != HeldStatus.RELEASED:
        raise PaymentNotCompleted


def evolve(_: str, refunds: Rows, events: Sequence[Any]) -> None:
    """Add refunds (n,) up."""
    refunds["refunded"] += np.array([event.amount for event in events], np.int64)
    refunds["refunds"] += 1


def _id(record: Rows, name: str) -> int:
    return (int(record[f"{name}_high"]) << 64) | int(record[f"{name}_low"])
