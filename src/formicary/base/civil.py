"""The civil calendar over days as integers: day 0 is 1 January 1970, in the Gregorian calendar throughout.

A date has no time zone here: it is what a contract says. The arithmetic is Howard Hinnant's
*chrono-compatible low-level date algorithms*: years begin in March, so that the leap day is their last.
Every function is a kernel, for Python to call and for other kernels.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from formicary.base.errors import ProgrammingError, Refusal
from formicary.base.kernels import kernel
from formicary.base.limits import CIVIL_DAY_MAX, CIVIL_DAYS_BACK_MAX

__all__ = [
    "CIVIL_DAY_MIN",
    "MalformedDate",
    "civil",
    "date_text",
    "day_of",
    "leap_days",
    "month_days",
    "months_later",
    "parse_date",
]

CIVIL_DAY_MIN: Final = -CIVIL_DAYS_BACK_MAX
"""The first day that is read or written."""

_EPOCH: Final = date(1970, 1, 1).toordinal()


class MalformedDate(Refusal):
    """A date is written as 2024-02-29, and lies between 1900-01-01 and 2399-12-31."""

    code = "malformed_date"


def parse_date(text: str) -> int:
    """Read a date as days since 1970-01-01.

    Examples
    --------
    >>> parse_date("2024-02-29")
    19782
    """
    try:
        day = date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError as error:
        raise MalformedDate from error
    if not CIVIL_DAY_MIN <= day <= CIVIL_DAY_MAX:
        raise MalformedDate
    return day


def date_text(day: int) -> str:
    """Write a day as its date: 19782 is ``2024-02-29``."""
    if not CIVIL_DAY_MIN <= day <= CIVIL_DAY_MAX:
        message = f"day {day} is outside of the calendar"
        raise ProgrammingError(message)
    return date.fromordinal(day + _EPOCH).isoformat()


@kernel
def day_of(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01 of a date that there is."""
    march_year = year - (month <= 2)  # noqa: PLR2004, February is the last month of a year here
    era = march_year // 400
    of_era = march_year - era * 400
    month_index = month - 3 if month > 2 else month + 9  # noqa: PLR2004, the same
    day_of_year = (153 * month_index + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719_468


@kernel
def civil(day: int) -> tuple[int, int, int]:
    """Return year, month (1 to 12) and day of the month (1 to 31)."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_index = (5 * of_year + 2) // 153
    month = month_index + 3 if month_index < 10 else month_index - 9  # noqa: PLR2004, months from March on
    year = year_of_era + era * 400 + (month <= 2)  # noqa: PLR2004, January and February are the next year's
    return year, month, of_year - (153 * month_index + 2) // 5 + 1


@kernel
def month_days(year: int, month: int) -> int:
    """Return how many days a month has."""
    if month == 2:  # noqa: PLR2004, February
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    # 31, but for April, June, September and November.
    return 30 + ((month + (month >> 3)) & 1)


@kernel
def months_later(year: int, month: int, day: int, months: int, rolls: int) -> int:
    """Return the day that is so many months after a month's day, which may be one that the month lacks.

    Where the month is too short, the day is its last one, or, where ``rolls`` is 1, the first of the next.
    """
    since = year * 12 + month - 1 + months
    year = since // 12
    month = since - year * 12 + 1
    length = month_days(year, month)
    if day <= length:
        return day_of(year, month, day)
    return day_of(year, month, length) + rolls


@kernel
def leap_days(day: int) -> int:
    """Return how many days before this one belong to leap years, from the year 1 on.

    The difference of two is how many days of leap years lie between them.
    """
    year = civil(day)[0]
    before = year - 1
    total = (before // 4 - before // 100 + before // 400) * 366
    if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        total += day - day_of(year, 1, 1)
    return total
