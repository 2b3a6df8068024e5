"""What days and payments do to loans, exactly and in whole minor units.

Interest is that of a *segment*: the days from when the principal last changed to when the period ends. Its
whole is rounded once, by the same formula as a schedule's; a day's interest is what the part of it up to
that day, rounded half to even, has more than the day before. So the days of a segment sum to it, and a loan
that is paid as due comes to what its schedule says.

Where a loan is brought to a day in one step or in many, it comes to the same: what happens on the way happens
on its own day.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.civil import civil, months_later
from formicary.base.kernels import kernel, kernel_part
from formicary.products.lending.schedules._day_count_kernels import count_denominator, count_numerator
from formicary.products.lending.schedules._wide_kernels import divided, product, rounded
from formicary.products.lending.servicing.layout import WATERFALLS

__all__ = [
    "CAUGHT",
    "FEES",
    "INTEREST",
    "PARTS",
    "PRINCIPAL",
    "UNBOOKED",
    "advance",
    "begin_within",
    "collect",
    "draw",
    "pay",
    "resume",
]

Loans = npt.NDArray[Any]
Numbers = npt.NDArray[np.int64]

FEES: Final = 0
INTEREST: Final = 1
PRINCIPAL: Final = 2
UNBOOKED: Final = 3
CAUGHT: Final = 4
PARTS: Final = 5
"""What a payment comes to: fees, booked interest, principal, interest that was not booked; and what is booked
because of it."""

_ORDERS: Final = tuple(int(part) for order in WATERFALLS for part in order)
_BILLION: Final = 1_000_000_000
_MILLION: Final = 1_000_000
_THIRTY_360: Final = 0
_WEEKS: Final = 1
_MONTHS: Final = 2
_LINE: Final = 1
_ACTIVE: Final = 2
_REPAID: Final = 3
_NON_ACCRUAL: Final = 90
_BUCKET_30: Final = 30
_BUCKET_60: Final = 60


@kernel
def _interest(
    balance: int, rate: int, day_count: int, unit: int, every: int, opened: int, start: int, due: int
) -> int:
    """Return the interest of a principal from ``start`` to ``due``, in a period that began at ``opened``."""
    if balance <= 0 or due <= start:
        return 0
    whole = _BILLION * count_denominator(day_count)
    if day_count == _THIRTY_360:
        # A period's interest is the same for each; a part of it has the share of its days.
        days = every * (30 if unit == _MONTHS else (7 if unit == _WEEKS else 1))
        numerator = days * (due - start)
        whole *= max(due - opened, 1)
    else:
        numerator = count_numerator(day_count, start, due)
    high, low = product(balance, rate * numerator)
    return rounded(high, low, whole, 0)


@kernel
def _share(amount: int, part: int, whole: int) -> int:
    high, low = product(amount, part)
    return rounded(high, low, max(whole, 1), 0)


@kernel
def _due_after(day: int, unit: int, every: int, due_day: int, periods: int) -> int:
    """Return the day on which something falls due so many periods, 1 or -1, after another such day."""
    ahead = periods * max(every, 1)
    if unit == _MONTHS:
        year, month, _ = civil(day)
        later: int = months_later(year, month, max(due_day, 1), ahead, 0)
        return later
    return day + ahead * (7 if unit == _WEEKS else 1)


@kernel_part
def _begin_segment(loan: Any, day: int) -> None:
    loan["segment_start"] = day
    loan["segment_accrued"] = 0
    loan["segment_interest"] = _interest(
        int(loan["balance"]),
        int(loan["rate"]),
        int(loan["day_count"]),
        int(loan["unit"]),
        int(loan["every"]),
        int(loan["period_start"]),
        day,
        int(loan["next_due"]),
    )


@kernel_part
def _begin_period(loan: Any, day: int) -> None:
    loan["period_start"] = day
    loan["next_due"] = _due_after(day, int(loan["unit"]), int(loan["every"]), int(loan["due_day"]), 1)
    _begin_segment(loan, day)


@kernel_part
def _accrue(loan: Any, day: int) -> int:
    """Accrue interest up to a day of the period; return what of it is booked."""
    days = int(loan["next_due"]) - int(loan["segment_start"])
    whole = int(loan["segment_interest"])
    elapsed = day - int(loan["segment_start"])
    so_far = whole if elapsed >= days else _share(whole, max(elapsed, 0), days)
    more = so_far - int(loan["segment_accrued"])
    loan["segment_accrued"] = so_far
    loan["accrued"] += more
    loan["until"] = day
    if loan["is_non_accrual"] == 1:
        loan["unbooked"] += more
        return 0
    return more


@kernel_part
def _fall_due(loan: Any) -> int:
    """Let what a period comes to fall due, and begin the next one; return the fee."""
    interest = int(loan["accrued"])
    undue = int(loan["balance"]) - int(loan["principal_due"])
    left = int(loan["left"])
    fee = 0
    if loan["kind"] == _LINE:
        # Rounded up: of the last pennies half a share would be nothing, and they would be owed for ever.
        high, low = product(max(undue, 0), int(loan["share"]))
        principal, rest = divided(high, low, _MILLION)
        principal += min(rest, 1)
        if undue > 0:
            fee = int(loan["fee"])
    else:
        principal = int(loan["instalment"])
        if loan["is_level"] == 1:
            principal = max(principal - interest, 0)
        if left > 0:
            fee = int(loan["fee"])
            loan["left"] = left - 1
        if loan["grace"] > 0:
            loan["grace"] -= 1
            principal = 0
        if left <= 1:
            principal = undue
    principal = min(principal, undue)
    if loan["is_non_accrual"] == 1:
        # Who cannot pay is not asked for more fees.
        fee = 0
    loan["fees_due"] += fee
    loan["interest_due"] += interest
    loan["principal_due"] += principal
    loan["accrued"] = 0
    due = int(loan["next_due"])
    if loan["arrears_since"] == 0 and fee + interest + principal > 0:
        loan["arrears_since"] = due
    _begin_period(loan, due)
    return fee


@kernel_part
def _age(loan: Any, day: int) -> None:
    """Put a loan into its bucket; the last one ends the booking of its interest."""
    late = day - int(loan["arrears_since"]) if loan["arrears_since"] > 0 else 0
    if late >= _NON_ACCRUAL:
        loan["bucket"] = 4
        loan["is_non_accrual"] = 1
    elif late >= _BUCKET_60:
        loan["bucket"] = 3
    elif late >= _BUCKET_30:
        loan["bucket"] = 2
    else:
        loan["bucket"] = 1 if late > 0 else 0


@kernel
def advance(loans: Loans, days: Numbers, booked: Numbers, charged: Numbers) -> None:
    """Bring each loan to its day (n,): accrue, let fall due, age. Where it is there already, nothing happens.

    What of it is booked, interest and fees in minor units, is written to ``booked`` and ``charged`` (n,).
    """
    for place in range(len(loans)):
        loan = loans[place]
        booked[place] = 0
        charged[place] = 0
        day = days[place]
        while loan["state"] == _ACTIVE and loan["until"] < day:
            until = int(loan["until"])
            stop = min(day, int(loan["next_due"]))
            if loan["arrears_since"] > 0 and loan["is_non_accrual"] == 0:
                stop = min(stop, int(loan["arrears_since"]) + _NON_ACCRUAL)
            stop = max(stop, until + 1)
            booked[place] += _accrue(loan, stop)
            if stop >= loan["next_due"]:
                charged[place] += _fall_due(loan)
            _age(loan, stop)


@kernel
def draw(loans: Loans, days: Numbers, amounts: Numbers) -> None:
    """Let each loan, which is at its day, pay an amount out (n,)."""
    for place in range(len(loans)):
        loan = loans[place]
        day = days[place]
        loan["balance"] += amounts[place]
        if loan["state"] == _ACTIVE:
            _begin_segment(loan, int(loan["until"]))
        else:
            loan["state"] = _ACTIVE
            loan["start"] = day
            loan["until"] = day
            loan["due_day"] = civil(day)[2]
            _begin_period(loan, day)


@kernel_part
def _pay_interest(loan: Any, amount: int, parts: Numbers, place: int) -> None:
    """Note interest that is paid, and is no longer among what is owed: first what is booked."""
    booked = int(loan["interest_due"]) + int(loan["accrued"]) + amount - int(loan["unbooked"])
    of_booked = min(amount, max(booked, 0))
    parts[place * PARTS + INTEREST] += of_booked
    parts[place * PARTS + UNBOOKED] += amount - of_booked
    loan["unbooked"] -= amount - of_booked


@kernel_part
def _settle(loan: Any, parts: Numbers, place: int) -> None:
    """End arrears where nothing due is left, and a loan that owes nothing any more."""
    if loan["fees_due"] + loan["interest_due"] + loan["principal_due"] > 0:
        return
    loan["arrears_since"] = 0
    loan["bucket"] = 0
    if loan["is_non_accrual"] == 1:
        loan["is_non_accrual"] = 0
        parts[place * PARTS + CAUGHT] += loan["unbooked"]
        loan["unbooked"] = 0
    if loan["kind"] != _LINE and loan["balance"] == 0 and loan["accrued"] == 0:
        loan["state"] = _REPAID


@kernel
def pay(loans: Loans, amounts: Numbers, goes_on: int, parts: Numbers) -> None:
    """Let each loan be paid an amount (n,): what is due, in its own order, and, where it ``goes_on``, more.

    What is paid before it is due goes to the interest of the days so far, then to the principal. Nothing is
    paid that is not owed. ``parts`` (n * PARTS,) is what it came to.
    """
    for place in range(len(loans)):
        loan = loans[place]
        for part in range(PARTS):
            parts[place * PARTS + part] = 0
        left = amounts[place]
        if left <= 0 or loan["state"] != _ACTIVE:
            continue
        balance = int(loan["balance"])
        for turn in range(3):
            part = _ORDERS[3 * min(int(loan["waterfall"]), 5) + turn]
            if part == FEES:
                paid = min(left, int(loan["fees_due"]))
                loan["fees_due"] -= paid
                parts[place * PARTS + FEES] = paid
            elif part == INTEREST:
                paid = min(left, int(loan["interest_due"]))
                loan["interest_due"] -= paid
                _pay_interest(loan, paid, parts, place)
            else:
                paid = min(left, int(loan["principal_due"]))
                loan["principal_due"] -= paid
                loan["balance"] -= paid
            left -= paid
        if goes_on == 1:
            paid = min(left, int(loan["accrued"]))
            loan["accrued"] -= paid
            _pay_interest(loan, paid, parts, place)
            loan["balance"] -= min(left - paid, int(loan["balance"]) - int(loan["principal_due"]))
        parts[place * PARTS + PRINCIPAL] = balance - int(loan["balance"])
        if loan["balance"] != balance:
            _begin_segment(loan, int(loan["until"]))
        _settle(loan, parts, place)


@kernel
def collect(loans: Loans, wallets: Numbers, available: Numbers, amounts: Numbers) -> None:
    """Write what each loan takes of its wallet (n,): what is due, as far as the wallets (m,) have it.

    ``wallets`` are places in ``available``, which is what is left of each; the loans come in their order.
    """
    for place in range(len(loans)):
        loan = loans[place]
        due = int(loan["fees_due"]) + int(loan["interest_due"]) + int(loan["principal_due"])
        taken = max(min(due, available[wallets[place]]), 0)
        available[wallets[place]] -= taken
        amounts[place] = taken


@kernel
def resume(loans: Loans, days: Numbers) -> None:
    """Let loans that were charged off, and are written back, go on from their day (n,)."""
    for place in range(len(loans)):
        loan = loans[place]
        loan["until"] = days[place]
        _begin_period(loan, days[place])
        _age(loan, days[place])


@kernel
def begin_within(loans: Loans, balances: Numbers, day: int, next_due: int) -> None:
    """Let loans owe balances (n,) from a day on, which lies in a period that ends at ``next_due``."""
    for place in range(len(loans)):
        loan = loans[place]
        loan["balance"] = balances[place]
        loan["start"] = day
        loan["until"] = day
        due_day = civil(next_due)[2]
        loan["due_day"] = due_day
        loan["period_start"] = _due_after(next_due, int(loan["unit"]), int(loan["every"]), due_day, -1)
        loan["next_due"] = next_due
        _begin_segment(loan, day)
