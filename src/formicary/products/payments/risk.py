"""Where payments are checked before they are made, and what may come of it."""

from __future__ import annotations

from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.points import DecisionPoint
from formicary.products.payments.features import PAYMENT, PAYMENT_RISK

__all__ = ["PAYMENT_POINT"]

_EFFECTS: Final = {
    "allow": Effect.ALLOW,
    # Which check, rules say: whoever has a device of their own is asked on it.
    "confirm_by_code": Effect.STEP_UP,
    "confirm_by_device": Effect.STEP_UP,
    "hold": Effect.HOLD,
    "reject": Effect.REJECT,
}

_SENTENCES: Final = {
    "amount": "Payments of this amount are frauds more often than others.",
    "currency": "Payments in this currency are frauds more often than others.",
    "hour": "Payments at this hour of the day are frauds more often than others.",
    "weekday": "Payments on this day of the week are frauds more often than others.",
    "payer_payments_1h": "You made many payments within the last hour.",
    "payer_payments_1d": "You made unusually many or few payments within the last day.",
    "payer_payments_30d": "You made unusually many or few payments in the last 30 days.",
    "payer_paid_1d": "You paid unusually much or little within the last day.",
    "payer_paid_30d": "You paid unusually much or little in the last 30 days.",
    "payer_mean_30d": "Your usual payments in the last 30 days are unlike this one.",
    "payer_std_30d": "Your payments in the last 30 days vary unusually much or little.",
    "payer_largest_30d": "Your largest payment in the last 30 days is unlike this one.",
    "payer_payees_30d": "You paid unusually many or few payees in the last 30 days.",
    "payer_since_last": "The time since your last payment is unusual.",
    "payer_since_first": "You have been paying with us for a short time.",
    "payer_received_1d": "You were paid unusually much or little within the last day.",
    "payee_payments_1d": "The payee got unusually many or few payments within the last day.",
    "payee_payments_30d": "The payee got unusually many or few payments in the last 30 days.",
    "payee_received_1d": "The payee got unusually much or little within the last day.",
    "payee_payers_30d": "Unusually many or few people paid the payee in the last 30 days.",
    "payee_since_first": "The payee has been paid with us for a short time.",
    "pair_payments_90d": "You paid this payee seldom or never in the last 90 days.",
    "pair_since_last": "The time since you last paid this payee is unusual.",
    "pair_is_new": "You did not pay this payee within the last year.",
    "amount_to_mean": "The amount is large beside your usual payments.",
    "amount_to_largest": "The amount is large beside your largest payment.",
    "amount_deviation": "The amount is far above your usual payments.",
    "amount_to_received": "The amount is large beside what you were paid within the last day.",
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
    sentences=_SENTENCES,
)
"""A payment between two parties, by a person or to a merchant. Without an armed policy every one is made."""
