"""What borrowers really pay: on time, late, in part, early or too much; and what becomes of the schedule.

A payment pays what has fallen due, the oldest first, and of each row fees, then interest, then principal.
What is left over pays the loan off if it suffices; otherwise it becomes what ``Excess`` says, and what is
more than all that has been paid out is given back. Nothing is
asked for being late but what the terms declare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from formicary.products.lending.limits import REPAYMENTS_MAX, SCHEDULE_AMOUNT_MAX
from formicary.products.lending.schedules.errors import RepaymentsMalformed
from formicary.products.lending.schedules.schedule import Movement, Schedule
from formicary.products.lending.schedules.valuation import Row, Valuation, settlement, valued

__all__ = ["Allocation", "Excess", "Payment", "Repaid", "paid_as_due", "repaid"]


class Excess(IntEnum):
    """What becomes of what is paid above what has fallen due.

    Attributes
    ----------
    REDUCE_INSTALMENT
        It pays principal on its day; the instalments after it are computed anew, and the term stays.
    REDUCE_TERM
        It pays principal on its day; the instalment stays, and the loan ends earlier.
    ADVANCE
        It pays the next instalments in advance; nothing is computed anew.
    """

    REDUCE_INSTALMENT = 0
    REDUCE_TERM = 1
    ADVANCE = 2


@dataclass(frozen=True)
class Payment:
    """What is paid: on which day, in days since 1970-01-01, and how many minor units."""

    day: int
    amount: int


@dataclass(frozen=True)
class Allocation:
    """What a part of a payment pays: minor units of fees, interest and principal of one row.

    ``disbursement`` counts disbursements from 1, ``number`` instalments; both are 0 for an early payment.
    """

    day: int
    disbursement: int
    number: int
    fees: int
    interest: int
    principal: int

    @property
    def amount(self) -> int:
        """All of it."""
        return self.fees + self.interest + self.principal


@dataclass(frozen=True)
class Repaid:
    """A schedule after payments.

    Attributes
    ----------
    valuation
        What is due, as the payments left it.
    allocations
        What was paid with what, in order.
    overpaid
        What was paid above all that is owed, and is to be given back.
    """

    valuation: Valuation
    allocations: tuple[Allocation, ...] = ()
    overpaid: int = 0

    @property
    def principal_owed(self) -> int:
        """What was paid out and not paid back yet."""
        paid_out = sum(row.disbursed for row in self.valuation.rows)
        return paid_out - sum(one.principal for one in self.allocations)

    def unpaid(self) -> list[tuple[Row, Row]]:
        """Return the rows in order, each with what is still to be paid of it; without early payments."""
        paid: dict[tuple[int, int], tuple[int, int, int]] = {}
        for one in self.allocations:
            key = (one.disbursement, one.number)
            fees, interest, principal = paid.get(key, (0, 0, 0))
            paid[key] = (fees + one.fees, interest + one.interest, principal + one.principal)
        rest = []
        for key, row in _keyed(self.valuation.rows):
            fees, interest, principal = paid.get(key, (0, 0, 0))
            left = replace(
                row,
                fees=row.fees - fees,
                interest=row.interest - interest,
                principal=row.principal - principal,
            )
            rest.append((row, left))
        return rest

    def overdue_on(self, day: int) -> int:
        """Return how much has fallen due by the end of a day and is not paid, in minor units."""
        return sum(left.payment for row, left in self.unpaid() if row.due <= day)


def repaid(
    schedule: Schedule, payments: Iterable[Payment], *, excess: Excess = Excess.REDUCE_INSTALMENT
) -> Repaid:
    """Return a schedule after payments, in order.

    Raises
    ------
    RepaymentsMalformed
        A payment of nothing or of too much, one before the one before it or before the start, or too many.
    """
    made = list(payments)
    _check(schedule, made)
    state = Repaid(valued(schedule))
    for payment in made:
        state = _after(state, payment, excess)
    return state


def paid_as_due(schedule: Schedule, day: int) -> Repaid:
    """Return a schedule of which everything that falls due until the end of a day is paid on its day."""
    state = Repaid(valued(schedule))
    for row in state.valuation.rows:
        if row.due <= day and row.payment:
            state, _ = _paid(state, Payment(row.due, row.payment), until=row.due)
    return state


def _check(schedule: Schedule, payments: Sequence[Payment]) -> None:
    days = [payment.day for payment in payments]
    if days != sorted(days) or (days and days[0] < schedule.start):
        message = "payments are in order of days, and not before the start"
        raise RepaymentsMalformed(message)
    if any(not 1 <= payment.amount <= SCHEDULE_AMOUNT_MAX * 2 for payment in payments):
        message = f"a payment is 1 to {SCHEDULE_AMOUNT_MAX * 2:,} minor units"
        raise RepaymentsMalformed(message)
    if len(payments) > REPAYMENTS_MAX:
        message = f"at most {REPAYMENTS_MAX:,} payments, not {len(payments):,}"
        raise RepaymentsMalformed(message)


def _after(state: Repaid, payment: Payment, excess: Excess) -> Repaid:
    day = payment.day
    state, rest = _paid(state, payment, until=day)
    if not rest:
        return state
    to_come = any(row.due > day and row.disbursed for row in state.valuation.rows)
    if not to_come:
        state, rest = _settled(state, Payment(day, rest))
    if rest and excess != Excess.ADVANCE:
        state, rest = _prepaid(state, Payment(day, rest), keeps=excess == Excess.REDUCE_TERM)
    if rest and (excess == Excess.ADVANCE or not to_come):
        # Nothing will be computed anew that is paid now.
        state, rest = _paid(state, Payment(day, rest), until=None)
    return replace(state, overpaid=state.overpaid + rest)


def _paid(state: Repaid, payment: Payment, *, until: int | None) -> tuple[Repaid, int]:
    """Pay rows in order, those that are due until a day or all; return what is left."""
    rest = payment.amount
    allocations = list(state.allocations)
    for (key, row), (_, left) in zip(_keyed(state.valuation.rows), state.unpaid(), strict=True):
        if until is not None and row.due > until:
            break
        fees = min(rest, left.fees)
        interest = min(rest - fees, left.interest)
        principal = min(rest - fees - interest, left.principal)
        if part := fees + interest + principal:
            allocations.append(Allocation(payment.day, *key, fees, interest, principal))
            rest -= part
    return replace(state, allocations=tuple(allocations)), rest


def _settled(state: Repaid, payment: Payment) -> tuple[Repaid, int]:
    """Pay the loan off, if that suffices; return what is left."""
    valuation, day = state.valuation, payment.day
    ahead = [row for row in valuation.rows if row.due > day and row.number]
    if not ahead:
        return state, payment.amount
    owed = settlement(valuation, day)
    # What was paid in advance counts, also for interest of days that do not come.
    told = {key for key, row in _keyed(valuation.rows) if row.due <= day}
    early = [one for one in state.allocations if one.number and (one.disbursement, one.number) not in told]
    missing = owed.amount - sum(one.amount for one in early)
    if payment.amount < missing:
        return state, payment.amount
    number = ahead[0].number
    kept = tuple(one for one in state.allocations if one not in early)
    closing = Row(day, number, 0, owed.principal, owed.interest, 0, 0, 0)
    rows = (*(row for row in valuation.rows if row.due <= day), closing)
    last = Allocation(day, 0, number, 0, owed.interest, owed.principal)
    return Repaid(
        Valuation(valuation.schedule, rows), (*kept, last), state.overpaid
    ), payment.amount - missing


def _prepaid(state: Repaid, payment: Payment, *, keeps: bool) -> tuple[Repaid, int]:
    """Pay principal on a day and value the rest anew; return what is left."""
    part = min(payment.amount, state.valuation.balance_on(payment.day))
    last = int(state.valuation.schedule.period_table[-1, 0])
    if not part or payment.day >= last:
        return state, payment.amount
    moved = state.valuation.schedule.moved(Movement(payment.day, -part, keeps))
    early = Allocation(payment.day, 0, 0, 0, 0, part)
    return Repaid(valued(moved), (*state.allocations, early), state.overpaid), payment.amount - part


def _keyed(rows: Iterable[Row]) -> list[tuple[tuple[int, int], Row]]:
    """Return rows with what tells them apart whatever is computed anew, without early payments."""
    keyed = []
    disbursements = 0
    for row in rows:
        if row.number:
            keyed.append(((0, row.number), row))
        elif row.disbursed:
            disbursements += 1
            keyed.append(((disbursements, 0), row))
    return keyed
