"""What can be wrong with the dates and amounts of loans, told of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.civil import CIVIL_DAY_MIN, date_text
from formicary.base.limits import CIVIL_DAY_MAX
from formicary.products.lending.limits import (
    SCHEDULE_AMOUNT_MAX,
    SCHEDULE_DAYS_MAX,
    SCHEDULE_DISBURSEMENTS_MAX,
    SCHEDULE_PERIOD_DAYS_MAX,
)
from formicary.products.lending.schedules.conventions import Method, Unit
from formicary.products.lending.schedules.terms import MILLION

__all__ = ["Records", "findings_of_dates"]

Records = npt.NDArray[np.void]
_Finding = tuple[npt.NDArray[np.bool_], str]

_MONTH_DAYS_MAX: Final = 31
_START_MAX: Final = CIVIL_DAY_MAX - SCHEDULE_DAYS_MAX


def findings_of_dates(
    loans: Records, movements: Records, movement_starts: npt.NDArray[np.int64]
) -> Iterator[_Finding]:
    """Go through what can be wrong with loans that are paid out once or more, and of which it is so (n,).

    See ``resolve`` for the rules, and ``valued_rows`` for the arguments.
    """
    first = movement_starts[:-1]
    sizes = np.diff(movement_starts)
    yield sizes > SCHEDULE_DISBURSEMENTS_MAX, f"it is paid out {SCHEDULE_DISBURSEMENTS_MAX} times at most"
    day, start = movements["day"], loans["start"]
    is_early = np.concatenate([[False], day[1:] < day[:-1]])
    is_early[first] = False
    yield np.logical_or.reduceat(is_early, first), "disbursements are in order of days"
    yield day[first] < start, "nothing is paid out before the start"
    is_outside = (start < CIVIL_DAY_MIN) | (start > _START_MAX)
    yield is_outside, f"it starts between {date_text(CIVIL_DAY_MIN)} and {date_text(_START_MAX)}"
    days = loans["first_period_days"]
    wrong = f"the first instalment falls due 1 to {SCHEDULE_PERIOD_DAYS_MAX:,} days after the start"
    yield (days < 0) | (days > SCHEDULE_PERIOD_DAYS_MAX), wrong
    due_day = loans["due_day"]
    yield (due_day < 0) | (due_day > _MONTH_DAYS_MAX), "a day of the month is 1 to 31"
    is_lost = (due_day > 0) & ((loans["unit"] != Unit.MONTHS) | (days == 0))
    yield is_lost, "a day of the month is for instalments by months whose first has a date"
    yield from _wrong_amounts(loans, movements["amount"], first)


def _wrong_amounts(
    loans: Records, amount: npt.NDArray[np.int64], first: npt.NDArray[np.int64]
) -> Iterator[_Finding]:
    yield np.minimum.reduceat(amount, first) < 1, "a disbursement is above zero"
    # One that is too much for itself could wrap the sum around.
    is_too_much = np.maximum.reduceat(amount, first) > SCHEDULE_AMOUNT_MAX
    is_too_much |= np.add.reduceat(np.minimum(amount, SCHEDULE_AMOUNT_MAX), first) > SCHEDULE_AMOUNT_MAX
    yield is_too_much, f"at most {SCHEDULE_AMOUNT_MAX:,} minor units are lent"
    carried = loans["carried"]
    yield (carried < 0) | (carried > SCHEDULE_AMOUNT_MAX), "interest from before is not below zero"
    # What the down payment leaves of the first disbursement, less one for its rounding; in two steps, for 64
    # bits.
    stays = MILLION - loans["down_payment"]
    lent = amount[first] // MILLION * stays + amount[first] % MILLION * stays // MILLION
    yield loans["balloon"] > lent, "the balloon is at most what is lent first, less the down payment"
    payers = loans["instalments"] - loans["principal_grace"]
    least = loans["multiple"] > np.maximum(lent - loans["balloon"], 0) // payers
    is_rounded = (loans["multiple"] > 1) & (loans["method"] != Method.BULLET)
    yield least & is_rounded, "instalments of that multiple would be too large"
