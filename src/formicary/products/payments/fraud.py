"""Which payments are frauds: what is known before one is made, and what told, later, how it came out.

Outcomes are facts ``payment_outcome`` that name the payment by its transfer's id: ``charged_back`` 1 where
the payer did not mean it, ``confirmed`` 1 where that was wrong or the payer said so. Nearly nobody confirms:
what was not charged back within the horizon was honest.

A direction is fixed only where the opposite would be absurd: a payee that one has paid more often is no less
known, and a payment further above all others is no more usual. How large a payment is has none: thieves try
cards with small ones.
"""

from __future__ import annotations

from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, Gates, ModelSpec
from formicary.products.payments.features import PAYMENT_RISK

__all__ = ["MODELS", "PAYMENT_FRAUD", "PAYMENT_OUTCOME"]

PAYMENT_OUTCOME: Final = "payment_outcome"
"""The kind of the facts that tell how a payment came out."""

_OF_THE_PAYMENT: Final = (
    Column(name="amount", reason="Payments of this amount are frauds more often than others."),
    Column(name="hour", reason="Payments at this hour of the day are frauds more often than others."),
    Column(name="weekday", reason="Payments on this day of the week are frauds more often than others."),
)

_OF_THE_PAYER: Final = (
    Column(name="payer_payments_1h", reason="You made many payments within the last hour.", monotone=1),
    Column(name="payer_payments_1d", reason="You made unusually many or few payments within the last day."),
    Column(name="payer_payments_30d", reason="You made unusually many or few payments in the last 30 days."),
    Column(name="payer_paid_1d", reason="You paid unusually much or little within the last day."),
    Column(name="payer_paid_30d", reason="You paid unusually much or little in the last 30 days."),
    Column(name="payer_mean_30d", reason="Your usual payments in the last 30 days are unlike this one."),
    Column(name="payer_std_30d", reason="Your payments in the last 30 days vary unusually much or little."),
    Column(name="payer_largest_30d", reason="Your largest payment in the last 30 days is unlike this one."),
    Column(name="payer_payees_30d", reason="You paid unusually many or few payees in the last 30 days."),
    Column(name="payer_since_last", reason="The time since your last payment is unusual."),
    Column(name="payer_since_first", reason="You have been paying with us for a short time.", monotone=-1),
    Column(name="payer_received_1d", reason="You were paid unusually much or little within the last day."),
)

_OF_THE_PAYEE: Final = (
    Column(
        name="payee_payments_1d", reason="The payee got unusually many or few payments within the last day."
    ),
    Column(
        name="payee_payments_30d", reason="The payee got unusually many or few payments in the last 30 days."
    ),
    Column(name="payee_received_1d", reason="The payee got unusually much or little within the last day."),
    Column(
        name="payee_payers_30d", reason="Unusually many or few people paid the payee in the last 30 days."
    ),
    Column(name="payee_since_first", reason="The payee has been paid with us for a short time.", monotone=-1),
)

_OF_THE_PAIR: Final = (
    Column(
        name="pair_payments_90d",
        reason="You paid this payee seldom or never in the last 90 days.",
        monotone=-1,
    ),
    Column(name="pair_since_last", reason="The time since you last paid this payee is unusual."),
    Column(name="pair_is_new", reason="You did not pay this payee within the last year.", monotone=1),
)

_COMPARED: Final = (
    Column(name="amount_to_mean", reason="The amount is large beside your usual payments.", monotone=1),
    Column(name="amount_to_largest", reason="The amount is large beside your largest payment.", monotone=1),
    Column(name="amount_deviation", reason="The amount is far above your usual payments.", monotone=1),
    Column(
        name="amount_to_received",
        reason="The amount is large beside what you were paid within the last day.",
        monotone=1,
    ),
)

PAYMENT_FRAUD: Final = ModelSpec(
    name="payment_fraud",
    owner="payments",
    predicts="The chance that the payer did not mean the payment.",
    columns=(*_OF_THE_PAYMENT, *_OF_THE_PAYER, *_OF_THE_PAYEE, *_OF_THE_PAIR, *_COMPARED),
    gates=Gates(area_under_roc=0.7, calibration_error=0.05),
    question=Question(
        features=PAYMENT_RISK.name,
        purpose=Purpose.FRAUD,
        label=Label(
            fact=PAYMENT_OUTCOME,
            event="payment",
            positive=(("charged_back", 1),),
            negative=(("confirmed", 1),),
            horizon="30d",
        ),
        money="amount",
    ),
)
"""Scored before a payment is made. The currency is no column: in most houses there is one."""

MODELS: Final = (PAYMENT_FRAUD,)
"""The models of the payments business."""
