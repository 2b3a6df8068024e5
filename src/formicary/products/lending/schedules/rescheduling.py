"""New terms for what is left of a loan."""

from __future__ import annotations

from dataclasses import replace

from formicary.products.lending.schedules.conventions import FeeOn
from formicary.products.lending.schedules.errors import RescheduleRefused
from formicary.products.lending.schedules.repayments import Repaid
from formicary.products.lending.schedules.schedule import Disbursement, resolve
from formicary.products.lending.schedules.terms import Terms
from formicary.products.lending.schedules.valuation import Row, Valuation, settlement, valued

__all__ = ["rescheduled"]


def rescheduled(
    paid: Repaid, day: int, terms: Terms, *, first_due: int | None = None, due_day: int | None = None
) -> Valuation:
    """Return a loan whose rest is paid back under new terms from a day on.

    What was paid stays as it was paid. The principal that is not paid back yet, overdue or not, is the
    principal of the new terms, from this day on. Interest that is owed by then, overdue or of the days since
    the last instalment, is due with the first new instalment and bears none itself.

    Parameters
    ----------
    paid
        The loan and what was paid of it, all until this day.
    day
        From when the new terms hold, days since 1970-01-01.
    terms
        The new terms; ``instalments`` are those that are left.
    first_due, due_day
        As in ``resolve``, so that instalments can go on falling due as they did.

    Returns
    -------
    Valuation
        The rows that were paid, then the new ones, numbered on; its schedule is that of the rest.

    Raises
    ------
    RescheduleRefused
        Nothing is owed, something is to be paid out later, fees are overdue, more interest was paid in
        advance than is owed, or the new terms have a down payment or a fee on disbursements.
    """
    old = paid.valuation
    if terms.down_payment or any(terms.fee(FeeOn.DISBURSEMENT)):
        message = "nothing is paid out again: no down payment, and no fee on it"
        raise RescheduleRefused(message)
    if any(row.due > day and row.disbursed for row in old.rows) or any(
        one.day > day for one in paid.allocations
    ):
        message = "something is paid out or paid back after that day"
        raise RescheduleRefused(message)
    rows, interest = _kept(paid, day)
    carried = interest + settlement(old, day).interest
    if paid.principal_owed < 1 or carried < 0:
        message = "nothing is owed on that day, or interest was paid in advance"
        raise RescheduleRefused(message)
    lent = [Disbursement(day, paid.principal_owed)]
    fresh = valued(resolve(terms, lent, first_due=first_due, due_day=due_day, carried=carried))
    last = max((row.number for row in rows), default=0)
    ahead = [replace(row, number=row.number + last) for row in fresh.rows if row.number]
    return Valuation(fresh.schedule, (*rows, *ahead))


def _kept(paid: Repaid, day: int) -> tuple[list[Row], int]:
    """Return the rows until a day as they were paid, and overdue interest less what came in advance."""
    left = {id(row): rest for row, rest in paid.unpaid()}
    rows = []
    balance, interest = 0, 0
    for row in paid.valuation.rows:
        rest = left.get(id(row))
        if rest is not None and rest.fees and row.due <= day:
            message = "fees that have fallen due are paid first"
            raise RescheduleRefused(message)
        # An early payment is paid by itself.
        principal = row.principal - (rest.principal if rest else 0)
        got = row.interest - (rest.interest if rest else 0)
        interest += row.interest - got if row.due <= day else -got
        if row.due <= day or principal or got:
            balance += row.disbursed - principal
            rows.append(replace(row, principal=principal, interest=got, balance=balance))
    return rows, interest
