"""Cutting a column into the bins that tell most about the label.

The bins of a column are the partition of its ordered groups with the greatest likelihood of the labels, less
a cost for every bin: found exactly by dynamic programming over all partitions, as Fisher did for one-way
classification (*On grouping for maximum homogeneity*, JASA 53, 1958). Bins below the minimum share or with
too few of a class are no candidates, nor are neighbours that break a constraint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from formicary.factory.models._checks import Integers, Reals, sums

__all__ = ["BinRules", "Cut", "Groups", "cut", "group_categories", "group_numbers"]

# Quantiles to begin with: a bin of the minimum share is then made of three or more.
_GROUPS_MAX: Final = 64
_MISSING_CODE: Final = -1


@dataclass(frozen=True, slots=True)
class BinRules:
    """What a bin must have.

    Attributes
    ----------
    share_min
        Of the mass of all rows, from 0 to 1.
    class_rows_min
        Rows of either label.
    cost
        Likelihood, in natural units, that a bin must gain: 1.92 is half the 95% quantile of the chi-squared
        distribution with one degree of freedom, what a cut that means nothing gains once in twenty times.
    smoothing
        Rows of the whole table's mix of labels added to every bin before its weight of evidence is told.
    rare_rows
        Categories of fewer rows, or with too few of a class, are grouped as one before anything else.
    """

    share_min: float = 0.05
    class_rows_min: int = 5
    cost: float = 1.92
    smoothing: float = 2.0
    rare_rows: int = 20


class Groups(NamedTuple):
    """A column as small groups, each of which lies in one bin as a whole: made once, cut as often as needed.

    ``places`` (n,) are the groups of the rows, b where a value is missing; ``members`` (b,) are the highest
    number of each group, or its category.
    """

    is_categorical: bool
    places: Integers
    members: npt.NDArray[Any]

    def rows(self, chosen: npt.NDArray[Any]) -> Groups:
        """Return the chosen rows, by number or by a flag for each."""
        return self._replace(places=self.places[chosen])


class Cut(NamedTuple):
    """The bins of a column: how to find them and what they hold.

    ``ends`` (k - 1,) are the highest values of all bins but the last; ``codes`` are the categories of each.
    Counts and weights (k + 1,) are those of the bins, and last of missing values; ``group_weights`` (b + 1,)
    are those of the groups that were cut, all 0 where they tell nothing.
    """

    ends: Reals
    codes: tuple[tuple[int, ...], ...]
    rows: Integers
    mass: Reals
    positives: Reals
    weights: Reals
    group_weights: Reals

    @property
    def tells(self) -> bool:
        """Whether two bins that hold something weigh differently."""
        return len(np.unique(self.weights[self.rows > 0])) > 1


class _Counts(NamedTuple):
    """What is partitioned: rows of each class and their masses, (b, 2) each."""

    rows: Reals
    masses: Reals


def group_numbers(values: Reals) -> Groups:
    """Return the quantiles of numbers (n,), NaN where missing, or the numbers themselves if they are few."""
    highest, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(highest) > _GROUPS_MAX:
        middles = np.cumsum(counts) - counts * 0.5
        quantiles = (middles * _GROUPS_MAX / counts.sum()).astype(np.int64)
        highest = highest[np.flatnonzero(np.diff(quantiles, append=_GROUPS_MAX))]
    # What is no number is sorted behind all numbers, and so in the place of missing ones.
    return Groups(False, np.searchsorted(highest, values, side="left"), highest)


def group_categories(codes: Integers) -> Groups:
    """Return a group of each category (n,), -1 where missing."""
    known = np.unique(codes[codes != _MISSING_CODE])
    places = np.where(codes == _MISSING_CODE, len(known), np.searchsorted(known, codes))
    return Groups(True, places, known)


def cut(groups: Groups, labels: Reals, masses: Reals, *, direction: int, rules: BinRules) -> Cut:
    """Return the bins of a column whose rows have labels and masses (n,).

    Bins of numbers have weights that rise or fall as declared: ``direction`` is 1 where a higher value may
    not lower the odds, -1 where it may not raise them, else 0. Categories share a bin where they are alike in
    their weight of evidence.
    """
    count = len(groups.members)
    counted = _counted(groups.places, labels, masses, count + 1)
    present, prior = _Counts(counted.rows[:-1], counted.masses[:-1]), _prior(labels, masses)
    bin_of = np.zeros(count + 1, np.int64)
    if groups.is_categorical and count:
        bin_of[:-1] = _bins_of_categories(present, prior, float(masses.sum()), rules=rules)
    elif count:
        lasts = _partition(present, prior, float(masses.sum()), direction=direction, rules=rules)
        bin_of[:-1] = np.searchsorted(lasts, np.arange(count), side="left")
    bins = int(bin_of[:-1].max(initial=-1)) + 1
    bin_of[-1] = bins
    found = _described(counted, bin_of, prior, rules=rules)
    if groups.is_categorical:
        members = [groups.members[bin_of[:-1] == place].tolist() for place in range(bins)]
        return found._replace(codes=tuple(map(tuple, members)))
    return found._replace(ends=groups.members[np.flatnonzero(np.diff(bin_of[:-1]))])


def _bins_of_categories(counted: _Counts, prior: float, total: float, *, rules: BinRules) -> Integers:
    """Return the bin (b,) of each category, -1 of one that no row has."""
    is_rare = (counted.rows.sum(axis=1) < rules.rare_rows) | (counted.rows < rules.class_rows_min).any(axis=1)
    # All rare ones are in the first group, which may be empty of them.
    _, group_of = np.unique(np.where(is_rare, 0, np.cumsum(~is_rare)), return_inverse=True)
    together = _Counts(*(_summed(group_of, array) for array in counted))
    order = np.argsort(_evidence(together.masses, prior, smoothing=rules.smoothing), kind="stable")
    ordered = _Counts(together.rows[order], together.masses[order])
    lasts = _partition(ordered, prior, total, direction=0, rules=rules)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return np.where(counted.rows.any(axis=1), np.searchsorted(lasts, rank[group_of], side="left"), -1)


def _partition(groups: _Counts, prior: float, total: float, *, direction: int, rules: BinRules) -> Integers:
    """Return the last group of each bin (k,) of the best partition of groups (b,); one bin if none may be."""
    count = len(groups.rows)
    rows, masses = (_between(array) for array in groups)
    allowed = (masses.sum(axis=2) >= rules.share_min * total) & (rows >= rules.class_rows_min).all(axis=2)
    value = np.where(allowed, _likelihood(masses) - rules.cost, -np.inf)
    evidence = _evidence(masses, prior, smoothing=rules.smoothing) * direction
    # best[i, j] is that of groups up to j whose last bin begins at i; before[i, j] where the one before does.
    best = value.copy()
    before = np.full((count, count + 1), -1)
    for first in range(1, count):
        candidates = best[:first, first, None]
        # Without a direction the bin before is the same, wherever this one ends.
        if direction:
            ordered = evidence[:first, first, None] <= evidence[None, first, first + 1 :]
            candidates = np.where(ordered, candidates, -np.inf)
        before[first, first + 1 :] = candidates.argmax(axis=0)
        best[first, first + 1 :] = value[first, first + 1 :] + candidates.max(axis=0)
    first, after = int(best[:, count].argmax()), count
    if best[first, count] == -np.inf:
        return np.array([count - 1])
    lasts = []
    while first >= 0:
        lasts.append(after - 1)
        first, after = int(before[first, after]), first
    return np.array(lasts[::-1])


def _between(array: Reals) -> Reals:
    """Return the sums (b, b + 1, 2) of groups (b, 2) from each first one to before each other."""
    summed = np.concatenate((np.zeros((1, 2)), np.cumsum(array, axis=0)))
    return np.maximum(summed[None] - summed[:-1, None], 0.0)


def _likelihood(masses: Reals) -> Reals:
    """Return the greatest log likelihood of masses (..., 2) of both labels under one probability."""
    total = masses.sum(axis=-1, keepdims=True)
    shares = np.divide(masses, total, out=np.ones_like(masses), where=total > 0)
    return np.asarray(xlogy(masses, shares).sum(axis=-1), np.float64)


def _evidence(masses: Reals, prior: float, *, smoothing: float) -> Reals:
    """Return weights of evidence for label 1 of masses (..., 2): log odds over those of the whole table.

    Good, *Probability and the weighing of evidence*, 1950; smoothed by rows of the table's own mix, so that
    nothing seen weighs nothing.
    """
    negatives = masses[..., 0] + smoothing * (1 - prior)
    positives = masses[..., 1] + smoothing * prior
    return np.asarray(np.log(positives / negatives) - np.log(prior / (1 - prior)), np.float64)


def _prior(labels: Reals, masses: Reals) -> float:
    return float((masses * labels).sum() / masses.sum())


def _counted(groups: Integers, labels: Reals, masses: Reals, count: int) -> _Counts:
    kept = (masses > 0).astype(np.float64)
    rows = [sums(groups, kept * is_label, count=count) for is_label in (1 - labels, labels)]
    mass = [sums(groups, masses * is_label, count=count) for is_label in (1 - labels, labels)]
    return _Counts(np.column_stack(rows), np.column_stack(mass))


def _summed(groups: Integers, array: Reals) -> Reals:
    """Return the sums (k, 2) of an array (b, 2) by groups (b,); what is in group -1 is in none."""
    kept = groups >= 0
    return np.column_stack([sums(groups[kept], side[kept]) for side in array.T])


def _described(counted: _Counts, bin_of: Integers, prior: float, *, rules: BinRules) -> Cut:
    """Return what the bins (b + 1,) of groups hold, that of missing values last."""
    rows, masses = (_summed(bin_of, array) for array in counted)
    weights = _evidence(masses, prior, smoothing=rules.smoothing)
    # A few missing values that do not earn their cost as a bin say nothing.
    missing = masses[-1]
    gain = _likelihood(missing) - xlogy(missing[0], 1 - prior) - xlogy(missing[1], prior)
    if gain < rules.cost or not missing.any():
        weights[-1] = 0.0
    found = Cut(
        ends=np.empty(0),
        codes=(),
        rows=rows.sum(axis=1).astype(np.int64),
        mass=masses.sum(axis=1),
        positives=masses[:, 1],
        weights=weights,
        group_weights=np.zeros(len(bin_of)),
    )
    # A category that no row has is one that was never seen.
    return found._replace(group_weights=np.where(bin_of >= 0, weights[bin_of], 0.0)) if found.tells else found
