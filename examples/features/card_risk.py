"""What is known of a card payment before it is made, beyond the *Fraud Detection Handbook*'s own features.

The book's windows of customers and terminals, and how unusual the payment is for its own customer and at its
terminal. Labels enter seven days late, as the book has it: ``known_after`` of the field says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from examples.features.fraud_handbook import AMOUNT, CARD_PAYMENT, FRAUD, HANDBOOK, WINDOWS
from formicary.factory.features.aggregates import Aggregate, count, maximum, mean, share, std, time_since
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.expressions import Expression, hour, if_missing, value_of, weekday

LONG_WINDOWS = ("7d", "30d")
IS_FRAUD = CARD_PAYMENT["fraud"] == 1
RING_EVENTS = 512


def _one(name: str, value: Aggregate | Expression, unit: str, meaning: str) -> Feature:
    return Feature(name=name, value=value, unit=unit, meaning=meaning, purposes=FRAUD)


def _of_the_book(prefix: str) -> Iterator[Feature]:
    return (feature for feature in HANDBOOK.features if feature.name.startswith(prefix))


CARD_RISK = FeatureSet(
    name="card_risk",
    on=CARD_PAYMENT,
    owner="risk",
    ring_events=RING_EVENTS,
    key_bytes_max=1 << 17,
    features=(
        _one("amount", AMOUNT + 0, "cents", "The amount of the payment."),
        _one("hour", hour(), "hours", "The hour of the day at which it is made."),
        _one("weekday", weekday(), "days", "The day of the week, from Monday on."),
        *windowed(
            "customer_payments_{window}",
            WINDOWS,
            lambda over: count(CARD_PAYMENT, by="customer", over=over, exact=True),
            unit="payments",
            meaning="Payments that the customer made in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_mean_{window}",
            WINDOWS,
            lambda over: mean(AMOUNT, by="customer", over=over, exact=True),
            unit="cents",
            meaning="Mean amount of the customer's payments in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_std_{window}",
            LONG_WINDOWS,
            lambda over: std(AMOUNT, by="customer", over=over, exact=True),
            unit="cents",
            meaning="Standard deviation of the customer's amounts in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_max_{window}",
            LONG_WINDOWS,
            lambda over: maximum(AMOUNT, by="customer", over=over, exact=True),
            unit="cents",
            meaning="The customer's largest amount in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "times_customer_mean_{window}",
            WINDOWS,
            lambda over: AMOUNT / value_of(f"customer_mean_{over}"),
            unit="times",
            meaning="How many times the customer's mean amount of the last {window} it is.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_deviations_{window}",
            LONG_WINDOWS,
            lambda over: (AMOUNT - value_of(f"customer_mean_{over}")) / value_of(f"customer_std_{over}"),
            unit="deviations",
            meaning="How many of the customer's standard deviations of the last {window} it is off.",
            purposes=FRAUD,
        ),
        *windowed(
            "times_customer_max_{window}",
            LONG_WINDOWS,
            lambda over: AMOUNT / value_of(f"customer_max_{over}"),
            unit="times",
            meaning="How many times the customer's largest amount of the last {window} it is.",
            purposes=FRAUD,
        ),
        *windowed(
            "recent_to_usual_{window}",
            ("1d", "7d"),
            lambda over: value_of(f"customer_mean_{over}") / value_of("customer_mean_30d"),
            unit="times",
            meaning="The customer's mean amount of the last {window}, in those of the last 30 days.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_risk_{window}",
            LONG_WINDOWS,
            lambda over: share(
                CARD_PAYMENT, where=IS_FRAUD, by="customer", over=over, delay="7d", exact=True
            ),
            unit="share",
            meaning="Share of frauds among the customer's payments in the {window} that ended a week ago.",
            purposes=FRAUD,
        ),
        *_of_the_book("terminal_payments_"),
        *windowed(
            "terminal_frauds_{window}",
            WINDOWS,
            lambda over: count(
                CARD_PAYMENT, where=IS_FRAUD, by="terminal", over=over, delay="7d", exact=True
            ),
            unit="frauds",
            meaning="Frauds at the terminal in the {window} that ended a week ago.",
            purposes=FRAUD,
        ),
        *_of_the_book("terminal_risk_"),
        *windowed(
            "terminal_mean_{window}",
            LONG_WINDOWS,
            lambda over: mean(AMOUNT, by="terminal", over=over, exact=True),
            unit="cents",
            meaning="Mean amount of payments at the terminal in the last {window}.",
            purposes=FRAUD,
        ),
        _one(
            "times_terminal_mean",
            AMOUNT / value_of("terminal_mean_30d"),
            "times",
            "How many times the terminal's mean amount of the last 30 days it is.",
        ),
        _one(
            "met_before",
            count(CARD_PAYMENT, by=("customer", "terminal"), over="90d", resolution="1d"),
            "payments",
            "Payments of the customer at this terminal in the last 90 days.",
        ),
        _one(
            "since_last",
            if_missing(value_of("seconds_since_last"), 1e9),
            "seconds",
            "Time since the customer's payment before; a very long one where there was none.",
        ),
        _one(
            "seconds_since_last",
            time_since(CARD_PAYMENT, by="customer"),
            "seconds",
            "Time since the customer's payment before.",
        ),
    ),
)
