"""The words of a loan's terms: each is a number in the kernels, and one word for a person."""

from __future__ import annotations

from enum import IntEnum
from fractions import Fraction

from formicary.products.lending.schedules._day_count_kernels import count_denominator, count_numerator
from formicary.products.lending.schedules.errors import DisbursementsMalformed

__all__ = [
    "DayCount",
    "FeeOn",
    "InterestBy",
    "Method",
    "MonthEnd",
    "Rounding",
    "Unit",
    "day_count_fraction",
]


class Unit(IntEnum):
    """What instalments are counted in."""

    DAYS = 0
    WEEKS = 1
    MONTHS = 2


class Method(IntEnum):
    """How the principal is paid back.

    ``FLAT`` is equal instalments whose interest is always that of all that was disbursed; the others pay
    interest on what is still owed. ``BULLET`` pays the principal with the last instalment.
    """

    EQUAL_INSTALMENTS = 0
    EQUAL_PRINCIPAL = 1
    FLAT = 2
    BULLET = 3


class InterestBy(IntEnum):
    """Whether a whole period's interest goes by its days, or is the same for each period."""

    DAYS = 0
    PERIOD = 1


class DayCount(IntEnum):
    """Which part of a year lies between two dates; section 4.16 of the 2006 ISDA Definitions, but for two.

    Attributes
    ----------
    THIRTY_360
        30/360, section 4.16(f).
    ACTUAL_360
        Actual/360, section 4.16(e).
    ACTUAL_364
        Days over 364, the 52 weeks of a year: not of ISDA.
    ACTUAL_365
        Actual/365 (Fixed), section 4.16(d).
    ACTUAL_ACTUAL
        Actual/Actual, ISDA, section 4.16(b): days of leap years over 366, the others over 365; a day belongs
        to the year in which it begins, so that a period is split at 1 January.
    ACTUAL_ACTUAL_31_DECEMBER
        The same, split at 31 December: a day belongs to the year in which it ends. Apache Fineract's.
    """

    THIRTY_360 = 0
    ACTUAL_360 = 1
    ACTUAL_364 = 2
    ACTUAL_365 = 3
    ACTUAL_ACTUAL = 4
    ACTUAL_ACTUAL_31_DECEMBER = 5


class MonthEnd(IntEnum):
    """Where an instalment falls due in a month that lacks its day: the last day, or the first of the next."""

    CLAMP = 0
    ROLL = 1


class Rounding(IntEnum):
    """Where a half of a minor unit goes: to the even neighbour, or up."""

    HALF_EVEN = 0
    HALF_UP = 1


class FeeOn(IntEnum):
    """What a fee is asked for with."""

    DISBURSEMENT = 0
    INSTALMENT = 1


def day_count_fraction(day_count: DayCount, start: int, end: int) -> Fraction:
    """Return the part of a year from one day to a later one, exactly.

    Parameters
    ----------
    day_count
        The convention.
    start, end
        Days since 1970-01-01.

    Raises
    ------
    DisbursementsMalformed
        The end is before the start.

    Examples
    --------
    >>> from formicary.base.civil import parse_date
    >>> day_count_fraction(DayCount.ACTUAL_ACTUAL, parse_date("2003-11-01"), parse_date("2004-05-01"))
    Fraction(66491, 133590)
    """
    if end < start:
        message = "a period ends before it begins"
        raise DisbursementsMalformed(message)
    return Fraction(count_numerator(int(day_count), start, end), count_denominator(int(day_count)))
