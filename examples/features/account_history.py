"""What an account's history tells of a loan on the day before it is granted.

Money that came in and went out, what was left, how often it was less than nothing, how regular it was, and
all of it against what the loan will cost a month. The codes and facts are those of
``examples/imports/berka.yaml``: a bank that imports its own history under these names has the same features.

Tiles are days. The asking event comes before every row of its own day, so a window of 30 days holds the 30
days before the loan's, and nothing of the day itself.
"""

from __future__ import annotations

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import (
    Aggregate,
    age,
    count,
    last,
    maximum,
    mean,
    minimum,
    share,
    std,
    time_since,
    total,
)
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.expressions import Expression, value_of
from formicary.factory.features.kinds import EventKind, Facts, Transfers, amount, number, party

CASH_IN, TRANSFER_IN, INTEREST, CASH_OUT, FEE, PENALTY_INTEREST, CARD_PAYMENT, TRANSFER_OUT = range(
    1001, 1009
)

LOAN = EventKind(
    "loan_granted",
    Facts("loan_granted"),
    account=party(),
    loan=number(),
    amount=number(),
    months=number(),
    monthly_payment=number(),
)
OPENED = EventKind("account_opened", Facts("account_opened"), account=party())
STATED = EventKind("balance_stated", Facts("balance_stated"), account=party(), balance=number())
CAME_IN = EventKind(
    "money_in",
    Transfers(codes=(CASH_IN, TRANSFER_IN, INTEREST)),
    account=party("credit_party"),
    amount=amount(),
    code=number(),
)
WENT_OUT = EventKind(
    "money_out",
    Transfers(codes=(CASH_OUT, FEE, PENALTY_INTEREST, CARD_PAYMENT, TRANSFER_OUT)),
    account=party("debit_party"),
    amount=amount(),
    code=number(),
)

WINDOWS = ("30d", "91d", "182d", "365d")
MONTHS = {"30d": 1.0, "91d": 3.0, "182d": 6.0, "365d": 12.0}
CREDIT = frozenset({Purpose.CREDIT})
BALANCE, MONTHLY = STATED["balance"], LOAN["monthly_payment"]
SECONDS_PER_DAY = 86_400
LOW = 1.645
"""So many standard deviations below the mean the lowest one in twenty begin, of what is normal."""

_EARNED = CAME_IN["code"] != INTEREST


def _one(name: str, value: Aggregate | Expression, unit: str, meaning: str) -> Feature:
    return Feature(name=name, value=value, unit=unit, meaning=meaning, purposes=CREDIT)


