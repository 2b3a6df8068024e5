"""Which loans will not be paid back: what is known when one is drawn, and what tells how it came out.

Outcomes are the facts ``loan_outcome`` that servicing tells: a loan that is 90 days late within the horizon,
or charged off, is a default (the Basel framework's, CRE36); one whose loss was taken back before it was 90
days late is none. A loan without either is none once the horizon has passed: a house that begins to lend
waits a year for its first labels, and lends by judgement until then (``judgement``).

Directions are those that a person expects and would be wronged by the opposite of. No column says who
somebody is: no age, sex or place.
"""

from __future__ import annotations

from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, Gates, ModelSpec
from formicary.products.lending.servicing.outcomes import LOAN_OUTCOME, Lateness
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT

__all__ = ["MERCHANT_DEFAULT", "MODELS"]

_SALES: Final = (
    Column(name="sales_90d", reason="Your sales in the last 90 days are low.", monotone=-1),
    Column(name="sales_365d", reason="Your sales in the last year are low.", monotone=-1),
    Column(name="growth_30d", reason="Your sales fell in the last 30 days.", monotone=-1),
    Column(name="payers_90d", reason="Few customers paid you in the last 90 days.", monotone=-1),
    Column(name="sales_per_payer_90d", reason="Your customers pay you unusually often or seldom."),
    Column(
        name="refunds_to_sales_90d",
        reason="You gave back much of your sales in the last 90 days.",
        monotone=1,
    ),
    Column(
        name="frauds_to_sales_365d",
        reason="Many of the payments that you got in the last year were frauds.",
        monotone=1,
    ),
)

_SINCE: Final = (
    Column(name="days_known", reason="You have been selling with us for a short time.", monotone=-1),
    Column(name="days_since_sale", reason="Your last sale was some time ago.", monotone=1),
)

_OWED: Final = (
    Column(
        name="debits_to_sales_90d",
        reason="You paid out much of what you sold for in the last 90 days.",
        monotone=1,
    ),
    Column(
        name="debt_service_to_sales_90d",
        reason="Loans take a large part of your sales already.",
        monotone=1,
    ),
    Column(name="loans_late_365d", reason="You were late with a loan in the last year.", monotone=1),
    Column(name="loans_lost_365d", reason="You did not pay a loan back in the last year.", monotone=1),
    Column(
        name="obligations_late_365d",
        reason="You paid others late, or not at all, in the last year.",
        monotone=1,
    ),
)

MERCHANT_DEFAULT: Final = ModelSpec(
    name="merchant_default",
    owner="lending",
    predicts="The chance that a loan drawn now is charged off or 90 days late within a year.",
    columns=(*_SALES, *_SINCE, *_OWED),
    gates=Gates(area_under_roc=0.65, calibration_error=0.03),
    question=Question(
        features=MERCHANT_CREDIT.name,
        purpose=Purpose.CREDIT,
        label=Label(
            fact=LOAN_OUTCOME,
            event="loan",
            positive=(("days_late", Lateness.DAYS_90), ("charged_off", 1)),
            negative=(("written_back", 1),),
            horizon="365d",
            names="loan",
        ),
        money="amount",
    ),
)
"""The horizon is that of the credit policy: what it prices is what the model counts."""

MODELS: Final = (MERCHANT_DEFAULT,)
"""The models of the lending business."""
