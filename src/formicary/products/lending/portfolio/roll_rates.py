"""Roll rates: which share of each bucket of delinquency is in which bucket a month later.

Buckets are days past due: none, 1 to 29, 30 to 59, 60 to 89, 90 and more. What left the book in between was
repaid or charged off; both are columns of their own, so that each row of the table sums up to all of its
bucket.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import allocate
from formicary.products.lending.millionths import MILLION, checked_amounts

__all__ = ["BUCKETS", "CHARGED_OFF", "REPAID", "Bucket", "RollRates", "buckets_of", "roll_rates"]

Words: TypeAlias = npt.NDArray[np.int64]


class Bucket(IntEnum):
    """Where a loan is; the last two are only come to."""

    CURRENT = 0
    DAYS_1 = 1
    DAYS_30 = 2
    DAYS_60 = 3
    DAYS_90 = 4
    REPAID = 5
    CHARGED_OFF = 6


BUCKETS: Final = 5
"""Buckets in which a loan is on the book."""

REPAID: Final = -1
"""Stands for the days past due of a loan that was repaid since."""
CHARGED_OFF: Final = -2
"""Stands for those of one that was charged off since."""

_FIRST_DAYS: Final = np.array([1, 30, 60, 90])


class RollRates(NamedTuple):
    """What became of each bucket: rows where loans were, columns where they are, (5, 7)."""

    loans: Words
    """How many."""
    amounts: Words
    """What they owed before, in minor units."""
    shares: Words
    """Of what the bucket owed, in millionths; a row sums up to 1,000,000, or to 0 where it was empty."""


def buckets_of(days_past_due: npt.ArrayLike) -> Words:
    """Return buckets (n,) of days past due (n,), ``REPAID`` and ``CHARGED_OFF`` among them."""
    days = np.asarray(days_past_due, np.int64)
    if len(days) and int(days.min()) < CHARGED_OFF:
        message = f"days past due are at least 0, or {REPAID}, or {CHARGED_OFF}, not {int(days.min())}"
        raise ProgrammingError(message)
    on_book = np.searchsorted(_FIRST_DAYS, days, side="right")
    gone = np.where(days == REPAID, Bucket.REPAID, Bucket.CHARGED_OFF)
    return np.where(days >= 0, on_book, gone).astype(np.int64)


def roll_rates(*, before: npt.ArrayLike, after: npt.ArrayLike, owed: npt.ArrayLike) -> RollRates:
    """Return where loans rolled between two days.

    Parameters
    ----------
    before
        Days past due on the first day, (n,), of loans that were on the book.
    after
        Days past due on the second, (n,), ``REPAID`` or ``CHARGED_OFF`` where a loan is gone.
    owed
        What each owed on the first day, (n,), in minor units.
    """
    was, became, amounts = buckets_of(before), buckets_of(after), checked_amounts(owed)
    if not was.shape == became.shape == amounts.shape or (was >= BUCKETS).any():
        message = "every loan was on the book the day before, and has one row"
        raise ProgrammingError(message)
    loans, sums = np.zeros((BUCKETS, len(Bucket)), np.int64), np.zeros((BUCKETS, len(Bucket)), np.int64)
    np.add.at(loans, (was, became), 1)
    np.add.at(sums, (was, became), amounts)
    shares = [allocate(MILLION, row) if sum(row) else [0] * len(row) for row in sums.tolist()]
    return RollRates(loans=loans, amounts=sums, shares=np.array(shares, np.int64))
