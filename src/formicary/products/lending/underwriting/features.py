"""What a lender knows of a merchant: sales and who pays, money that leaves, debts, and how loans came out.

``payment`` and ``obligation`` are the kinds of that name which payments and the credit score declare: what a
kind means is text, and kinds of one name mean the same or do not compile. So their rings are shared, and
products do not know each other.

Two kinds of facts are lending's own: ``loan_outcome``, which servicing tells, and ``sale_fraud``, for whoever
finds out that payments to a party were frauds: ``frauds`` 1, or -1 where that was wrong. What comes out of a
payment is told by its id elsewhere, from which no feature finds the payee.

Amounts are minor units as they are, whatever their currency, as everywhere in this house. Sales are payments
to the party, from persons and as a merchant, and what escrow releases to it. Who paid into an escrow is not
in the release, so that each release counts as somebody who paid.

Who asks is a loan that is drawn, so that a training set has a row for each draw, as known then; a decider
asks for a party alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import age, count, distinct, time_since, total
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.expressions import value_of
from formicary.factory.features.kinds import EventKind, Facts, Transfers, amount, identifier, number, party
from formicary.products.lending.servicing.outcomes import LOAN_OUTCOME, Lateness
from formicary.products.lending.servicing.postings import LoanTransfer

__all__ = ["FEATURES", "MERCHANT_CREDIT", "MERCHANT_WEEKS", "SALE_FRAUD"]

_PAYMENT: Final = EventKind(
    "payment",
    Transfers(codes=(101, 102)),
    payer=party("debit_party"),
    payee=party("credit_party"),
    amount=amount(),
    currency=number("ledger"),
)
"""One party paid another, a person or a merchant: what payments mean by it."""

_SALE: Final = EventKind(
    "sale", Transfers(codes=(101, 102, 122)), payee=party("credit_party"), amount=amount()
)
"""A party was paid, at once or out of escrow."""

_RELEASE: Final = EventKind("escrow_release", Transfers(codes=(122,)), payee=party("credit_party"))
"""A sale in escrow was paid to the seller."""

_REFUND: Final = EventKind(
    "refund",
    Transfers(codes=(104,)),
    payee=party("debit_party"),
    payer=party("credit_party"),
    amount=amount(),
)
"""The payee of a payment gave some of it back to its payer."""

_OBLIGATION: Final = EventKind("obligation", Facts("obligation"), party=party(), due=number(), late=number())
"""Something that a party owes elsewhere fell due: what the credit score means by it."""

SALE_FRAUD: Final = EventKind("sale_fraud", Facts("sale_fraud"), party=party(), frauds=number())
"""A payment to a party was a fraud."""

_LOAN_PAID: Final = EventKind(
    "loan_paid",
    Transfers(codes=(LoanTransfer.FEE_PAID, LoanTransfer.INTEREST_PAID, LoanTransfer.PRINCIPAL_PAID)),
    payer=party("debit_party"),
    amount=amount(),
)
"""A part of a loan's payment left a wallet."""

_LOAN_CAME_OUT: Final = EventKind(
    "loan_outcome", Facts(LOAN_OUTCOME), party=party(), days_late=number(), charged_off=number()
)
"""A loan of this house was so many days late, or was charged off."""

_LOAN_DRAWN: Final = EventKind(
    "loan_drawn",
    Transfers(codes=(LoanTransfer.DRAW,)),
    party=party("credit_party"),
    loan=identifier("debit_account"),
    amount=amount(),
    currency=number("ledger"),
)
"""A loan paid out; its account has its id."""

_AMOUNT: Final = _PAYMENT["amount"]
_MONTHS: Final = ("30d", "90d")
_SALES: Final = (*_MONTHS, "365d")
_YEAR: Final = "365d"
_DAY_SECONDS: Final = 86_400
_PURPOSES: Final = frozenset({Purpose.CREDIT, Purpose.RESEARCH})

