"""The valuation of a schedule: what is due on each day, in whole minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formicary.products.lending.schedules._layout import PERIOD, table_of
from formicary.products.lending.schedules._schedule_kernels import accrued
from formicary.products.lending.schedules.batch import valued_rows
from formicary.products.lending.schedules.conventions import Method
from formicary.products.lending.schedules.schedule import Schedule

__all__ = ["Row", "Settlement", "Valuation", "settlement", "valued"]


@dataclass(frozen=True)
class Row:
    """What is due on a day, in minor units.

    Attributes
    ----------
    due
        The day, in days since 1970-01-01.
    number
        Which instalment, from 1; 0 for a disbursement or an early payment.
    disbursed
        What is paid out.
    principal
        What is paid back of it: in a disbursement's row the down payment.
    interest
        What is paid for it.
    fees
        What the terms declare besides.
    balance
        What is owed of the principal after that.
    deferred
        Interest that is owed by then and due with a later instalment.
    """

    due: int
    number: int
    disbursed: int
    principal: int
    interest: int
    fees: int
    balance: int
    deferred: int

    @property
    def payment(self) -> int:
        """What the borrower pays, principal, interest and fees."""
        return self.principal + self.interest + self.fees


@dataclass(frozen=True)
class Valuation:
    """A schedule and its rows, in the order in which they fall due."""

    schedule: Schedule
    rows: tuple[Row, ...]

    @property
    def instalments(self) -> tuple[Row, ...]:
        """The rows of instalments."""
        return tuple(row for row in self.rows if row.number)

    @property
    def interest(self) -> int:
        """All interest, in minor units."""
        return sum(row.interest for row in self.rows)

    @property
    def fees(self) -> int:
        """All fees, in minor units."""
        return sum(row.fees for row in self.rows)

    def balance_on(self, day: int) -> int:
        """Return what is owed of the principal at the end of a day, if all that was due was paid."""
        return next((row.balance for row in reversed(self.rows) if row.due <= day), 0)

    def flows(self) -> list[tuple[int, int]]:
        """Return what moves on which day: minor units, above zero where the borrower pays."""
        return [(row.due, row.payment - row.disbursed) for row in self.rows]


def valued(schedule: Schedule) -> Valuation:
    """Return what is due on each day of a schedule."""
    movements = schedule.movement_records()
    rows = valued_rows(schedule.loans, movements, np.array([0, len(movements)], np.int64)).of(0)
    return Valuation(schedule, rows_of(rows.tolist()))


@dataclass(frozen=True)
class Settlement:
    """What pays a loan off on a day, beside what has fallen due by then, in minor units."""

    principal: int
    interest: int

    @property
    def amount(self) -> int:
        """Both together."""
        return self.principal + self.interest


def settlement(valuation: Valuation, day: int) -> Settlement:
    """Return what is owed on a day, with the interest of the days until then, if all dues were paid.

    Interest of a flat loan, too, is that of the days until then. Fees of instalments that do not come are
    not asked for. Before the first disbursement, and after the last instalment, nothing is owed.
    """
    principal = valuation.balance_on(day)
    schedule = valuation.schedule
    dues = schedule.period_table.view(PERIOD)["due"][:, 0]
    place = int(np.searchsorted(dues, day, side="right"))
    if day < schedule.start or place == len(dues):
        return Settlement(principal, 0)
    told = [row for row in valuation.rows if row.due <= day]
    deferred = told[-1].deferred if told else schedule.carried
    interest = accrued(
        table_of(schedule.loans),
        table_of(schedule.movement_records()),
        schedule.period_table,
        place,
        _opening(valuation, place),
        day,
    )
    return Settlement(principal, deferred + interest)


def _opening(valuation: Valuation, place: int) -> int:
    """Return what bears interest when a period begins, before anything moves on that day."""
    rows = valuation.rows
    before = next((index + 1 for index, row in enumerate(rows) if row.number == place), 0) if place else 0
    if valuation.schedule.terms.method == Method.FLAT:
        return sum(row.disbursed - row.principal for row in rows[:before] if row.disbursed)
    return rows[before - 1].balance if before else 0


def rows_of(records: Sequence[Sequence[int]]) -> tuple[Row, ...]:
    """Return rows of their fields in order."""
    return tuple(Row(*record) for record in records)
