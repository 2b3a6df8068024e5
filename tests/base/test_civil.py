"""The civil calendar against ``datetime``."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.civil import (
    CIVIL_DAY_MIN,
    MalformedDate,
    civil,
    date_text,
    day_of,
    leap_days,
    month_days,
    months_later,
    parse_date,
)
from formicary.base.errors import ProgrammingError
from formicary.base.limits import CIVIL_DAY_MAX

EPOCH = date(1970, 1, 1)
DAYS = st.integers((date.min - EPOCH).days + 1, (date.max - EPOCH).days)
TOLD = st.integers(CIVIL_DAY_MIN, CIVIL_DAY_MAX)


@given(DAYS)
def test_days_are_dates(day: int) -> None:
    """Both ways, over all years that have four digits."""
    shown = EPOCH + timedelta(days=day)
    assert civil(day) == (shown.year, shown.month, shown.day)
    assert day_of(shown.year, shown.month, shown.day) == day


@given(TOLD)
def test_dates_are_written_and_read(day: int) -> None:
    """As ISO 8601 has them."""
    assert date_text(day) == (EPOCH + timedelta(days=day)).isoformat()
    assert parse_date(date_text(day)) == day


@pytest.mark.parametrize("text", ["", "2024-02-30", "24-02-01", "1899-12-31", "2400-01-01", "tomorrow"])
def test_malformed_dates_are_refused(text: str) -> None:
    """What is no date, or none that a contract has."""
    with pytest.raises(MalformedDate):
        parse_date(text)


def test_a_day_outside_of_the_calendar_is_a_bug() -> None:
    """Whoever writes one read it from somewhere else."""
    for day in (CIVIL_DAY_MIN - 1, CIVIL_DAY_MAX + 1):
        with pytest.raises(ProgrammingError):
            date_text(day)


@pytest.mark.parametrize("year", [1900, 1999, 2000, 2023, 2024, 2100])
def test_months_have_their_days(year: int) -> None:
    """Also the February of each kind of year."""
    for month in range(1, 13):
        assert month_days(year, month) == calendar.monthrange(year, month)[1]


@given(TOLD, st.integers(1, 31), st.integers(-600, 600), st.integers(0, 1))
def test_months_later(day: int, wanted: int, months: int, rolls: int) -> None:
    """The last day of a month that is too short, or the first of the next."""
    shown = EPOCH + timedelta(days=day)
    year, month = divmod(shown.year * 12 + shown.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    expected = date(year, month + 1, min(wanted, length))
    if wanted > length and rolls:
        expected += timedelta(days=1)
    assert months_later(shown.year, shown.month, wanted, months, rolls) == (expected - EPOCH).days


@given(TOLD, st.integers(0, 800))
def test_leap_days(day: int, days: int) -> None:
    """Counted one by one."""
    counted = sum(calendar.isleap((EPOCH + timedelta(days=one)).year) for one in range(day, day + days))
    assert leap_days(day + days) - leap_days(day) == counted