_SOLD: Final = (
    *windowed(
        "sales_{window}",
        _SALES,
        lambda over: total(_SALE["amount"], by="payee", of="party", over=over),
        unit="minor units",
        meaning="How much the party was paid in the last {window}.",
    ),
    *windowed(
        "sales_count_{window}",
        _SALES,
        lambda over: count(_SALE, by="payee", of="party", over=over),
        unit="payments",
        meaning="How many payments the party got in the last {window}, and releases from escrow.",
    ),
    *windowed(
        "direct_payers_{window}",
        _MONTHS,
        lambda over: distinct(_PAYMENT["payer"], by="payee", of="party", over=over),
        unit="parties",
        meaning="About how many different parties paid the party at once in the last {window}.",
    ),
    *windowed(
        "escrow_releases_{window}",
        _MONTHS,
        lambda over: count(_RELEASE, by="payee", of="party", over=over),
        unit="sales",
        meaning="How many sales in escrow were paid to the party in the last {window}.",
    ),
    *windowed(
        "payers_{window}",
        _MONTHS,
        lambda over: value_of(f"direct_payers_{over}") + value_of(f"escrow_releases_{over}"),
        unit="parties",
        meaning="About how many paid the party in the last {window}, those of an escrow counted each time.",
    ),
    Feature(
        name="growth_30d",
        value=3.0 * value_of("sales_30d") / value_of("sales_90d"),
        unit="ratio",
        meaning="Sales of the last 30 days as a multiple of the usual 30 of the last 90.",
    ),
    Feature(
        name="sales_per_payer_90d",
        value=value_of("sales_count_90d") / value_of("payers_90d"),
        unit="payments",
        meaning="How often each of those who paid did so in the last 90 days, about.",
    ),
    Feature(
        name="refunds_90d",
        value=total(_REFUND["amount"], by="payee", of="party", over="90d"),
        unit="minor units",
        meaning="How much the party gave back of its sales in the last 90 days.",
    ),
    Feature(
        name="refunds_to_sales_90d",
        value=value_of("refunds_90d") / value_of("sales_90d"),
        unit="share",
        meaning="What was given back as a share of the sales of the last 90 days.",
    ),
    Feature(
        name="frauds_365d",
        value=total(SALE_FRAUD["frauds"], by="party", over=_YEAR),
        unit="payments",
        meaning="How many payments to the party were told as frauds in the last 365 days.",
    ),
    Feature(
        name="frauds_to_sales_365d",
        value=value_of("frauds_365d") / value_of("sales_count_365d"),
        unit="share",
        meaning="The frauds that were told as a share of the sales of the last 365 days.",
    ),
)

_SINCE: Final = (
    Feature(
        name="since_first_sale",
        value=age(_SALE, by="payee", of="party"),
        unit="seconds",
        meaning="The time since the party was first paid.",
    ),
    Feature(
        name="days_known",
        value=value_of("since_first_sale") / _DAY_SECONDS,
        unit="days",
        meaning="Since how many days the party has been paid here.",
    ),
    Feature(
        name="since_last_sale",
        value=time_since(_SALE, by="payee", of="party"),
        unit="seconds",
        meaning="The time since the party was last paid.",
    ),
    Feature(
        name="days_since_sale",
        value=value_of("since_last_sale") / _DAY_SECONDS,
        unit="days",
        meaning="How many days ago the party was last paid.",
    ),
)

_OWED: Final = (
    *windowed(
        "debits_{window}",
        _MONTHS,
        lambda over: total(_AMOUNT, by="payer", of="party", over=over),
        unit="minor units",
        meaning="How much the party paid to others in the last {window}.",
    ),
    Feature(
        name="debits_to_sales_90d",
        value=value_of("debits_90d") / value_of("sales_90d"),
        unit="ratio",
        meaning="What the party paid as a multiple of its sales in the last 90 days.",
    ),
    *windowed(
        "debt_service_{window}",
        _MONTHS,
        lambda over: total(_LOAN_PAID["amount"], by="payer", of="party", over=over),
        unit="minor units",
        meaning="How much the party paid on loans of this house in the last {window}.",
    ),
    Feature(
        name="debt_service_to_sales_90d",
        value=value_of("debt_service_90d") / value_of("sales_90d"),
        unit="share",
        meaning="What the party paid on loans as a share of its sales in the last 90 days.",
    ),
    Feature(
        name="loans_late_365d",
        value=count(
            _LOAN_CAME_OUT,
            by="party",
            where=_LOAN_CAME_OUT["days_late"] == Lateness.DAYS_30,
            over=_YEAR,
        ),
        unit="loans",
        meaning="How often a loan of the party became 30 days late in the last 365 days.",
    ),
    Feature(
        name="loans_lost_365d",
        value=total(_LOAN_CAME_OUT["charged_off"], by="party", over=_YEAR),
        unit="loans",
        meaning="How many loans of the party were charged off in the last 365 days.",
    ),
    Feature(
        name="obligations_due_365d",
        value=total(_OBLIGATION["due"], by="party", over=_YEAR),
        unit="obligations",
        meaning="How many obligations of the party elsewhere fell due in the last 365 days.",
    ),
    Feature(
        name="obligations_late_365d",
        value=total(_OBLIGATION["late"], by="party", over=_YEAR),
        unit="obligations",
        meaning="How many obligations elsewhere the party met late or never in the last 365 days.",
    ),
)

MERCHANT_CREDIT: Final = FeatureSet(
    name="merchant_credit",
    on=_LOAN_DRAWN,
    features=tuple(replace(one, purposes=_PURPOSES) for one in (*_SOLD, *_SINCE, *_OWED)),
    owner="lending",
)
"""What is known of whoever might be lent to, if it agreed to the purpose."""

MERCHANT_WEEKS: Final = FeatureSet(
    name="merchant_weeks",
    on=_LOAN_DRAWN,
    features=(
        Feature(
            name="sales_count_7d",
            # Tiles of a day, as of 30 days; with a delay they are seven whole ones, each weekday once.
            value=count(_SALE, by="payee", of="party", over="7d", delay="1d", resolution="1d"),
            unit="payments",
            meaning="How many payments the party got in the seven days up to the day before yesterday.",
            purposes=_PURPOSES,
        ),
    ),
    owner="lending",
)
"""What early warning is told of a week; a set of its own, as decisions record all of the other one."""

FEATURES: Final = (MERCHANT_CREDIT, MERCHANT_WEEKS)
"""The sets of the lending business."""
