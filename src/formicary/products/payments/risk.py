"""Where payments are checked before they are made, and what may come of it."""

from __future__ import annotations

from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.points import DecisionPoint
from formicary.products.payments.features import PAYMENT, PAYMENT_RISK
from formicary.products.payments.fraud import PAYMENT_FRAUD

__all__ = ["PAYMENT_POINT", "check_of"]

# Which check, rules say: whoever has a device of their own is asked on it.
_CHECKS: Final = {"confirm_by_code": "code", "confirm_by_device": "device"}
_EFFECTS: Final = {
    "allow": Effect.ALLOW,
    **dict.fromkeys(_CHECKS, Effect.STEP_UP),
    "hold": Effect.HOLD,
    "reject": Effect.REJECT,
}

_SENTENCES: Final = {column.name: column.reason for column in PAYMENT_FRAUD.columns} | {
    # No column of ours, as in most houses there is one; a house's own model may read it.
    "currency": "Payments in this currency are frauds more often than others.",
}
"""What a payer is told where a feature raised the chance of a fraud most."""

PAYMENT_POINT: Final = DecisionPoint(
    name="payment",
    on=PAYMENT,
    outcomes=tuple(_EFFECTS),
    effects=tuple(_EFFECTS.values()),
    safe_outcome="hold",
    scores=("fraud", "fraud_shadow"),
    feature_set=PAYMENT_RISK,
    purpose=Purpose.FRAUD,
    party="payer",
    may_explore=True,
    sentences=_SENTENCES,
)
"""A payment between two parties, by a person or to a merchant. Without an armed policy every one is made."""


def check_of(outcome: str) -> str:
    """Return by what a payer is to be checked where an outcome asks for it, empty for any other."""
    return _CHECKS.get(outcome, "")
