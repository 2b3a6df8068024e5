"""Vintages, roll rates, curves and returns: tiny books by hand, larger ones by another program."""

from __future__ import annotations

import doctest
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from formicary.base.errors import ProgrammingError
from formicary.base.times import parse_time
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.portfolio import months
from formicary.products.lending.portfolio.default_curves import default_curves
from formicary.products.lending.portfolio.months import month_text, months_of
from formicary.products.lending.portfolio.returns import Days, returns
from formicary.products.lending.portfolio.roll_rates import CHARGED_OFF, REPAID, buckets_of, roll_rates
from formicary.products.lending.portfolio.vintages import NEVER, vintages

DAY = 86_400_000_000_000
NOW = parse_time("2024-04-15")


def at(*texts: str) -> list[int]:
    """Return times; a dash is never."""
    return [NEVER if text == "-" else parse_time(text) for text in texts]


def test_months_are_those_of_the_calendar() -> None:
    """The first and the last nanosecond of one, the leap day, and before 1970."""
    times = at("2024-02-29T23:59:59.999999Z", "2024-03-01", "1970-01-01", "1969-12-31T23:59:59Z")
    assert months_of(times).tolist() == [649, 650, 0, -1]
    assert [month_text(month) for month in (649, 0, -1)] == ["2024-02", "1970-01", "1969-12"]
    assert doctest.testmod(months).failed == 0


def test_vintages_by_hand() -> None:
    """January: one of three defaults at once, one in March; February is followed to the end of March."""
    told = vintages(
        made_at=at("2024-01-03", "2024-01-31", "2024-01-10", "2024-02-01", "2024-04-02"),
        defaulted_at=at("2024-01-20", "2024-03-31", "-", "2024-04-01", "-"),
        amounts=[100, 300, 200, 50, 70],
        now=NOW,
    )
    assert [tuple(row) for row in told.tolist()] == [
        (648, 0, 3, 600, 1, 100, 166_667),
        (648, 1, 3, 600, 1, 100, 166_667),
        (648, 2, 3, 600, 2, 400, 666_667),
        (649, 0, 1, 50, 0, 0, 0),
        (649, 1, 1, 50, 0, 0, 0),
    ]
    assert len(vintages(made_at=[], defaulted_at=[], amounts=[], now=NOW)) == 0


def drawn_book(seed: int, count: int) -> dict[str, Any]:
    """Return a book of loans of two years, a third of which default."""
    random = np.random.default_rng(seed)
    made = parse_time("2022-01-01") + random.integers(0, 800, count) * DAY
    failed = made + random.integers(0, 500, count) * DAY
    failed[(random.random(count) < 0.6) | (failed > NOW)] = NEVER
    return {"made_at": made, "defaulted_at": failed, "amounts": random.integers(0, 10**9, count)}


def test_vintages_are_those_of_polars() -> None:
    """Counted by its calendar, row by row of the triangle."""
    given = drawn_book(5, 600)
    told = vintages(**given, now=NOW)
    frame = pl.DataFrame(given).with_columns(
        made=pl.from_epoch("made_at", "ns"),
        failed=pl.when(pl.col("defaulted_at") != NEVER).then(pl.from_epoch("defaulted_at", "ns")),
    )
    month = {name: pl.col(name).dt.year() * 12 + pl.col(name).dt.month() for name in ("made", "failed")}
    frame = frame.select(
        cohort=month["made"] - 1970 * 12 - 1, age=month["failed"] - month["made"], amount="amounts"
    )
    assert len(told) == sum(651 - cohort for cohort in frame["cohort"].unique() if cohort < 651)
    for row in told:
        of_cohort = frame.filter(pl.col("cohort") == int(row["cohort"]))
        gone = of_cohort.filter(pl.col("age") <= int(row["age"]))
        assert (row["loans"], row["amount"]) == (len(of_cohort), of_cohort["amount"].sum())
        assert (row["defaulted"], row["defaulted_amount"]) == (len(gone), gone["amount"].sum())
        share = int(gone["amount"].sum()) / int(of_cohort["amount"].sum())
        assert abs(row["share"] - share * MILLION) <= 0.51


@pytest.mark.parametrize(
    ("made", "failed", "amounts", "message"),
    [
        (at("2024-01-01"), at("-"), [1, 2], "differ in length"),
        (at("2025-01-01"), at("-"), [1], "later than all"),
        (at("2024-01-02"), at("2025-01-01"), [1], "later than all"),
        (at("2024-01-02"), at("2024-01-01"), [1], "before its loan"),
    ],
)
def test_books_that_cannot_be_are_refused(
    made: list[int], failed: list[int], amounts: list[int], message: str
) -> None:
    """The future is not known, and nothing defaults before it is made."""
    with pytest.raises(ProgrammingError, match=message):
        vintages(made_at=made, defaulted_at=failed, amounts=amounts, now=NOW)


def test_rolls_by_hand() -> None:
    """A third of what was current rolls on, the rest is repaid; of late loans one is cured, one given up."""
    assert buckets_of([0, 1, 29, 30, 59, 60, 89, 90, REPAID, CHARGED_OFF]).tolist() == [
        *[0, 1, 1, 2, 2, 3, 3, 4, 5, 6]
    ]
    told = roll_rates(
        before=[0, 0, 45, 45, 120], after=[15, REPAID, 0, 75, CHARGED_OFF], owed=[100, 200, 300, 100, 7]
    )
    assert told.loans[0].tolist() == [0, 1, 0, 0, 0, 1, 0]
    assert told.amounts[2].tolist() == [300, 0, 0, 100, 0, 0, 0]
    assert told.shares.tolist() == [
        [0, 333_333, 0, 0, 0, 666_667, 0],
        [0] * 7,
        [750_000, 0, 0, 250_000, 0, 0, 0],
        [0] * 7,
        [0, 0, 0, 0, 0, 0, MILLION],
    ]


