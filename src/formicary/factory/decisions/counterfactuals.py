"""What would have had to be otherwise: the smallest change of a decision's values that flips its outcome.

A forest and rules only see on which side of its *cuts* a value lies: the thresholds of the forest, the
constants that rules compare it with. So the changes to be tried are finite: to each cut, and to just beyond
it, in the directions in which somebody can change the value at all (``Lever``).

The *distance* of a change is the share of a lever's marks that it crosses, where a mark that a value lies on
counts half; of changes of two values, the sum. With the cuts as marks it is the share of all distinctions
that are made of the value; with the values of a training set, the share of people whom one passes: the
percentile shift of Ustun, Spangher and Liu, *Actionable recourse in linear classification*, 2019. It needs no
unit, so that years and money can be compared.

All changes of one value are tried first, then those of two that are nearer, the nearest first and as many as
a limit allows, which the pairs share evenly. Nothing is told that was not judged.

Each value is changed by itself. Where one follows from another, as a ratio from an amount, the judge has to
compute it again, and only what it follows from is a lever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.limits import COUNTERFACTUAL_ROWS_MAX

__all__ = ["Change", "Counterfactual", "Direction", "Found", "Judge", "Lever", "smallest_changes"]

Reals: TypeAlias = npt.NDArray[np.float64]
Judge: TypeAlias = Callable[[Reals], npt.ArrayLike]
"""Returns outcomes (n,) of values (n, features), each by itself."""

_ROWS_AT_ONCE: Final = 4_096


class Direction(StrEnum):
    """Where a value can be changed to."""

    UP = "up"
    DOWN = "down"
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A value that somebody can change.

    Attributes
    ----------
    feature
        Its column.
    cuts
        What it is compared with, in any order: thresholds and constants.
    direction
        Where it can be changed to.
    step
        What it is a whole multiple of, as 1 for amounts and counts; 0 for a value without steps.
    marks
        What distances are measured by, in any order, several of a value allowed: the values of a training
        set, or quantiles. The cuts unless given.
    """

    feature: int
    cuts: tuple[float, ...]
    direction: Direction = Direction.ANY
    step: float = 0.0
    marks: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value, and what it would have had to be."""

    feature: int
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class Counterfactual:
    """Changes that flip the outcome together, and how far they are."""

    changes: tuple[Change, ...]
    distance: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    nearest
        The nearest for each set of values that flips the outcome, the nearest first.
    judged
        How many changes were judged.
    is_complete
        Whether every change of one value, and every one of two that is nearer, was judged; if not, there may
        be nearer ones.
    """

    nearest: tuple[Counterfactual, ...]
    judged: int
    is_complete: bool


def smallest_changes(
    values: npt.ArrayLike,
    judge: Judge,
    levers: Sequence[Lever],
    *,
    wanted: Sequence[int],
    rows_max: int = COUNTERFACTUAL_ROWS_MAX,
) -> Found:
    """Search for the smallest changes that give a decision another outcome.

    A value that is missing is not changed: nobody can say from where.

    Parameters
    ----------
    values
        (features,) of the decision.
    judge
        What decides.
    levers
        Which values can be changed, each once.
    wanted
        The outcomes that it would have been better to get.
    rows_max
        How many changes are judged at most.

    Raises
    ------
    ProgrammingError
        A lever is none of the values or there twice; the decision has a wanted outcome; or the judge judges a
        row otherwise alone.
    """
    given = np.asarray(values, np.float64)
    features = [lever.feature for lever in levers]
    if given.ndim != 1 or len(set(features)) < len(features) or not set(features) <= set(range(len(given))):
        message = f"each of {features} is to be one of {given.shape} values, and there once"
        raise ProgrammingError(message)
    search = _Search(given, judge, tuple(wanted), rows_max)
    if search.is_wanted(given):
        message = "the decision has a wanted outcome as it is"
        raise ProgrammingError(message)
    tried = [_tried(given, lever) for lever in levers]
    singles = [search.nearest((one,), rows_max=search.rows_left) for one in tried]
    found = [one for one in singles if one is not None]
    pairs = list(combinations(zip(singles, tried, strict=True), 2))
    for place, ((first, one), (second, other)) in enumerate(pairs):
        # What needs one change is not told with another one beside it.
        bound = min((single.distance for single in (first, second) if single), default=np.inf)
        share = search.rows_left // (len(pairs) - place)
        pair = search.nearest((one, other), below=bound, rows_max=share)
        if pair is not None:
            found.append(pair)
    found.sort(key=lambda one: (one.distance, len(one.changes)))
    return Found(nearest=tuple(found), judged=search.judged, is_complete=search.is_complete)


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """The values that a lever is changed to, the nearest first, and their distances."""

    feature: int
    values: Reals
    distances: Reals


