"""The effective annual rate: the one at which what is paid is worth what was lent.

Of amounts lent ``C`` and paid ``D``, at times ``t`` and ``s`` in years since the first, it is the ``X`` of
Annex I of Directive 2008/48/EC::

    sum(C[k] * (1 + X) ** -t[k]) = sum(D[l] * (1 + X) ** -s[l])

It is bracketed between neighbouring halves of a millionth by bisection. Powers are decimals of 50 digits;
the sign of the difference decides, so only a rate within 10**-30 of a half could go either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from enum import IntEnum
from typing import Final

from formicary.base.civil import civil, months_later
from formicary.products.lending.limits import EFFECTIVE_RATE_MAX
from formicary.products.lending.schedules.errors import EffectiveRateUnknown

__all__ = ["Intervals", "effective_annual_rate"]

_CONTEXT: Final = Context(prec=50)
_ONE: Final = Decimal(1)
_HALF_MILLIONTHS: Final = 2_000_000


class Intervals(IntEnum):
    """How times are measured; the directive's remark (c).

    Attributes
    ----------
    DAYS
        Days over 365.
    MONTHS
        Whole months, of which a year has twelve equal ones, and the days that are left over 365. A month
        from the 31st ends on the last day of a shorter one.
    """

    DAYS = 0
    MONTHS = 1


def effective_annual_rate(flows: Iterable[tuple[int, int]], *, intervals: Intervals = Intervals.DAYS) -> int:
    """Return the effective annual rate of flows, in millionths, rounded half up.

    Parameters
    ----------
    flows
        Days since 1970-01-01 and minor units, above zero where the borrower pays; as ``Valuation.flows``
        tells them.
    intervals
        How times are measured.

    Raises
    ------
    EffectiveRateUnknown
        No rate from 0 up to ``EFFECTIVE_RATE_MAX`` millionths does it.

    Examples
    --------
    The second example of Annex III of Directive 98/7/EC: ECU 1,000 less 50 of expenses on 1 January 1994,
    and 1,200 on 1 July 1995; there 16.9 %.

    >>> effective_annual_rate([(8766, -950_00), (9312, 1_200_00)])
    169033
    """
    told = _gathered(flows)
    times = _times([day for day, _ in told], intervals)
    amounts = [amount for _, amount in told]
    if not told or amounts[0] >= 0 or sum(amounts) < 0:
        message = "first something is lent, and at least as much is paid"
        raise EffectiveRateUnknown(message)
    if sum(amounts) == 0:
        return 0
    # In halves of millionths: odd ones are where a rounding changes.
    low, high = 0, 2
    while _worth(times, amounts, high) > 0:
        low, high = high, high * 4
        if low > 2 * EFFECTIVE_RATE_MAX:
            raise EffectiveRateUnknown
    while high - low > 1:
        middle = (low + high) // 2
        if _worth(times, amounts, middle) >= 0:
            low = middle
        else:
            high = middle
    return (low + 1) // 2


def _gathered(flows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the flows in order of days, those of one day together."""
    total: dict[int, int] = {}
    for day, amount in flows:
        total[day] = total.get(day, 0) + amount
    return [(day, amount) for day, amount in sorted(total.items()) if amount]


def _times(days: Sequence[int], intervals: Intervals) -> list[tuple[int, int]]:
    """Return whole months and days since the first of some days."""
    if intervals == Intervals.DAYS or not days:
        return [(0, day - days[0]) for day in days]
    first = days[0]
    year, month, of_month = civil(first)
    times = []
    for day in days:
        later_year, later_month, _ = civil(day)
        months = (later_year - year) * 12 + later_month - month
        if months_later(year, month, of_month, months, 0) > day:
            months -= 1
        times.append((months, day - months_later(year, month, of_month, months, 0)))
    return times


def _worth(times: Sequence[tuple[int, int]], amounts: Sequence[int], halves: int) -> Decimal:
    """Return what flows are worth at the first, at so many halves of a millionth a year."""
    growth = _CONTEXT.add(_ONE, _CONTEXT.divide(Decimal(halves), Decimal(_HALF_MILLIONTHS)))
    logarithm = _CONTEXT.minus(_CONTEXT.ln(growth))
    a_month = _CONTEXT.exp(_CONTEXT.divide(logarithm, Decimal(12)))
    a_day = _CONTEXT.exp(_CONTEXT.divide(logarithm, Decimal(365)))
    # From flow to flow: those of a schedule are as far from each other, so that few powers are computed.
    powers: dict[tuple[int, int], Decimal] = {}
    worth, factor = Decimal(0), _ONE
    before = (0, 0)
    for time, amount in zip(times, amounts, strict=True):
        step = (time[0] - before[0], time[1] - before[1])
        if step not in powers:
            months, days = _CONTEXT.power(a_month, step[0]), _CONTEXT.power(a_day, step[1])
            powers[step] = _CONTEXT.multiply(months, days)
        factor = _CONTEXT.multiply(factor, powers[step])
        worth = _CONTEXT.add(worth, _CONTEXT.multiply(factor, Decimal(amount)))
        before = time
    return worth
