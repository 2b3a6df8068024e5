"""Shares of counted rows, each with an interval in which the true share lies.

An interval of Clopper and Pearson misses the true share at most as often as stated, however few rows there
are; one of Wilson about as often, and is shorter. Both hold as well where rows have chances of their own:
such counts spread less than those of one chance for all (Hoeffding, *On the distribution of the number of
successes in independent trials*, 1956). They take rows to be independent of each other.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
from scipy.special import betainccinv, betaincinv, ndtri

from formicary.base.errors import ProgrammingError

__all__ = ["ERROR", "Share", "exact_share", "standard_errors", "wilson_share"]

ERROR: Final = 0.01
"""How often a report may tell of a change where nothing changed: one day's in a hundred. All that a report
looks at shares it (Bonferroni), so that a report of more is not wrong more often."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A share, and between what the true one lies.

    Attributes
    ----------
    count, rows
        So many of so many.
    share
        None of no rows.
    low, high
        0 and 1 of no rows.
    """

    count: int
    rows: int
    share: float | None
    low: float
    high: float


def exact_share(count: int, rows: int, *, error: float = ERROR) -> Share:
    """Return a share with the interval of Clopper and Pearson (1934).

    Parameters
    ----------
    count, rows
        So many of so many.
    error
        How often at most the true share may lie outside, above 0 and below 1.
    """
    _check(count, rows, error)
    low = float(betaincinv(count, rows - count + 1, error / 2)) if count else 0.0
    high = float(betainccinv(count + 1, rows - count, error / 2)) if count < rows else 1.0
    return Share(count=count, rows=rows, share=count / rows if rows else None, low=low, high=high)


def wilson_share(count: int, rows: int, *, error: float = ERROR) -> Share:
    """Return a share with the interval of Wilson (1927); takes what ``exact_share`` does."""
    _check(count, rows, error)
    if not rows:
        return Share(count=count, rows=rows, share=None, low=0.0, high=1.0)
    share, width = count / rows, standard_errors(error)
    shrunk = 1 + width**2 / rows
    middle = (share + width**2 / (2 * rows)) / shrunk
    half = width / shrunk * math.sqrt(share * (1 - share) / rows + width**2 / (4 * rows**2))
    # Exactly 0 and 1 at the ends, where rounding would leave a rest.
    low = max(middle - half, 0.0) if count else 0.0
    high = min(middle + half, 1.0) if count < rows else 1.0
    return Share(count=count, rows=rows, share=share, low=low, high=high)


def standard_errors(error: float) -> float:
    """Return how many standard errors to either side a normal deviate leaves ``error`` of the time."""
    return -float(ndtri(error / 2))


def _check(count: int, rows: int, error: float) -> None:
    if not 0 <= count <= rows:
        message = f"{count} of {rows} is no share"
        raise ProgrammingError(message)
    if not 0 < error < 1:
        message = f"an error is above 0 and below 1, not {error}"
        raise ProgrammingError(message)
