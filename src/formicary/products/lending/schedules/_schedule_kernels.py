"""Loans in, rows out: the interest of each period, and what is paid back with it.

One loop for one loan and for a million. The columns of its tables are named in ``_layout``; rounding rules
and formulas stand in docs/loan-schedules.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel
from formicary.products.lending.limits import SCHEDULE_DAYS_MAX
from formicary.products.lending.schedules._day_count_kernels import count_numerator
from formicary.products.lending.schedules._instalment_kernels import annuity, nearest
from formicary.products.lending.schedules._layout import LOAN, MOVEMENT, PERIOD, ROW, Table, columns
from formicary.products.lending.schedules._period_kernels import resolve
from formicary.products.lending.schedules._wide_kernels import product, rounded, total

__all__ = ["TOO_LATE", "TOO_LONG", "accrued", "value"]


COUNT, METHOD, DAY_COUNT, ROUNDING = columns(LOAN, "instalments", "method", "day_count", "rounding")
PRINCIPAL_GRACE, PAYMENT_GRACE, MULTIPLE, ADJUSTED, BALLOON, DOWN_PAYMENT = columns(
    LOAN, "principal_grace", "interest_payment_grace", "multiple", "adjusted", "balloon", "down_payment"
)
DISBURSEMENT_FEE, DISBURSEMENT_FEE_SHARE, INSTALMENT_FEE, INSTALMENT_FEE_SHARE = columns(
    LOAN, "disbursement_fee", "disbursement_fee_share", "instalment_fee", "instalment_fee_share"
)
START, CARRIED = columns(LOAN, "start", "carried")
DAY, AMOUNT, KEEPS = columns(MOVEMENT, "day", "amount", "keeps")
DUE, GAIN, WHOLE, NUMERATOR, SHARED = columns(PERIOD, "due", "gain", "whole", "numerator", "shared")
ROW_DUE, ROW_NUMBER, ROW_DISBURSED, ROW_PRINCIPAL, ROW_INTEREST, ROW_FEES, ROW_BALANCE, ROW_DEFERRED = (
    columns(ROW, "due", "number", "disbursed", "principal", "interest", "fees", "balance", "deferred")
)

TOO_LONG: Final = -1
TOO_LATE: Final = -2
_EQUAL_PRINCIPAL: Final = 1
_FLAT: Final = 2
_BULLET: Final = 3
_MILLION: Final = 1_000_000


@kernel
def _part(loans: Table, loan: int, periods: Table, place: int, start: int, end: int) -> int:
    """Return the gain of a part of a period, over the divisor that ``_divisor`` tells."""
    gain: int = periods[place, GAIN]
    if gain == 0 or periods[place, SHARED] == 1:
        return gain * (end - start)
    # The rate is what the gain has more than the day count.
    rate: int = gain // periods[place, NUMERATOR]
    return rate * count_numerator(loans[loan, DAY_COUNT], start, end)


@kernel
def _divisor(periods: Table, place: int, opened: int) -> int:
    """Return what the gains of parts of a period are divided by."""
    whole: int = periods[place, WHOLE]
    return whole * (int(periods[place, DUE]) - opened) if periods[place, SHARED] == 1 else whole


@kernel
def _share(amount: int, millionths: int, half_up: int) -> int:
    high, low = product(amount, millionths)
    return rounded(high, low, _MILLION, half_up)


@kernel
def _plain_interest(periods: Table, place: int, principal: int, half_up: int) -> int:
    """Return the interest of a whole period on a principal that does not change."""
    high, low = product(principal, periods[place, GAIN])
    return rounded(high, low, periods[place, WHOLE], half_up)


@kernel
def _last_payment(
    periods: Table, place: int, count: int, balance: int, kept: int, interest: int, payment: int, half_up: int
) -> int:
    """Return what would be left for the last instalment, without the balloon, and its own interest."""
    while place < count - 1:
        balance -= max(0, min(payment - interest, balance - kept))
        place += 1
        interest = _plain_interest(periods, place, balance, half_up)
    return balance - kept + interest


@kernel
def _adjusted(
    periods: Table,
    place: int,
    count: int,
    balance: int,
    kept: int,
    interest: int,
    payment: int,
    multiple: int,
    half_up: int,
) -> int:
    """Return the instalment, moved once by the share of what the last one differs, where that is better."""
    left = count - place
    gap = _last_payment(periods, place, count, balance, kept, interest, payment, half_up) - payment
    if abs(gap) <= left // 2:
        return payment
    change = nearest(abs(gap), left, 1, half_up)
    moved = nearest(max(0, payment + (change if gap > 0 else -change)), 1, multiple, half_up)
    other = _last_payment(periods, place, count, balance, kept, interest, moved, half_up) - moved
    return moved if abs(other) < abs(gap) else payment


@kernel
def _payment(
    loans: Table, loan: int, periods: Table, place: int, balance: int, flat: int, interest: int, limbs: Table
) -> int:
    """Return the instalment from this period on; of equal principals, the principal in it."""
    count = loans[loan, COUNT]
    multiple = loans[loan, MULTIPLE]
    half_up = loans[loan, ROUNDING]
    kept = min(loans[loan, BALLOON], balance)
    method = loans[loan, METHOD]
    if method == _EQUAL_PRINCIPAL:
        return nearest(balance - kept, count - place, multiple, half_up)
    if method == _FLAT:
        amount = balance - kept + interest
        for later in range(place + 1, count):
            amount += _plain_interest(periods, later, flat, half_up)
        return nearest(amount, count - place, multiple, half_up)
    payment = annuity(periods, place, count, balance, kept, multiple, half_up, limbs)
    if loans[loan, ADJUSTED] == 1:
        return _adjusted(periods, place, count, balance, kept, interest, payment, multiple, half_up)
    return payment


@kernel
def _write(
    rows: Table,
    row: int,
    due: int,
    number: int,
    disbursed: int,
    principal: int,
    interest: int,
    fees: int,
    balance: int,
    deferred: int,
) -> None:
    rows[row, ROW_DUE] = due
    rows[row, ROW_NUMBER] = number
    rows[row, ROW_DISBURSED] = disbursed
    rows[row, ROW_PRINCIPAL] = principal
    rows[row, ROW_INTEREST] = interest
    rows[row, ROW_FEES] = fees
    rows[row, ROW_BALANCE] = balance
    rows[row, ROW_DEFERRED] = deferred


@kernel
def _move(
    loans: Table, loan: int, rows: Table, row: int, day: int, amount: int, balance: int, deferred: int
) -> int:
    """Write the row of a disbursement, or below zero of a prepayment; return the balance after it."""
    if amount <= 0:
        balance += amount
        _write(rows, row, day, 0, 0, -amount, 0, 0, balance, deferred)
        return balance
    half_up = loans[loan, ROUNDING]
    down = _share(amount, loans[loan, DOWN_PAYMENT], half_up)
    fees = loans[loan, DISBURSEMENT_FEE] + _share(amount, loans[loan, DISBURSEMENT_FEE_SHARE], half_up)
    balance += amount - down
    _write(rows, row, day, 0, amount, down, 0, fees, balance, deferred)
    return balance


@kernel
def _value_one(
    loans: Table,
    loan: int,
    movements: Table,
    cursor: int,
    end: int,
    periods: Table,
    rows: Table,
    row: int,
    limbs: Table,
) -> int:
    """Write the rows of a loan whose periods are resolved; return the place behind the last."""
    count = loans[loan, COUNT]
    method = loans[loan, METHOD]
    half_up = loans[loan, ROUNDING]
    is_flat = method == _FLAT
    opened = loans[loan, START]
    deferred = loans[loan, CARRIED]
    balance = 0
    flat = 0
    payment = 0
    # Paid early before there was an instalment that could be kept: it is computed as if it had not been.
    spared = 0
    is_stale = True
    for place in range(count):
        due = periods[place, DUE]
        since = opened
        high, low = 0, 0
        is_mixed = False
        while cursor < end and movements[cursor, DAY] < due:
            day = movements[cursor, DAY]
            amount = movements[cursor, AMOUNT]
            if day > since:
                part = _part(loans, loan, periods, place, since, day)
                more_high, more_low = product(flat if is_flat else balance, part)
                high, low = total(high, low, more_high, more_low)
                since = day
                is_mixed = True
            before = balance
            balance = _move(loans, loan, rows, row, day, amount, balance, deferred)
            row += 1
            if amount > 0:
                flat += balance - before
            elif is_stale and movements[cursor, KEEPS] == 1:
                spared -= amount
            if movements[cursor, KEEPS] == 0:
                is_stale = True
            cursor += 1
        owed = flat if is_flat else balance
        if is_mixed:
            part = _part(loans, loan, periods, place, since, due)
            more_high, more_low = product(owed, part)
            high, low = total(high, low, more_high, more_low)
            interest = rounded(high, low, _divisor(periods, place, opened), half_up)
        else:
            interest = _plain_interest(periods, place, owed, half_up)
        if balance == 0 and interest == 0 and deferred == 0 and cursor == end:
            break
        if place == count - 1:
            principal = balance
        elif place < loans[loan, PRINCIPAL_GRACE] or method == _BULLET:
            principal = 0
        else:
            if is_stale:
                full = interest
                if spared > 0 and not is_flat:
                    full = _plain_interest(periods, place, balance + spared, half_up)
                payment = _payment(loans, loan, periods, place, balance + spared, flat, full, limbs)
                spared = 0
                is_stale = False
            free = balance - min(loans[loan, BALLOON], balance)
            principal = min(payment if method == _EQUAL_PRINCIPAL else max(0, payment - interest), free)
        deferred += interest
        paid = 0
        if place >= loans[loan, PAYMENT_GRACE] or place == count - 1:
            paid = deferred
            deferred = 0
        balance -= principal
        fees = loans[loan, INSTALMENT_FEE] + _share(
            principal + paid, loans[loan, INSTALMENT_FEE_SHARE], half_up
        )
        _write(rows, row, due, place + 1, 0, principal, paid, fees, balance, deferred)
        row += 1
        opened = due
    return row


@kernel
def value(
    loans: Table,
    movements: Table,
    movement_starts: npt.NDArray[np.int64],
    row_starts: npt.NDArray[np.int64],
    periods: Table,
    limbs: Table,
    rows: Table,
    row_counts: npt.NDArray[np.int64],
) -> None:
    """Write the rows of loans, each loan's from its place on, and how many they are.

    Parameters
    ----------
    loans
        As ``LOAN``, (n, fields).
    movements, movement_starts
        As ``MOVEMENT``; those of a loan lie between two starts (n + 1,), in order of their days.
    row_starts
        Where each loan's rows begin, (n,): there is room for an instalment each and a movement each.
    periods, limbs
        Room for the periods of the longest loan, and for exact comparisons.
    rows, row_counts
        As ``ROW``; how many rows a loan has (n,), or below zero why it has none.
    """
    for loan in range(len(loans)):
        resolve(loans, loan, periods)
        row = row_starts[loan]
        last = periods[loans[loan, COUNT] - 1, DUE]
        if last - loans[loan, START] > SCHEDULE_DAYS_MAX:
            row_counts[loan] = TOO_LONG
            continue
        if movements[movement_starts[loan + 1] - 1, DAY] >= last:
            row_counts[loan] = TOO_LATE
            continue
        end = _value_one(
            loans,
            loan,
            movements,
            movement_starts[loan],
            movement_starts[loan + 1],
            periods,
            rows,
            row,
            limbs,
        )
        row_counts[loan] = end - row


@kernel
def accrued(loans: Table, movements: Table, periods: Table, place: int, opening: int, day: int) -> int:
    """Return the interest of one loan from the beginning of a period up to a day of it, rounded once.

    Parameters
    ----------
    loans, movements
        The one loan, and all that moves its principal.
    periods
        Its periods.
    place
        Which of them.
    opening
        What bears interest when the period begins: for a flat loan all that was disbursed.
    day
        Up to when; movements of that day bear none yet.
    """
    opened = periods[place - 1, DUE] if place > 0 else loans[0, START]
    owed = opening
    since = opened
    high, low = 0, 0
    for cursor in range(len(movements)):
        moved = movements[cursor, DAY]
        if moved < opened or moved >= day:
            continue
        more_high, more_low = product(owed, _part(loans, 0, periods, place, since, moved))
        high, low = total(high, low, more_high, more_low)
        since = moved
        amount = movements[cursor, AMOUNT]
        if amount > 0:
            owed += amount - _share(amount, loans[0, DOWN_PAYMENT], loans[0, ROUNDING])
        elif loans[0, METHOD] != _FLAT:
            owed += amount
    more_high, more_low = product(owed, _part(loans, 0, periods, place, since, day))
    high, low = total(high, low, more_high, more_low)
    return rounded(high, low, _divisor(periods, place, opened), loans[0, ROUNDING])
