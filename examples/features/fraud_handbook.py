"""The features of the *Fraud Detection Handbook* (Le Borgne and others, 2022), chapter 3, as definitions.

Its customers' windows include the payment that asks, which is therefore added to what was known before; its
terminals' windows end seven days earlier, when frauds are known. The book computes them with
pandas' rolling windows, which are exact ones here.
"""

from __future__ import annotations

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import count, share, total
from formicary.factory.features.definitions import FeatureSet, windowed
from formicary.factory.features.expressions import value_of
from formicary.factory.features.kinds import EventKind, amount, identifier, number, party

CARD_PAYMENT = EventKind(
    "card_payment",
    customer=party(),
    terminal=identifier(),
    amount=amount(),
    fraud=number(known_after="7d"),
)
AMOUNT = CARD_PAYMENT["amount"]
WINDOWS = ("1d", "7d", "30d")
FRAUD = frozenset({Purpose.FRAUD})
CENTS_PER_EURO = 100


HANDBOOK = FeatureSet(
    name="handbook",
    on=CARD_PAYMENT,
    owner="risk",
    ring_events=256,
    features=(
        *windowed(
            "customer_before_{window}",
            WINDOWS,
            lambda over: count(CARD_PAYMENT, by="customer", over=over, exact=True),
            unit="payments",
            meaning="Payments that the customer made in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_spent_{window}",
            WINDOWS,
            lambda over: total(AMOUNT, by="customer", over=over, exact=True),
            unit="cents",
            meaning="What the customer paid in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_payments_{window}",
            WINDOWS,
            lambda over: value_of(f"customer_before_{over}") + 1,
            unit="payments",
            meaning="Payments that the customer made in the last {window}, with this one.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_mean_{window}",
            WINDOWS,
            lambda over: (
                (value_of(f"customer_spent_{over}") + AMOUNT)
                / value_of(f"customer_payments_{over}")
                / CENTS_PER_EURO
            ),
            unit="euros",
            meaning="Mean amount of the customer's payments in the last {window}, with this one.",
            purposes=FRAUD,
        ),
        *windowed(
            "terminal_payments_{window}",
            WINDOWS,
            lambda over: count(CARD_PAYMENT, by="terminal", over=over, delay="7d", exact=True),
            unit="payments",
            meaning="Payments at the terminal in the {window} that ended a week ago.",
            purposes=FRAUD,
        ),
        *windowed(
            "terminal_risk_{window}",
            WINDOWS,
            lambda over: share(
                CARD_PAYMENT,
                where=CARD_PAYMENT["fraud"] == 1,
                by="terminal",
                over=over,
                delay="7d",
                exact=True,
            ),
            unit="share",
            meaning="Share of frauds among payments at the terminal in the {window} that ended a week ago.",
            purposes=FRAUD,
        ),
    ),
)
