"""The loans of a Czech bank, PKDD'99: what was asked for, what the account's history told, what came of it.

Six things have gone wrong with these data in public, and each is a rule here:

1. No transaction after the loan: its penalty interest and repayments are the outcome. Features come from
   a replay in order of time, in which a loan is told what stands before it.
2. No permanent orders: their table has no date, and all of these accounts have one that pays the loan.
   Nothing reads it. For the same reason nobody's right to dispose of an account is counted: its table has
   no date either.
3. No card that was issued after the loan, or on its day.
4. No transaction of the loan's day: the loan asks first.
5. Loans that are running (C, D) are not as old as those that ended (A, B), so figures of all are told, and
   of those that ended.
6. A district's ``?`` is missing.

Sex and age of the account's owner are columns of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks._account_events import imported, replayed
from examples.features.account_history import ACCOUNT_HISTORY, WINDOWS
from formicary.factory.features.compiler import compile_sets
from formicary.factory.models.spec import Column, ModelSpec

__all__ = [
    "AGGREGATES",
    "APPLICATION",
    "FOLDER",
    "HISTORY",
    "WITH_HISTORY",
    "Loans",
    "application_of",
    "labels_of",
    "read_aggregates",
    "read_loans",
]

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FOLDER: Final = "berka"
_NOW: Final = 1_767_225_600_000_000_000
_FIRST_WITH_HISTORY: Final = 970_101
_CENTS: Final = 100

# Of a district, all of 1995 or before: what was known of it in 1997.
_DISTRICT: Final = {"salary": "A11", "unemployment": "A12", "crimes": "A15"}

_APPLICATION: Final = ("amount", "months", "monthly_payment", "account_days", "has_card", *_DISTRICT)
_HISTORY: Final = (
    *(f"balance_least_for_payments_{window}" for window in WINDOWS),
    *(f"balance_mean_for_payments_{window}" for window in WINDOWS),
    *(f"balance_low_for_payments_{window}" for window in WINDOWS[1:]),
    "balance_for_payments",
    "balance_least_365d",
    "balance_spread_365d",
    "balance_varies",
    "overdrawn_365d",
    "penalties_365d",
    "came_in_for_payments_30d",
    "came_in_for_payments_91d",
    "came_in_for_payments_365d",
    "left_over_91d",
    "left_over_365d",
    "standing_for_payments",
    "cash_share",
    "by_transfer_365d",
    "arrivals_vary",
    "came_in_trend",
    "balance_trend",
)
# The same of what a third party made of all transactions, as far as it goes; per payment, by us.
_PER_PAYMENT: Final = {
    "balance_least_for_payments": "balance_min",
    "balance_least_for_payments_month": "balance_min_last_month",
    "balance_least_for_payments_3_months": "balance_min_last_3months",
    "balance_mean_for_payments_3_months": "balance_mean_last_3months",
    "balance_for_payments": "balance_latest",
    "household_for_payments": "current_monthly_payment_out_household",
    "standing_for_payments": "current_monthly_payment_amount_out",
}
_AGGREGATES: Final = (
    *_PER_PAYMENT,
    "balance_mean_per_loan_payment",
    "balance_mean_last_month_per_loan_payment",
    "balance_min",
    "balance_mean",
    "count_out_sanction_interest_neg_bal",
    "sum_monthly_payment_out_sanction_interest_neg_bal",
    "amount_last_mount_in_per_loan_payments",
    "amount_last_3months_in_per_loan_payments",
    "sum_monthly_payment_in_interest_credited",
    "sum_other_amount_in",
    "sum_other_amount_out",
    "growth_balance",
    "loan_amount",
    "loan_duration",
    "loan_payments",
    "day_before_loan",
    "avg_salary",
    "unemploy_rate",
    "number_crimes",
)
# More money never counts against anybody, and to have been overdrawn never for them.
_LESS_IS_WORSE: Final = (
    "balance_least",
    "balance_mean",
    "balance_low",
    "balance_min",
    "balance_for",
    "came_in_for",
    "left_over",
    "amount_last",
)
_MORE_IS_WORSE: Final = (
    "overdrawn",
    "penalties",
    "monthly_payment",
    "loan_payments",
    "count_out_sanction",
    "sum_monthly_payment_out_sanction",
)


def _direction(name: str) -> int:
    if name.startswith(_LESS_IS_WORSE):
        return -1
    return 1 if name.startswith(_MORE_IS_WORSE) else 0


def _spec(name: str, columns: Iterable[str], *, trials: int) -> ModelSpec:
    return ModelSpec(
        name=name,
        owner="benchmarks",
        predicts="The chance that the loan is not paid back as agreed.",
        columns=tuple(
            Column(name=one, reason=f"{one} counted against it.", monotone=_direction(one)) for one in columns
        ),
        trials=trials,
    )


APPLICATION: Final = _spec("berka_application", _APPLICATION, trials=4)
HISTORY: Final = _spec("berka_history", _HISTORY, trials=4)
"""What transactions tell alone, against what the loan costs a month."""
WITH_HISTORY: Final = _spec("berka_everything", (*_APPLICATION, *_HISTORY), trials=4)
AGGREGATES: Final = _spec("berka_aggregates", _AGGREGATES, trials=8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Loans:
    """Loans with all that may be known of them, in the order of their days.

    Attributes
    ----------
    columns
        By name, (n,).
    labels
        1 where a loan was not paid back as agreed, (n,).
    has_ended
        Which of them are no longer running, (n,).
    amounts
        What was lent, in minor units, (n,).
    """

    columns: Mapping[str, Reals]
    labels: Reals
    has_ended: Flags
    amounts: npt.NDArray[np.int64]


def labels_of(status: pl.Series) -> Reals:
    """Return 1 for loans that ended unpaid (B) or run in debt (D), (n,)."""
    return status.is_in(["B", "D"]).to_numpy().astype(np.float64)


def read_loans(data_sets: Path) -> Loans:
    """Return the 354 loans of 1997 and 1998, whose accounts' whole history before the loan is at hand."""
    found = imported(FOLDER, data_sets=data_sets, now=_NOW)
    told, rows = replayed(found, ACCOUNT_HISTORY, compile_sets([ACCOUNT_HISTORY]))
    # Rows of a file are counted from 1.
    every = application_of(data_sets / FOLDER)[rows - 1]
    kept = (every["date"] >= _FIRST_WITH_HISTORY).to_numpy()
    loans = every.filter(kept)
    applied = loans.select("amount", "months", "has_card", *_DISTRICT).cast(pl.Float64).fill_null(np.nan)
    return Loans(
        columns={name: values[kept] for name, values in told.items()}
        | {name: applied[name].to_numpy() for name in applied.columns},
        labels=labels_of(loans["status"]),
        has_ended=loans["status"].is_in(["A", "B"]).to_numpy(),
        amounts=loans["amount"].to_numpy() * _CENTS,
    )


