"""When a model began to be wrong: changes in matured residuals, row by row as they matured.

A residual is what happened less what was predicted. Two charts watch residuals, both of Page (*Continuous
inspection schemes*, Biometrika 41, 1954): each adds up evidence of a change, starts again where the evidence
is against it, and tells of a change where the sum passes a limit.

- ``odds_changes`` is for chances. A row adds the logarithm of how much likelier its label is if the odds are
  ``factor`` times those that the chance says (Steiner, Cook, Farewell and Treasure, *Monitoring surgical
  performance using risk-adjusted cumulative sum charts*, Biostatistics 1(4), 2000). Chances may be as
  different as they like; the limit follows from how often false alarms may come.
- ``page_hinkley`` is for residuals of any unit, such as those of amounts. Its limit is in their unit and has
  to be found by trying it on a time in which nothing changed.

Order by when a row matures whatever came of it, as by the end of its horizon. Bad outcomes are told before
good ones are certain: ordered by when they were told, the latest rows are bad, and every model looks wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.models._checks import Reals, labelled

__all__ = [
    "FACTOR",
    "ROWS_BETWEEN_ALARMS",
    "ROWS_MIN",
    "Change",
    "in_order_of_maturity",
    "odds_changes",
    "page_hinkley",
]

FACTOR: Final = 1.5
"""By how much odds are wrong in the change that is looked for: half as much again is money on any book, and a
larger change is found sooner still."""

ROWS_BETWEEN_ALARMS: Final = 1_000_000
"""How many rows pass between two false alarms, on average at least."""

ROWS_MIN: Final = 30
"""How many rows the chart of Page and Hinkley has before it tells of a change: a mean takes some."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was found.

    Attributes
    ----------
    since
        The row, from 0, with which it most likely began: the first after the last at which all evidence spoke
        against it. A model that should know the new times is trained on rows from here on.
    row
        The row with which it was told; the chart starts anew with the next.
    rises
        Whether more happened than was predicted, else less.
    observed, predicted
        The sums of what happened and of what was predicted, of rows ``since`` to ``row``; for residuals alone
        their sum and 0.
    """

    since: int
    row: int
    rises: bool
    observed: float
    predicted: float


def in_order_of_maturity(matured_at: npt.ArrayLike, positions: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the order (n,) of rows by when they matured (n,), of one time by their positions (n,)."""
    return np.lexsort((np.asarray(positions, np.int64), np.asarray(matured_at, np.int64)))


def odds_changes(
    *,
    labels: npt.ArrayLike,
    chances: npt.ArrayLike,
    factor: float = FACTOR,
    rows_between_alarms: int = ROWS_BETWEEN_ALARMS,
) -> tuple[Change, ...]:
    """Return where odds began to be ``factor`` times as high as chances say, or as low.

    Parameters
    ----------
    labels
        0 or 1, (n,), in order of maturity.
    chances
        What was said of each when nothing of it was known, (n,).
    factor
        Above 1.
    rows_between_alarms
        How many rows pass between false alarms, on average at least.

    Notes
    -----
    With S the sum, e^S of either chart is at most the statistic of Shiryaev and Roberts, which grows by 1 a
    row on average where chances are right, whatever rows have to do with each other. The sum of both charts'
    grows by 2, so that it takes n rows on average at least until one of them is 2 n: the limit is log(2 n).
    """
    said, happened, _ = labelled(chances, labels, None)
    if not ((said >= 0) & (said <= 1)).all():
        message = "a chance is below 0 or above 1"
        raise ProgrammingError(message)
    if not (factor > 1 and rows_between_alarms >= 1):
        message = f"{factor} times the odds, {rows_between_alarms} rows between alarms: nothing can be found"
        raise ProgrammingError(message)
    upward, downward = (_evidence(said, happened, odds) for odds in (factor, 1 / factor))
    limit = math.log(2 * rows_between_alarms)
    changes = _changes(upward.tolist(), downward.tolist(), limit)
    return tuple(_told(one, happened, said) for one in changes)


def page_hinkley(
    residuals: npt.ArrayLike, *, delta: float, threshold: float, rows_min: int = ROWS_MIN
) -> tuple[Change, ...]:
    """Return where the mean of residuals (n,), in order of maturity, rose or fell.

    Parameters
    ----------
    residuals
        Finite numbers.
    delta
        How far a row may be from the mean and still speak against a change: half the change that should be
        found.
    threshold
        How much evidence tells of a change, in the residuals' unit.
    rows_min
        How many rows come first after a change.

    Notes
    -----
    With m_t the mean of the rows since the last change, the row t included, U_t = max(0, U_{t-1} + x_t - m_t
    - delta) tells of a rise above the threshold, L_t = max(0, L_{t-1} - x_t + m_t - delta) of a fall. Each is
    the difference of a sum and the least it ever was, which is how Page wrote it.
    """
    values = np.asarray(residuals, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        message = "residuals are finite numbers in one dimension"
        raise ProgrammingError(message)
    if not (delta >= 0 and threshold > 0 and rows_min >= 1):
        message = "delta is not negative, the threshold positive, and one row comes first at least"
        raise ProgrammingError(message)
    changes, nothing = _means(values, delta, threshold, rows_min), np.zeros(len(values))
    return tuple(_told(one, values, nothing) for one in changes)


# -- the charts ----------------------------------------------------------------------------


def _evidence(chances: Reals, labels: Reals, factor: float) -> Reals:
    """Return how much likelier labels (n,) are at ``factor`` times the odds, as logarithms."""
    return labels * math.log(factor) - np.log1p(chances * (factor - 1))


def _changes(upward: list[float], downward: list[float], limit: float) -> Iterator[tuple[int, int, bool]]:
    """Yield since which row, at which row and whether upward the evidence of a chart passed the limit."""
    high = low = 0.0
    high_since = low_since = 0
    for row, (up, down) in enumerate(zip(upward, downward, strict=True)):
        high, low = high + up, low + down
        if high <= 0:
            high, high_since = 0.0, row + 1
        if low <= 0:
            low, low_since = 0.0, row + 1
        if high > limit or low > limit:
            yield (high_since, row, True) if high > limit else (low_since, row, False)
            high = low = 0.0
            high_since = low_since = row + 1


def _means(values: Reals, delta: float, threshold: float, rows_min: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the same for the chart of Page and Hinkley, which compares with the mean so far."""
    mean = high = low = 0.0
    first = high_since = low_since = 0
    for row, value in enumerate(values.tolist()):
        count = row + 1 - first
        mean += (value - mean) / count
        high, low = high + (value - mean - delta), low - (value - mean + delta)
        if high <= 0:
            high, high_since = 0.0, row + 1
        if low <= 0:
            low, low_since = 0.0, row + 1
        if count >= rows_min and (high > threshold or low > threshold):
            yield (high_since, row, True) if high > threshold else (low_since, row, False)
            mean = high = low = 0.0
            first = high_since = low_since = row + 1


def _told(change: tuple[int, int, bool], happened: Reals, predicted: Reals) -> Change:
    since, row, rises = change
    of_change = slice(since, row + 1)
    return Change(
        since=since,
        row=row,
        rises=rises,
        observed=math.fsum(happened[of_change]),
        predicted=math.fsum(predicted[of_change]),
    )