ACCOUNT_HISTORY = FeatureSet(
    name="account_history",
    on=LOAN,
    owner="credit risk",
    key_bytes_max=1 << 20,
    features=(
        _one("monthly_payment", MONTHLY + 0, "minor units", "What the loan costs a month."),
        _one(
            "account_days",
            value_of("account_seconds") / SECONDS_PER_DAY,
            "days",
            "How long the account has been open.",
        ),
        _one("account_seconds", age(OPENED, by="account"), "seconds", "Time since the account was opened."),
        _one("balance", last(BALANCE, by="account"), "minor units", "The balance after the last entry."),
        *windowed(
            "balance_least_{window}",
            WINDOWS,
            lambda over: minimum(BALANCE, by="account", over=over, resolution="1d"),
            unit="minor units",
            meaning="The least balance in the last {window}.",
            purposes=CREDIT,
        ),
        *windowed(
            "balance_mean_{window}",
            WINDOWS,
            lambda over: mean(BALANCE, by="account", over=over, resolution="1d"),
            unit="minor units",
            meaning="The mean of the balances after each entry of the last {window}.",
            purposes=CREDIT,
        ),
        _one(
            "balance_most_365d",
            maximum(BALANCE, by="account", over="365d", resolution="1d"),
            "minor units",
            "The highest balance in the last 365 days.",
        ),
        *windowed(
            "balance_spread_{window}",
            WINDOWS[1:],
            lambda over: std(BALANCE, by="account", over=over, resolution="1d"),
            unit="minor units",
            meaning="How much the balance varied in the last {window}, as a standard deviation.",
            purposes=CREDIT,
        ),
        _one(
            "balance_varies",
            value_of("balance_spread_365d") / value_of("balance_mean_365d"),
            "times",
            "How much the balance varied in the last 365 days, in its mean.",
        ),
        *windowed(
            "overdrawn_{window}",
            ("182d", "365d"),
            lambda over: share(STATED, where=BALANCE < 0, by="account", over=over, resolution="1d"),
            unit="share",
            meaning="Share of the entries of the last {window} after which the account was overdrawn.",
            purposes=CREDIT,
        ),
        _one(
            "penalties_365d",
            count(
                WENT_OUT,
                where=WENT_OUT["code"] == PENALTY_INTEREST,
                by="account",
                over="365d",
                resolution="1d",
            ),
            "times",
            "How often interest was charged for an overdrawn account in the last 365 days.",
        ),
        *windowed(
            "came_in_{window}",
            WINDOWS,
            lambda over: total(CAME_IN["amount"], by="account", over=over, resolution="1d"),
            unit="minor units",
            meaning="What came in within the last {window}.",
            purposes=CREDIT,
        ),
        *windowed(
            "went_out_{window}",
            WINDOWS,
            lambda over: total(WENT_OUT["amount"], by="account", over=over, resolution="1d"),
            unit="minor units",
            meaning="What went out within the last {window}.",
            purposes=CREDIT,
        ),
        _one(
            "entries_365d",
            count(STATED, by="account", over="365d", resolution="1d"),
            "entries",
            "Entries of the last 365 days.",
        ),
        _one(
            "arrivals_365d",
            count(CAME_IN, where=_EARNED, by="account", over="365d", resolution="1d"),
            "times",
            "How often money came in within the last 365 days, interest left out.",
        ),
        _one(
            "arrival_mean_365d",
            mean(
                CAME_IN["amount"],
                where=_EARNED,
                by="account",
                over="365d",
                resolution="1d",
            ),
            "minor units",
            "Mean of the amounts that came in within the last 365 days, interest left out.",
        ),
        _one(
            "arrival_spread_365d",
            std(
                CAME_IN["amount"],
                where=_EARNED,
                by="account",
                over="365d",
                resolution="1d",
            ),
            "minor units",
            "Standard deviation of the amounts that came in within the last 365 days, interest left out.",
        ),
        _one(
            "arrivals_vary",
            value_of("arrival_spread_365d") / value_of("arrival_mean_365d"),
            "times",
            "How much the amounts that come in vary, in their mean: near zero for a regular salary.",
        ),
        _one(
            "seconds_since_arrival",
            time_since(CAME_IN, where=_EARNED, by="account"),
            "seconds",
            "Time since money came in last, interest left out.",
        ),
        *windowed(
            "by_transfer_{window}",
            ("182d", "365d"),
            lambda over: share(
                CAME_IN, where=CAME_IN["code"] == TRANSFER_IN, by="account", over=over, resolution="1d"
            ),
            unit="share",
            meaning="Share of what came in within the last {window} that came by transfer, by number.",
            purposes=CREDIT,
        ),
        *windowed(
            "standing_out_{window}",
            ("91d", "365d"),
            lambda over: total(
                WENT_OUT["amount"],
                where=WENT_OUT["code"] == TRANSFER_OUT,
                by="account",
                over=over,
                resolution="1d",
            ),
            unit="minor units",
            meaning="What went out by transfer within the last {window}.",
            purposes=CREDIT,
        ),
        _one(
            "cash_out_365d",
            total(
                WENT_OUT["amount"],
                where=WENT_OUT["code"] == CASH_OUT,
                by="account",
                over="365d",
                resolution="1d",
            ),
            "minor units",
            "What was taken out in cash within the last 365 days.",
        ),
        *windowed(
            "left_over_{window}",
            WINDOWS,
            lambda over: (
                (value_of(f"came_in_{over}") - value_of(f"went_out_{over}")) / (MONTHLY * MONTHS[over])
            ),
            unit="payments",
            meaning="What was left of the money of the last {window}, in what the loan will cost meanwhile.",
            purposes=CREDIT,
        ),
        *windowed(
            "came_in_for_payments_{window}",
            WINDOWS,
            lambda over: value_of(f"came_in_{over}") / (MONTHLY * MONTHS[over]),
            unit="payments",
            meaning="What came in within the last {window}, in what the loan will cost meanwhile.",
            purposes=CREDIT,
        ),
        *windowed(
            "balance_least_for_payments_{window}",
            WINDOWS,
            lambda over: value_of(f"balance_least_{over}") / MONTHLY,
            unit="payments",
            meaning="The least balance of the last {window}, in monthly payments of the loan.",
            purposes=CREDIT,
        ),
        *windowed(
            "balance_mean_for_payments_{window}",
            WINDOWS,
            lambda over: value_of(f"balance_mean_{over}") / MONTHLY,
            unit="payments",
            meaning="The mean balance of the last {window}, in monthly payments of the loan.",
            purposes=CREDIT,
        ),
        *windowed(
            "balance_low_for_payments_{window}",
            WINDOWS[1:],
            lambda over: (
                (value_of(f"balance_mean_{over}") - LOW * value_of(f"balance_spread_{over}")) / MONTHLY
            ),
            unit="payments",
            meaning="What one in twenty balances of the last {window} is below, if normal, in payments.",
            purposes=CREDIT,
        ),
        _one(
            "balance_for_payments",
            value_of("balance") / MONTHLY,
            "payments",
            "The balance after the last entry, in monthly payments of the loan.",
        ),
        _one(
            "standing_for_payments",
            value_of("standing_out_91d") / (MONTHLY * MONTHS["91d"]),
            "payments",
            "What went out by transfer within the last 91 days, in what the loan will cost meanwhile.",
        ),
        _one(
            "came_in_trend",
            value_of("came_in_91d") * 2 / value_of("came_in_182d"),
            "times",
            "What came in within the last 91 days, in half of what came in within 182.",
        ),
        _one(
            "balance_trend",
            (value_of("balance_mean_91d") - value_of("balance_mean_365d")) / MONTHLY,
            "payments",
            "How much the mean balance of the last 91 days is above that of 365, in monthly payments.",
        ),
        _one(
            "cash_share",
            value_of("cash_out_365d") / value_of("went_out_365d"),
            "share",
            "Share of what went out within the last 365 days that was taken out in cash.",
        ),
    ),
)
