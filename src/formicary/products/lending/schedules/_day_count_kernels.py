"""Day counts as whole numbers: how many parts of a year lie between two days, and how many a year has.

The numbers of the conventions are those of ``conventions.DayCount``.
"""

from __future__ import annotations

from typing import Final

from formicary.base.civil import civil, leap_days
from formicary.base.kernels import kernel

__all__ = ["count_denominator", "count_numerator"]

THIRTY_360: Final = 0
ACTUAL_360: Final = 1
ACTUAL_364: Final = 2
ACTUAL_365: Final = 3
ACTUAL_ACTUAL: Final = 4
ACTUAL_ACTUAL_31_DECEMBER: Final = 5


@kernel
def count_denominator(day_count: int) -> int:
    """Return the parts of a year: for actual/actual 365 times 366, so that both kinds of years divide it."""
    if day_count >= ACTUAL_ACTUAL:
        return 365 * 366
    if day_count == ACTUAL_364:
        return 364
    return 365 if day_count == ACTUAL_365 else 360


@kernel
def count_numerator(day_count: int, start: int, end: int) -> int:
    """Return the parts of a year from one day to a later one."""
    if day_count == THIRTY_360:
        first_year, first_month, first_day = civil(start)
        last_year, last_month, last_day = civil(end)
        first_day = min(first_day, 30)
        if first_day == 30:  # noqa: PLR2004, the rule's own
            last_day = min(last_day, 30)
        return 360 * (last_year - first_year) + 30 * (last_month - first_month) + last_day - first_day
    days = end - start
    if day_count < ACTUAL_ACTUAL:
        return days
    later = 1 if day_count == ACTUAL_ACTUAL_31_DECEMBER else 0
    in_leap_years = leap_days(end + later) - leap_days(start + later)
    return in_leap_years * 365 + (days - in_leap_years) * 366