def test_rolls_are_those_of_polars() -> None:
    """Cut and counted by it."""
    random = np.random.default_rng(6)
    before = random.integers(0, 130, 3_000) * (random.random(3_000) < 0.7)
    after = random.integers(-2, 130, 3_000)
    owed = random.integers(0, 10**12, 3_000)
    told = roll_rates(before=before, after=after, owed=owed)
    cut = {
        name: pl.sum_horizontal((pl.col(name) >= first).cast(pl.Int64) for first in (1, 30, 60, 90))
        for name in ("before", "after")
    }
    frame = pl.DataFrame({"before": before, "after": after, "owed": owed}).with_columns(
        was=cut["before"],
        now=pl.when(pl.col("after") == -1)
        .then(5)
        .when(pl.col("after") == -2)
        .then(6)
        .otherwise(cut["after"]),
    )
    found = frame.group_by("was", "now").agg(pl.len(), pl.col("owed").sum())
    assert told.loans.sum() == 3_000
    for was, now, count, owed_sum in found.iter_rows():
        assert (told.loans[was, now], told.amounts[was, now]) == (count, owed_sum)
    assert (told.shares.sum(axis=1) == MILLION).all()
    assert np.abs(told.shares - told.amounts / told.amounts.sum(axis=1, keepdims=True) * MILLION).max() < 1


def test_rolls_from_nowhere_are_refused() -> None:
    """A loan that was gone does not come back, and there are no other days."""
    for before, after in ((REPAID, 0), (CHARGED_OFF, 0)):
        with pytest.raises(ProgrammingError, match="on the book the day before"):
            roll_rates(before=[before], after=[after], owed=[1])
    with pytest.raises(ProgrammingError, match="at least 0"):
        roll_rates(before=[0], after=[-3], owed=[1])
    with pytest.raises(ProgrammingError, match="has one row"):
        roll_rates(before=[0], after=[0], owed=[1, 2])
    assert roll_rates(before=[], after=[], owed=[]).loans.sum() == 0


def test_curves_know_who_is_young() -> None:
    """Half of the oldest cohort default within 30 days; of a young one nothing is said beyond its days."""
    old, young = at("2024-01-01")[0], at("2024-04-05")[0]
    told = default_curves(
        made_at=[old] * 4 + [young] * 2,
        defaulted_at=[old + 10 * DAY, old + 30 * DAY, NEVER, NEVER, young + 5 * DAY, NEVER],
        now=NOW,
        days=[10, 30, 90],
    )
    assert [(one.cohort, one.loans, one.defaults, one.watched_days) for one in told] == [
        ("2024-01", 4, 2, 105),
        ("2024-04", 2, 1, 10),
    ]
    assert [within.share for within in told[0].within] == [0.25, 0.5, 0.5]
    assert [within.share for within in told[1].within] == [0.5, None, None]


def test_curves_of_a_whole_cohort_are_its_counts() -> None:
    """Where everybody was watched for long enough, the estimate is the plain share."""
    given = drawn_book(8, 500)
    told = default_curves(made_at=given["made_at"], defaulted_at=given["defaulted_at"], now=NOW, days=[30])
    spans = np.where(given["defaulted_at"] == NEVER, 10**18, given["defaulted_at"] - given["made_at"])
    for curve in told:
        is_in = months_of(given["made_at"]) == months_of(parse_time(f"{curve.cohort}-01"))
        assert curve.loans == is_in.sum()
        if given["made_at"][is_in].max() + 30 * DAY <= NOW:
            assert curve.within[0].share == pytest.approx((spans[is_in] <= 30 * DAY).mean())
    assert datetime.fromtimestamp(NOW // 10**9, UTC).year == 2024


DAYS = Days(
    balance=np.array([1_000_000, 3_000_000]),
    own_funds=np.array([200_000, 200_000]),
    interest=np.array([500, 1_500]),
    fees=np.array([0, 100]),
    funding=np.array([100, 300]),
    operating=np.array([50, 50]),
    allowances=np.array([700, -200]),
    written_off=np.array([0, 400]),
    recovered=np.array([30, 0]),
)


def test_returns_by_hand() -> None:
    """Of two days: 2,100 earned on 2,000,000 on average is 19.16 % a year."""
    told = returns(DAYS)
    assert told.days == 2
    assert told.yield_ == 191_625
    assert told.cost_of_risk == round(500 * 365 * MILLION / 4_000_000) == 45_625
    assert told.write_offs == round(370 * 365 * MILLION / 4_000_000)
    assert told.return_on_capital == round(1_100 * 365 * MILLION / 400_000)


def test_returns_of_nothing_are_not_told() -> None:
    """Where nothing was owed, or no own funds were there, there is no rate."""
    told = returns(replace(DAYS, balance=np.zeros(2, np.int64), own_funds=np.array([5, -5])))
    assert (told.yield_, told.cost_of_risk, told.write_offs, told.return_on_capital) == (None,) * 4


@pytest.mark.parametrize("wrong", [np.array([1]), np.array([0.5, 0.5])], ids=["short", "reals"])
def test_days_that_do_not_belong_together_are_refused(wrong: Any) -> None:
    """Whole numbers, one of each day."""
    with pytest.raises(ProgrammingError, match="whole numbers of one length"):
        returns(replace(DAYS, fees=wrong))


def test_sums_pass_a_word() -> None:
    """Balances of years are added up without wrapping around."""
    large = {name: np.full(40, 2**62 // 20) for name in vars(DAYS)}
    assert returns(Days(**large)).yield_ == 2 * 365 * MILLION