def application_of(folder: Path) -> pl.DataFrame:
    """Return what the application for each loan says, in the order of the file of loans."""
    loans = pl.read_parquet(folder / "loan.parquet").rename({"duration": "months"})
    accounts = pl.read_parquet(folder / "account.parquet").select("account_id", "district_id")
    districts = pl.read_parquet(folder / "district.parquet").select(
        pl.col("A1").alias("district_id"),
        # Whatever is no number is missing, as the ``?`` of a district that is younger than its figures.
        *(pl.col(column).cast(pl.Float64, strict=False).alias(name) for name, column in _DISTRICT.items()),
    )
    return (
        loans.join(accounts, on="account_id", how="left", maintain_order="left")
        .join(districts, on="district_id", how="left", maintain_order="left")
        .join(_cards(folder), on="account_id", how="left", maintain_order="left")
        .with_columns(has_card=(pl.col("card_issued") < pl.col("date")).fill_null(value=False))
    )


def _cards(folder: Path) -> pl.DataFrame:
    """Return the day of each account's first card, written as the loans' days are."""
    cards = pl.read_parquet(folder / "card.parquet")
    accounts = pl.read_parquet(folder / "disp.parquet").select("disp_id", "account_id")
    issued = pl.col("issued").str.head(6).cast(pl.Int64)
    return cards.join(accounts, on="disp_id").group_by("account_id").agg(card_issued=issued.min())


def read_aggregates(data_sets: Path) -> tuple[dict[str, Reals], Reals, Flags, Flags]:
    """Return columns of all 682 loans by name, labels, which are of 1997 and 1998, and which have ended."""
    frame = pl.read_parquet(data_sets / FOLDER / "loan_preloan_aggregates_682.parquet").with_columns(
        **{name: pl.col(of) / pl.col("loan_payments") for name, of in _PER_PAYMENT.items()}
    )
    columns = {name: frame[name].to_numpy().astype(np.float64) for name in AGGREGATES.names}
    is_late, has_ended = frame["loan_date"] >= "1997", frame["loan_status"].is_in(["A", "B"])
    return columns, labels_of(frame["loan_status"]), is_late.to_numpy(), has_ended.to_numpy()
