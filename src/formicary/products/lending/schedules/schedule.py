"""A resolved schedule: terms with the dates and amounts of one loan, and its periods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Final

import numpy as np

from formicary.products.lending.limits import SCHEDULE_DAYS_MAX
from formicary.products.lending.schedules._layout import MOVEMENT, PERIOD, Table, table_of
from formicary.products.lending.schedules._period_kernels import resolve as resolve_periods
from formicary.products.lending.schedules.dates import Records, findings_of_dates
from formicary.products.lending.schedules.errors import DisbursementsMalformed
from formicary.products.lending.schedules.terms import Terms

__all__ = ["Disbursement", "Movement", "Period", "Schedule", "resolve"]

_NUMBER_MAX: Final = 2**48
# Far above every limit, and far below where columns would wrap around.


@dataclass(frozen=True)
class Disbursement:
    """What is paid out: on which day, in days since 1970-01-01, and how many minor units."""

    day: int
    amount: int


@dataclass(frozen=True)
class Movement:
    """What changes the principal: disbursed, or, below zero, paid early.

    Where it ``keeps`` the instalment, the term changes; otherwise the instalment is computed anew.
    """

    day: int
    amount: int
    keeps: bool = False


@dataclass(frozen=True)
class Period:
    """One period.

    Attributes
    ----------
    start, due
        Days since 1970-01-01; the period has the days from ``start`` up to, and without, ``due``.
    fraction
        The part of a year by which it bears interest, also where it is free of it.
    shares_days
        Whether a part of the period bears the share of its actual days, or what its own dates come to.
    """

    start: int
    due: int
    fraction: Fraction
    shares_days: bool

    @property
    def days(self) -> int:
        """How many days it has."""
        return self.due - self.start


@dataclass(frozen=True)
class Schedule:
    """Terms with dates and amounts: everything that a valuation follows from.

    Attributes
    ----------
    terms
        What was agreed.
    movements
        What changes the principal, in order of days.
    start
        From when periods are counted.
    first_period_days
        How long the first one is, where that is its own; else 0.
    due_day
        The day of the month on which instalments fall due, 0 for that of the first.
    carried
        Interest in minor units that is owed from before the start.
    """

    terms: Terms
    movements: tuple[Movement, ...]
    start: int
    first_period_days: int = 0
    due_day: int = 0
    carried: int = 0

    @cached_property
    def loans(self) -> Records:
        """The loan as a batch of one (1,)."""
        loans = self.terms.record()
        for name in ("start", "first_period_days", "due_day", "carried"):
            loans[name] = getattr(self, name)
        return loans

    @cached_property
    def period_table(self) -> Table:
        """Its periods as kernels write them, (n, fields)."""
        periods = np.zeros((self.terms.instalments, len(PERIOD.names or ())), np.int64)
        resolve_periods(table_of(self.loans), 0, periods)
        return periods

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """Its periods, in order."""
        table = self.period_table.view(PERIOD)[:, 0]
        starts = [self.start, *table["due"].tolist()]
        return tuple(
            Period(
                start,
                int(row["due"]),
                Fraction(int(row["numerator"]), int(row["denominator"])),
                bool(row["shared"]),
            )
            for start, row in zip(starts, table, strict=False)
        )

    def movement_records(self) -> Records:
        """Return what changes the principal as kernels take it, (n,)."""
        return np.array([(one.day, one.amount, one.keeps) for one in self.movements], MOVEMENT)

    def moved(self, movement: Movement) -> Schedule:
        """Return the schedule with one more movement, not before those it has on that day."""
        movements = sorted((*self.movements, movement), key=lambda one: one.day)
        return replace(self, movements=tuple(movements))


def resolve(
    terms: Terms,
    disbursements: Sequence[Disbursement],
    *,
    start: int | None = None,
    first_due: int | None = None,
    due_day: int | None = None,
    carried: int = 0,
) -> Schedule:
    """Return the schedule of terms with the dates and amounts of a loan.

    Parameters
    ----------
    terms
        What was agreed.
    disbursements
        What is paid out, in order of days.
    start
        From when periods are counted, unless from the first disbursement.
    first_due
        When the first instalment falls due, unless a whole period after the start.
    due_day
        The day of the month of the later ones, 1 to 31, unless that of the first: so that one that is due on
        28 February can be followed by one on 31 March.
    carried
        Interest that is owed from before and due with the first instalment, minor units.

    Raises
    ------
    DisbursementsMalformed
        No disbursement, one of nothing or of too much, one before the start or not before the last
        instalment; a first instalment that is not after the start; more than a hundred years; amounts too
        small for the balloon or for the multiple that instalments are rounded to.
    """
    begins = start if start is not None else min((one.day for one in disbursements), default=0)
    first_days = 0 if first_due is None else first_due - begins
    numbers = [begins, first_days, due_day or 0, carried]
    numbers += [number for one in disbursements for number in (one.day, one.amount)]
    if not disbursements or max(map(abs, numbers)) > _NUMBER_MAX:
        message = "a loan is paid out, on days and in amounts that there are"
        raise DisbursementsMalformed(message)
    movements = tuple(Movement(one.day, one.amount) for one in disbursements)
    schedule = Schedule(terms, movements, begins, first_days, due_day or 0, carried)
    if wrong := [*_findings(schedule, first_due, due_day)] or [*_late_findings(schedule)]:
        raise DisbursementsMalformed("; ".join(wrong))
    return schedule


def _findings(schedule: Schedule, first_due: int | None, due_day: int | None) -> Iterator[str]:
    if (first_due is not None and schedule.first_period_days == 0) or due_day == 0:
        yield "the first instalment falls due after the start, and a day of the month is 1 to 31"
    records = schedule.movement_records()
    for is_wrong, why in findings_of_dates(schedule.loans, records, np.array([0, len(records)])):
        if is_wrong[0]:
            yield why


def _late_findings(schedule: Schedule) -> Iterator[str]:
    # Only dates that are not absurd are counted out.
    last = int(schedule.period_table.view(PERIOD)["due"][-1, 0])
    if last - schedule.start > SCHEDULE_DAYS_MAX:
        yield f"a loan lasts {SCHEDULE_DAYS_MAX:,} days at most"
    if any(one.day >= last for one in schedule.movements):
        yield "everything is paid out before the last instalment is due"
