"""When instalments fall due, and which part of a year each period is."""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.base.civil import civil, months_later
from formicary.base.kernels import kernel
from formicary.products.lending.schedules._day_count_kernels import count_denominator, count_numerator
from formicary.products.lending.schedules._layout import LOAN, PERIOD, Table, columns

__all__ = ["resolve"]

RATE, COUNT, EVERY, UNIT, INTEREST, DAY_COUNT, MONTH_END, FREE = columns(
    LOAN, "rate", "instalments", "every", "unit", "interest", "day_count", "month_end", "interest_free"
)
START, FIRST_DAYS, DUE_DAY = columns(LOAN, "start", "first_period_days", "due_day")
DUE, GAIN, WHOLE, NUMERATOR, DENOMINATOR, SHARED = columns(
    PERIOD, "due", "gain", "whole", "numerator", "denominator", "shared"
)

_WEEKS: Final = 1
_MONTHS: Final = 2


@kernel
def _anchor(loans: Table, loan: int) -> tuple[int, int, int, int]:
    """Return the day that instalments are counted from, and its year, month and day of the month.

    The day of the month may be one that the month lacks.
    """
    anchor = loans[loan, START] + loans[loan, FIRST_DAYS]
    year, month, day = civil(anchor)
    due_day = loans[loan, DUE_DAY]
    if due_day == 0:
        return anchor, year, month, day
    if day == 1 and loans[loan, MONTH_END] == 1:
        before = anchor - 1
        before_year, before_month, length = civil(before)
        if due_day > length:
            # It was rolled out of the month before.
            return anchor, before_year, before_month, due_day
    return anchor, year, month, due_day


@kernel
def _due(loans: Table, loan: int, anchor: int, year: int, month: int, day: int, step: int) -> int:
    """Return the day that is ``step`` periods after the anchor, which is also given as a civil date."""
    ahead = step * loans[loan, EVERY]
    unit = loans[loan, UNIT]
    if unit == _MONTHS:
        due: int = months_later(year, month, day, ahead, loans[loan, MONTH_END])
    else:
        due = anchor + ahead * (7 if unit == _WEEKS else 1)
    return due


@kernel
def resolve(loans: Table, loan: int, periods: Table) -> None:
    """Write the periods of a loan: when each is due, and which part of a year it is."""
    start = loans[loan, START]
    day_count = loans[loan, DAY_COUNT]
    every = loans[loan, EVERY]
    unit = loans[loan, UNIT]
    by_period = loans[loan, INTEREST] == 1
    has_first = loans[loan, FIRST_DAYS] != 0
    anchor, year, month, day = _anchor(loans, loan)
    # A first period up to a date of its own may have any length.
    is_regular = not has_first or _due(loans, loan, anchor, year, month, day, -1) == start
    divisor = np.gcd(loans[loan, RATE], 1_000_000_000)
    rate = loans[loan, RATE] // divisor
    rate_whole = 1_000_000_000 // divisor
    opened = start
    for place in range(loans[loan, COUNT]):
        step = place if has_first else place + 1
        due = anchor if step == 0 else _due(loans, loan, anchor, year, month, day, step)
        denominator = count_denominator(day_count)
        shared = 0
        if is_regular and by_period and unit == _MONTHS:
            numerator, denominator, shared = every, 12, 1
        elif is_regular and by_period and unit == _WEEKS:
            numerator, denominator, shared = every, 52, 1
        elif is_regular and day_count == 0:
            numerator = every * (30 if unit == _MONTHS else (7 if unit == _WEEKS else 1))
            shared = 1
        else:
            numerator = count_numerator(day_count, opened, due)
            shared = 1 if day_count == 0 else 0
        is_regular = True
        periods[place, DUE] = due
        periods[place, NUMERATOR] = numerator
        periods[place, DENOMINATOR] = denominator
        periods[place, SHARED] = shared
        periods[place, GAIN] = rate * numerator if place >= loans[loan, FREE] else 0
        periods[place, WHOLE] = rate_whole * denominator
        opened = due
