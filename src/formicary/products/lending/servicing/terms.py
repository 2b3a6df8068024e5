"""The terms of a loan as the schedules know them, and what they come to before anybody accepts them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy.typing as npt

from formicary.products.lending.schedules import (
    DayCount,
    Disbursement,
    Fee,
    FeeOn,
    Method,
    Terms,
    Unit,
    effective_annual_rate,
    resolve,
    valued,
)
from formicary.products.lending.servicing.layout import LoanKind

__all__ = ["DAY", "Quote", "day_at", "quoted", "terms_of"]

DAY: Final = 86_400 * 10**9
"""Nanoseconds of a day."""

_LINE_MONTHS: Final = 12


class Quote(NamedTuple):
    """What a party is shown: each instalment, 0 of a line, and the effective annual rate in millionths."""

    instalment: int
    effective_rate: int


def day_at(time: int) -> int:
    """Return the day of a time in nanoseconds, in UTC, as days since 1970-01-01."""
    return time // DAY


def terms_of(record: npt.NDArray[Any]) -> Terms:
    """Return the terms of an offer or of a loan that was not drawn yet, shape ().

    A line is told of by its like: drawn whole at once and paid back in twelve equal parts, month by month,
    which is what Annex I of Directive 2008/48/EC assumes of credit without an end.

    Raises
    ------
    TermsMalformed
        They are negative or absurd, or contradict themselves.
    """
    is_line = record["kind"] == LoanKind.LINE
    fees = [
        Fee(name=on.name, on=on, amount=int(record[name]))
        for on, name in ((FeeOn.DISBURSEMENT, "draw_fee"), (FeeOn.INSTALMENT, "fee"))
        if record[name]
    ]
    level = Method.EQUAL_INSTALMENTS if record["is_level"] else Method.EQUAL_PRINCIPAL
    return Terms(
        rate=int(record["rate"]),
        instalments=_LINE_MONTHS if is_line else int(record["left"]),
        every=1 if is_line else int(record["every"]),
        unit=Unit.MONTHS if is_line else Unit(int(record["unit"])),
        method=Method.EQUAL_PRINCIPAL if is_line else level,
        day_count=DayCount(int(record["day_count"])),
        principal_grace=0 if is_line else int(record["grace"]),
        balloon=0 if is_line else int(record["balloon"]),
        fees=tuple(fees),
    )


def quoted(record: npt.NDArray[Any], *, amount: int, day: int) -> Quote:
    """Return what an offer, shape (), comes to for an amount that is drawn on a day.

    Raises
    ------
    TermsMalformed, DisbursementsMalformed
        No schedule comes of it.
    """
    told = valued(resolve(terms_of(record), [Disbursement(day, amount)]))
    # The first one that pays principal: those before it pay the interest of their periods.
    first = told.instalments[0 if record["kind"] == LoanKind.LINE else int(record["grace"])]
    rate = effective_annual_rate(told.flows())
    if record["kind"] == LoanKind.LINE:
        return Quote(0, rate)
    return Quote(first.principal + (first.interest if record["is_level"] else 0), rate)