def _tried(given: Reals, lever: Lever) -> _Tried:
    now = given[lever.feature]
    cuts = np.unique(np.asarray(lever.cuts, np.float64))
    cuts = cuts[np.isfinite(cuts)]
    if lever.step:
        # The multiples at the cut, or around it.
        below = np.floor(cuts / lever.step) * lever.step
        near = np.concatenate([below - lever.step, below, below + lever.step])
    else:
        near = np.concatenate([np.nextafter(cuts, -np.inf), cuts, np.nextafter(cuts, np.inf)])
    near = np.unique(near)
    is_allowed = {
        Direction.UP: near > now,
        Direction.DOWN: near < now,
        # Nothing is unequal to what is missing, nor above it.
        Direction.ANY: (near > now) | (near < now),
    }[lever.direction]
    near = near[is_allowed]
    marks = np.sort(np.asarray(lever.marks or lever.cuts, np.float64))
    distances = np.abs(_share_below(marks, near) - _share_below(marks, np.array([now])))
    # Of two that are as far, the one that changes the value less.
    order = np.lexsort((np.abs(near - now), distances))
    return _Tried(feature=lever.feature, values=near[order], distances=distances[order])


def _share_below(marks: Reals, values: Reals) -> Reals:
    """Return which share of sorted marks lies below each value, (n,); one that is equal counts half."""
    below = np.searchsorted(marks, values, "left") + np.searchsorted(marks, values, "right")
    return below / max(2 * len(marks), 1)


@dataclass
class _Search:
    """One search, and what it has cost so far."""

    given: Reals
    judge: Judge
    wanted: tuple[int, ...]
    rows_left: int
    judged: int = 0
    is_complete: bool = True

    def nearest(
        self, tried: Sequence[_Tried], *, rows_max: int, below: float = np.inf
    ) -> Counterfactual | None:
        """Return the nearest change of all these values together that is wanted, and nearer than a bound."""
        places, distances = _nearest_first(tried, below, rows_max + 1)
        if len(distances) > rows_max:
            self.is_complete = False
        for first in range(0, min(len(distances), rows_max), _ROWS_AT_ONCE):
            block = slice(first, min(first + _ROWS_AT_ONCE, rows_max))
            rows = np.repeat(self.given[None], len(distances[block]), axis=0)
            for one, place in zip(tried, places, strict=True):
                rows[:, one.feature] = one.values[place[block]]
            self.rows_left -= len(rows)
            self.judged += len(rows)
            flipped = np.flatnonzero(np.isin(np.asarray(self.judge(rows)), self.wanted))
            if len(flipped):
                return self._told(tried, rows[flipped[0]], float(distances[block][flipped[0]]))
        return None

    def is_wanted(self, row: Reals) -> bool:
        """Return whether a row, judged alone, has a wanted outcome."""
        return bool(np.isin(np.asarray(self.judge(row[None])), self.wanted)[0])

    def _told(self, tried: Sequence[_Tried], row: Reals, distance: float) -> Counterfactual:
        # Whoever is told that it would have been enough must find it so.
        if not self.is_wanted(row):
            message = "a row was judged otherwise alone than among others"
            raise ProgrammingError(message)
        changes = tuple(
            Change(
                feature=one.feature,
                before=float(self.given[one.feature]),
                after=float(row[one.feature]),
            )
            for one in tried
        )
        return Counterfactual(changes=changes, distance=distance)


def _nearest_first(
    tried: Sequence[_Tried], below: float, most: int
) -> tuple[list[npt.NDArray[np.int64]], Reals]:
    """Return places in the values of each, and distances, of the nearest ``most`` changes of all together."""
    # Whatever takes the i-th of one and the j-th of another has i times j that are as near before it.
    grid = np.meshgrid(*(np.arange(min(len(one.values), most)) for one in tried), indexing="ij")
    is_near = np.prod([places + 1 for places in grid], axis=0) <= most
    places = [one[is_near] for one in grid]
    distances = np.zeros(int(is_near.sum()))
    for one, place in zip(tried, places, strict=True):
        distances += one.distances[place]
    order = np.argsort(distances, kind="stable")
    order = order[: min(int(np.searchsorted(distances[order], below, "left")), most)]
    return [place[order] for place in places], distances[order]
