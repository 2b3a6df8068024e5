"""What payments want to be told of payer, payee and pair, and of money in and out of a party.

Amounts are added up in minor units as they are, whatever their currency: a party with wallets in several
has one row. ``currency`` is told beside them.

What is kept of a payer or a payee is kept for ever, as are the parties themselves. Pairs are many more, so
that nothing of them is asked beyond a year: the row of a pair that does not meet again is given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import (
    age,
    count,
    distinct,
    maximum,
    mean,
    std,
    time_since,
    total,
)
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.expressions import hour, is_missing, value_of, weekday
from formicary.factory.features.kinds import EventKind, Transfers, amount, number, party
from formicary.products.payments.postings import TransferCode

__all__ = ["FEATURES", "PARTY", "PARTY_FLOWS", "PAYMENT", "PAYMENT_RISK"]

PAYMENT: Final = EventKind(
    "payment",
    Transfers(codes=(TransferCode.PERSON_PAYMENT, TransferCode.MERCHANT_PAYMENT)),
    payer=party("debit_party"),
    payee=party("credit_party"),
    amount=amount(),
    currency=number("ledger"),
)
"""One party paid another, a person or a merchant."""

PARTY: Final = EventKind("party", None, party=party())
"""Somebody asks about one party: nothing happens, so that the journal has no such event."""

_AMOUNT: Final = PAYMENT["amount"]
_PAIR: Final = ("payer", "payee")
_RISK: Final = frozenset({Purpose.FRAUD})
_FLOWS: Final = frozenset(
    {Purpose.FRAUD, Purpose.CREDIT, Purpose.INSURANCE, Purpose.WEALTH, Purpose.RESEARCH}
)
_MONTHS: Final = ("30d", "90d")

_OF_THE_PAYMENT: Final = (
    Feature(name="amount", value=_AMOUNT, unit="minor units", meaning="The amount of the payment."),
    Feature(
        name="currency",
        value=PAYMENT["currency"],
        unit="ISO 4217 number",
        meaning="The currency of the payment.",
    ),
    Feature(name="hour", value=hour(), unit="hour", meaning="The hour of the payment, in UTC."),
    Feature(
        name="weekday",
        value=weekday(),
        unit="weekday",
        meaning="The weekday of the payment in UTC, 0 for Monday.",
    ),
)

_OF_THE_PAYER: Final = (
    *windowed(
        "payer_payments_{window}",
        ("1h", "1d", "30d"),
        lambda over: count(PAYMENT, by="payer", over=over),
        unit="payments",
        meaning="How many payments the payer made in the last {window}.",
    ),
    *windowed(
        "payer_paid_{window}",
        ("1d", "30d"),
        lambda over: total(_AMOUNT, by="payer", over=over),
        unit="minor units",
        meaning="How much the payer paid in the last {window}.",
    ),
    Feature(
        name="payer_mean_30d",
        value=mean(_AMOUNT, by="payer", over="30d"),
        unit="minor units",
        meaning="The mean of the payer's payments in the last 30 days.",
    ),
    Feature(
        name="payer_std_30d",
        value=std(_AMOUNT, by="payer", over="30d"),
        unit="minor units",
        meaning="The standard deviation of the payer's payments in the last 30 days.",
    ),
    Feature(
        name="payer_largest_30d",
        value=maximum(_AMOUNT, by="payer", over="30d"),
        unit="minor units",
        meaning="The payer's largest payment in the last 30 days.",
    ),
    Feature(
        name="payer_payees_30d",
        value=distinct(PAYMENT["payee"], by="payer", over="30d"),
        unit="parties",
        meaning="About how many different parties the payer paid in the last 30 days.",
    ),
    Feature(
        name="payer_since_last",
        value=time_since(PAYMENT, by="payer"),
        unit="seconds",
        meaning="The time since the payer's latest payment.",
    ),
    Feature(
        name="payer_since_first",
        value=age(PAYMENT, by="payer"),
        unit="seconds",
        meaning="The time since the payer's first payment.",
    ),
    Feature(
        name="payer_received_1d",
        value=total(_AMOUNT, by="payee", of="payer", over="1d"),
        unit="minor units",
        meaning="How much the payer was paid in the last day.",
    ),
)

_OF_THE_PAYEE: Final = (
    *windowed(
        "payee_payments_{window}",
        ("1d", "30d"),
        lambda over: count(PAYMENT, by="payee", over=over),
        unit="payments",
        meaning="How many payments the payee got in the last {window}.",
    ),
    Feature(
        name="payee_received_1d",
        value=total(_AMOUNT, by="payee", over="1d"),
        unit="minor units",
        meaning="How much the payee was paid in the last day.",
    ),
    Feature(
        name="payee_payers_30d",
        value=distinct(PAYMENT["payer"], by="payee", over="30d"),
        unit="parties",
        meaning="About how many different parties paid the payee in the last 30 days.",
    ),
    Feature(
        name="payee_since_first",
        value=age(PAYMENT, by="payee"),
        unit="seconds",
        meaning="The time since the payee was first paid.",
    ),
)

_OF_THE_PAIR: Final = (
    Feature(
        name="pair_payments_90d",
        value=count(PAYMENT, by=_PAIR, over="90d"),
        unit="payments",
        meaning="How many payments the payer made to this payee in the last 90 days.",
    ),
    Feature(
        name="pair_since_last",
        value=time_since(PAYMENT, by=_PAIR, over="366d"),
        unit="seconds",
        meaning="The time since the payer last paid this payee, within 366 days.",
    ),
    Feature(
        name="pair_is_new",
        value=is_missing(value_of("pair_since_last")),
        unit="yes (1) or no (0)",
        meaning="Whether the payer did not pay this payee in the last 366 days.",
    ),
)

_COMPARED: Final = (
    Feature(
        name="amount_to_mean",
        value=_AMOUNT / value_of("payer_mean_30d"),
        unit="ratio",
        meaning="The amount as a multiple of the payer's mean payment in the last 30 days.",
    ),
    Feature(
        name="amount_to_largest",
        value=_AMOUNT / value_of("payer_largest_30d"),
        unit="ratio",
        meaning="The amount as a multiple of the payer's largest payment in the last 30 days.",
    ),
    Feature(
        name="amount_deviation",
        value=(_AMOUNT - value_of("payer_mean_30d")) / value_of("payer_std_30d"),
        unit="standard deviations",
        meaning="How far the amount is above the payer's mean payment in the last 30 days.",
    ),
    Feature(
        name="amount_to_received",
        value=_AMOUNT / value_of("payer_received_1d"),
        unit="ratio",
        meaning="The amount as a multiple of what the payer was paid in the last day.",
    ),
)

_IN_AND_OUT: Final = (
    *windowed(
        "paid_{window}",
        _MONTHS,
        lambda over: total(_AMOUNT, by="payer", of="party", over=over),
        unit="minor units",
        meaning="How much the party paid in the last {window}.",
    ),
    *windowed(
        "received_{window}",
        _MONTHS,
        lambda over: total(_AMOUNT, by="payee", of="party", over=over),
        unit="minor units",
        meaning="How much the party was paid in the last {window}.",
    ),
    *windowed(
        "kept_{window}",
        _MONTHS,
        lambda over: value_of(f"received_{over}") - value_of(f"paid_{over}"),
        unit="minor units",
        meaning="How much more the party was paid than it paid in the last {window}.",
    ),
    *windowed(
        "paid_to_received_{window}",
        _MONTHS,
        lambda over: value_of(f"paid_{over}") / value_of(f"received_{over}"),
        unit="ratio",
        meaning="What the party paid as a multiple of what it was paid in the last {window}.",
    ),
    *windowed(
        "payments_out_{window}",
        _MONTHS,
        lambda over: count(PAYMENT, by="payer", of="party", over=over),
        unit="payments",
        meaning="How many payments the party made in the last {window}.",
    ),
    *windowed(
        "payments_in_{window}",
        _MONTHS,
        lambda over: count(PAYMENT, by="payee", of="party", over=over),
        unit="payments",
        meaning="How many payments the party got in the last {window}.",
    ),
    *windowed(
        "payees_{window}",
        _MONTHS,
        lambda over: distinct(PAYMENT["payee"], by="payer", of="party", over=over),
        unit="parties",
        meaning="About how many different parties the party paid in the last {window}.",
    ),
    *windowed(
        "payers_{window}",
        _MONTHS,
        lambda over: distinct(PAYMENT["payer"], by="payee", of="party", over=over),
        unit="parties",
        meaning="About how many different parties paid the party in the last {window}.",
    ),
    Feature(
        name="since_last_in",
        value=time_since(PAYMENT, by="payee", of="party"),
        unit="seconds",
        meaning="The time since the party was last paid.",
    ),
    Feature(
        name="since_first_in",
        value=age(PAYMENT, by="payee", of="party"),
        unit="seconds",
        meaning="The time since the party was first paid.",
    ),
)


def _only_for(purposes: frozenset[Purpose], features: Iterable[Feature]) -> tuple[Feature, ...]:
    return tuple(replace(feature, purposes=purposes) for feature in features)


PAYMENT_RISK: Final = FeatureSet(
    name="payment_risk",
    on=PAYMENT,
    features=_only_for(_RISK, _OF_THE_PAYMENT + _OF_THE_PAYER + _OF_THE_PAYEE + _OF_THE_PAIR + _COMPARED),
    owner="payments",
)
"""What is known of a payment before it is made, for whoever watches over fraud."""

PARTY_FLOWS: Final = FeatureSet(
    name="party_flows",
    on=PARTY,
    features=_only_for(_FLOWS, _IN_AND_OUT),
    owner="payments",
)
"""What went in and out of a party. But for fraud, it is told of whoever agreed to the purpose."""

FEATURES: Final = (PAYMENT_RISK, PARTY_FLOWS)
"""The sets of the payments business."""
