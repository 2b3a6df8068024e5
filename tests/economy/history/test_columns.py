"""Keys, exact numbers and times of columns, whatever their type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.economy.history.columns import half_even, key_text, scaled, times
from formicary.economy.history.durations import parse_duration
from formicary.economy.history.mapping import At

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@given(st.lists(st.integers(-(10**14), 10**14)), st.integers(0, 4))
def test_numbers_are_exact_from_every_type(numbers: list[int], decimals: int) -> None:
    """Minor units written as text, as decimals or as binary fractions are read as the same integers."""
    with localcontext() as context:
        context.prec = 40
        texts = [f"{Decimal(one).scaleb(-decimals):f}" for one in numbers]
    for column in (
        pl.Series(texts, dtype=pl.String),
        pl.Series(texts, dtype=pl.String)
        .cast(pl.Decimal(38, 6))
        .cast(pl.String)
        .str.strip_chars_end("0")
        .str.strip_chars_end("."),
        pl.Series([float(text) for text in texts], dtype=pl.Float64),
    ):
        read = scaled(column, decimals)
        assert read.values.to_list() == numbers
        assert not any(mask.any() for mask in read[1:])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.125, 1e16])
def test_a_binary_fraction_that_is_no_amount(value: float) -> None:
    """It is null, and exactly one mask says why."""
    read = scaled(pl.Series([value]), 2)
    assert read.values.to_list() == [None]
    assert [mask.to_list() for mask in read[1:]].count([True]) == 1


def test_integers_are_whole_units() -> None:
    """Within 64 bits, signed or not."""
    assert scaled(pl.Series([5, -7, None]), 2).values.to_list() == [500, -700, None]
    read = scaled(pl.Series([2**63, 2**62, 1], dtype=pl.UInt64), 1)
    assert (read.values.to_list(), read.too_large.to_list()) == ([None, None, 10], [True, True, False])


@given(st.lists(st.integers(-(10**15), 10**15)), st.integers(0, 4))
def test_half_even(values: list[int], digits: int) -> None:
    """As fractions round."""
    found = half_even(pl.Series(values, dtype=pl.Int64), digits).to_list()
    assert found == [round(Fraction(value, 10**digits)) for value in values]


def test_keys() -> None:
    """A whole number reads the same from every type; a part that is missing makes the key missing."""
    frame = pl.DataFrame({"a": [1.0, 2.5, None], "b": ["1", "", "x"], "c": [1, 2, 3]})
    assert key_text(frame, ["a"]).to_list() == ["1", "2.5", None]
    assert key_text(frame, ["b"]).to_list() == ["1", None, "x"]
    assert key_text(frame, ["c", "a"]).to_list() == ["1\x1f1", "2\x1f2.5", None]


@pytest.mark.parametrize(
    ("value", "at", "expected"),
    [
        ("2020-01-02T03:04:05Z", At(column="x"), datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02T03:04:05+02:00", At(column="x"), datetime(2020, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2020-01-02T03:04:05.25", At(column="x"), datetime(2020, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)),
        ("2020-01-02 03:04:05", At(column="x"), datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2020-01-02", At(column="x"), datetime(2020, 1, 2, tzinfo=UTC)),
        (date(2020, 1, 2), At(column="x"), datetime(2020, 1, 2, tzinfo=UTC)),
        (datetime(2020, 1, 2, 3, tzinfo=UTC), At(column="x"), datetime(2020, 1, 2, 3, tzinfo=UTC)),
        (930_704, At(column="x", format="%y%m%d"), datetime(1993, 7, 4, tzinfo=UTC)),
        (704, At(column="x", format="%y%m%d"), datetime(2000, 7, 4, tzinfo=UTC)),
        (
            "04.07.2020 12:30",
            At(column="x", format="%d.%m.%Y %H:%M"),
            datetime(2020, 7, 4, 12, 30, tzinfo=UTC),
        ),
        (86_400, At(column="x", step="1s"), datetime(1970, 1, 2, tzinfo=UTC)),
        ("86400", At(column="x", step="1s"), datetime(1970, 1, 2, tzinfo=UTC)),
        (1.5, At(column="x", start="2020-01-01", step="1d"), datetime(2020, 1, 2, 12, tzinfo=UTC)),
        (3, At(column="x", start="2020-01-01T06:00:00Z", step="1d"), datetime(2020, 1, 4, 6, tzinfo=UTC)),
        (None, At(start="2020-01-01"), datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_times(value: object, at: At, expected: datetime) -> None:
    """As text, as dates of any form, counted in steps, or one for all rows."""
    column = pl.Series([value]) if at.column else None
    assert times(column, at, 1).to_list() == [
        int(expected.timestamp()) * SECOND + expected.microsecond * 1_000
    ]


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("soon", At(column="x")),
        ("2 Jan 2020", At(column="x")),
        ("soon", At(column="x", step="1s")),
        (17, At(column="x")),
        (datetime(2020, 1, 1, tzinfo=UTC).time(), At(column="x")),
        (float("nan"), At(column="x", step="1d")),
    ],
)
def test_what_is_no_time(value: object, at: At) -> None:
    """It is null; a bare number without a step is not guessed to be seconds."""
    assert times(pl.Series([value]), at, 1).to_list() == [None]


def test_far_times_stay_far() -> None:
    """What 64 bits cannot hold is neither now nor an error."""
    steps = times(pl.Series([2**62, -(2**62), 1]), At(column="x", step="1d"), 3).to_list()
    assert steps == [2**62, -(2**62), DAY]
    [far, old] = times(pl.Series(["9999-12-31", "0001-01-01"]), At(column="x"), 2).to_list()
    assert far > 2**62
    assert old < -(2**62)
    exact = pl.Series([1_600_000_000_123_456_789])
    assert times(exact, At(column="x", step="1ns"), 1).to_list() == exact.to_list()
    assert times(exact.cast(pl.Datetime("ns")), At(column="x"), 1).to_list() == exact.to_list()


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("7d", 7 * DAY), ("1ns", 1), ("12 h", DAY // 2), ("2w", 14 * DAY), ("90s", 90 * SECOND)]
    + [(text, None) for text in ("", "7", "d", "-1d", "1.5d", "0d", "1y", "999999999w", "1d2h")],
)
def test_durations(text: str, nanoseconds: int | None) -> None:
    """A count and a unit; months and years are no durations."""
    assert parse_duration(text) == nanoseconds
