"""Something new in what comes in, seen by the hour and without labels: too many rows, or too many alike.

An hour is compared with the same hours of days before. A pattern that is new stands somewhere: in a bin of a
column, or of the scores, there are more rows than there ought to be. Whether more than by chance is told
given how many there are in both (Przyborowski and Wilenski, *Homogeneity of results in testing samples from
Poisson series*, Biometrika 31, 1940)::

    k of an hour's n rows in a bin, c of m rows before:    k of k + c is binomial, with the share n / (n + m)

Columns whose windows still fill, and businesses that grow, differ from two weeks ago without anything being
new. So there must be too many beside the latest of those days alone as well.

What is found names the bin, so that rows like those can be held until somebody has looked at them. It never
lets a model in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc

from formicary.factory.learning.guards import Alarm
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import Rows

__all__ = ["ROWS", "SCORE", "Surge", "surges"]

Reals: TypeAlias = npt.NDArray[np.float64]

ROWS: Final = "rows"
"""In place of a column: there are too many of all kinds."""
SCORE: Final = "score"
"""In place of a column: the chance that a model tells."""

_ENDS: Final = (0.01, 0.02, 0.05, *(place / 10 for place in range(1, 10)), 0.95, 0.98, 0.99)
"""Bins are narrow where values are unusual: that is where what is new stands."""
_TAIL: Final = 4
"""What is new may fill several of them."""
_ERROR: Final = 1e-4
"""Of one look, shared among all bins of all columns: of hourly looks about one a year is wrong."""
_DEVIATIONS: Final = 6.0
"""So far above the mean of days before, in standard deviations, there are too many rows."""
_DAYS_MIN: Final = 5
_LATEST_DAYS: Final = 4
"""What drifts has hardly moved since then, and they still have rows enough to compare with."""
_ROWS_MIN: Final = 10
"""Of fewer rows alike nobody is alarmed."""


class Surge(msgspec.Struct, frozen=True, kw_only=True):
    """More rows than there ought to be.

    Attributes
    ----------
    column
        Where: a column, ``SCORE`` or ``ROWS``.
    low, high
        From which value on, and up to which: those of the bin.
    found, expected
        How many rows there are, and how many there would be.
    chance
        How often there are so many by chance, beside all days before or the latest: the greater of the two.
    """

    column: str
    low: float
    high: float
    found: int
    expected: float
    chance: float

    def holds(self, rows: Rows, names: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return which rows (n,), with columns of these names, are like those; none where all kinds are."""
        if self.column not in names:
            return np.zeros(len(rows), np.bool_)
        values = rows.values[:, list(names).index(self.column)]
        return np.asarray((values >= self.low) & (values <= self.high), np.bool_)

    @property
    def alarm(self) -> Alarm:
        """What is said of it."""
        said = f"{self.found:,} rows, not {self.expected:,.1f}"
        if self.column != ROWS:
            said += f", have a {self.column} of {self.low:.4g} to {self.high:.4g}"
        return Alarm(name=f"incoming {self.column}", figure=float(self.found), bound=self.expected, said=said)


def surges(
    latest: tuple[Rows, Reals], before: tuple[Rows, Reals], names: Sequence[str], *, days: int
) -> list[Surge]:
    """Return what there is too much of, the least probable first.

    Parameters
    ----------
    latest
        The rows (n) of an hour or another span of a day, and their chances (n,), NaN where there are none.
    before
        Those (m) of the same span on each of so many days before.
    names
        Of the rows' columns.
    days
        How many, at least five: fewer tell nothing.
    """
    rows, scores = latest
    rows_before, scores_before = before
    if days < _DAYS_MIN or not len(rows) or not len(rows_before):
        return []
    columns = {
        name: (rows.values[:, place], rows_before.values[:, place]) for place, name in enumerate(names)
    }
    columns[SCORE] = (scores, scores_before)
    is_late = rows_before.at > rows_before.at[-1] - _LATEST_DAYS * DAY
    error = _ERROR / (len(columns) * (len(_ENDS) + 1 + 2 * (_TAIL - 1)))
    found = [
        one for name, both in columns.items() for one in _in_bins(name, *both, is_late) if one.chance < error
    ]
    found += _of_all(len(rows), len(rows_before), days)
    return sorted(found, key=lambda one: one.chance)


def _of_all(count: int, count_before: int, days: int) -> Iterator[Surge]:
    """Tell whether there are too many rows; days differ by more than the root of their rows."""
    mean = count_before / days
    spread = _DEVIATIONS * (math.sqrt(mean) + mean / 10)
    if count > mean + spread:
        yield Surge(column=ROWS, low=-math.inf, high=math.inf, found=count, expected=mean, chance=0.0)


def _in_bins(
    name: str, values: Reals, values_before: Reals, is_late: npt.NDArray[np.bool_]
) -> Iterator[Surge]:
    """Go through bins of a column with enough rows; values that are missing are in none.

    ``is_late`` says which values before (m,) are of the latest days.
    """
    is_there = ~np.isnan(values_before)
    now, then = values[~np.isnan(values)], values_before[is_there]
    late = then[is_late[is_there]]
    if not len(now) or not len(late):
        return
    ends = np.unique(np.quantile(then, _ENDS))
    counts, counts_before, counts_late = (
        np.bincount(np.searchsorted(ends, one), minlength=len(ends) + 1) for one in (now, then, late)
    )
    edges = np.concatenate([[-np.inf], ends, [np.inf]])
    for first, after in _spans(len(counts)):
        count, count_before, count_late = (
            int(one[first:after].sum()) for one in (counts, counts_before, counts_late)
        )
        if count >= _ROWS_MIN:
            yield Surge(
                column=name,
                # A bin ends with its upper end, and begins behind its lower one.
                low=float(np.nextafter(edges[first], np.inf)) if first else -math.inf,
                high=float(edges[after]),
                found=count,
                expected=float(count_before * len(now) / len(then)),
                chance=max(
                    _chance(count, len(now), count_before, len(then)),
                    _chance(count, len(now), count_late, len(late)),
                ),
            )


def _chance(count: int, rows: int, count_before: int, rows_before: int) -> float:
    """Return how often so many of rows are in a bin by chance, beside so many of those before."""
    return float(bdtrc(count - 1, count + count_before, rows / (rows + rows_before)))


def _spans(bins: int) -> Iterator[tuple[int, int]]:
    """Go through spans of bins: each one, and all from either end on to where values are unusual."""
    yield from ((place, place + 1) for place in range(bins))
    tail = min(_TAIL, bins - 1)
    yield from ((0, place) for place in range(2, tail + 1))
    yield from ((bins - place, bins) for place in range(2, tail + 1))
