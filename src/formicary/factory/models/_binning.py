"""Cutting a column into the bins that tell most about the label.

The bins of a column are the partition of its ordered groups with the greatest likelihood of the labels, less
a cost for every bin: found exactly by dynamic programming over all partitions, as Fisher did for one-way
classification (*On grouping for maximum homogeneity*, JASA 53, 1958). Bins below the minimum share or with
too few of a class are no candidates, nor are neighbours that break a constraint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.special import xlogy

from formicary.factory.models._checks import Integers, Reals, sums

__all__ = ["BinRules", "Cut", "cut_categories", "cut_numbers"]

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


class Cut(NamedTuple):
    """The bins of a column: how to find them and what they hold.

    ``ends`` (k - 1,) are the highest values of all bins but the last; ``codes`` are the categories of each.
    Counts and weights (k + 1,) are those of the bins, and last of missing values.
    """

    ends: Reals
    codes: tuple[tuple[int, ...], ...]
    rows: Integers
    mass: Reals
    positives: Reals
    weights: Reals


class _Groups(NamedTuple):
    """What is partitioned: rows of each class and their masses, (b, 2) each."""

    rows: Reals
    masses: Reals


def cut_numbers(values: Reals, labels: Reals, masses: Reals, *, direction: int, rules: BinRules) -> Cut:
    """Return the bins of numbers (n,), NaN where missing, with weights that rise or fall as declared.

    ``direction`` is 1 where a higher value may not lower the odds, -1 where it may not raise them, else 0.
    """
    present = ~np.isnan(values)
    known, places = np.unique(values[present], return_inverse=True)
    if not len(known):
        return _described(np.zeros(len(values), np.int64), 0, labels, masses, rules=rules)
    group_of_value = np.arange(len(known))
    if len(known) > _GROUPS_MAX:
        mass = sums(places, masses[present])
        middles = np.cumsum(mass) - mass * 0.5
        quantiles = (middles * _GROUPS_MAX / mass.sum()).astype(np.int64)
        _, group_of_value = np.unique(quantiles, return_inverse=True)
    highest = known[np.flatnonzero(np.diff(group_of_value, append=group_of_value[-1] + 1))]
    groups = _counted(group_of_value[places], labels[present], masses[present], len(highest))
    lasts = _partition(groups, _prior(labels, masses), float(masses.sum()), direction=direction, rules=rules)
    ends = highest[lasts[:-1]]
    bins = np.where(present, np.searchsorted(ends, values, side="left"), len(lasts))
    return _described(bins, len(lasts), labels, masses, rules=rules)._replace(ends=ends)


def cut_categories(codes: Integers, labels: Reals, masses: Reals, *, rules: BinRules) -> Cut:
    """Return groups of categories (n,), -1 where missing, that are alike in their weight of evidence."""
    present = codes != _MISSING_CODE
    known, places = np.unique(codes[present], return_inverse=True)
    if not len(known):
        return _described(np.zeros(len(codes), np.int64), 0, labels, masses, rules=rules)
    prior = _prior(labels, masses)
    counted = _counted(places, labels[present], masses[present], len(known))
    is_rare = (counted.rows.sum(axis=1) < rules.rare_rows) | (counted.rows < rules.class_rows_min).any(axis=1)
    # All rare ones are in the first group, which may be empty of them.
    group_of_code = np.where(is_rare, 0, np.cumsum(~is_rare))
    _, group_of_code = np.unique(group_of_code, return_inverse=True)
    groups = _counted(group_of_code[places], labels[present], masses[present], int(group_of_code.max()) + 1)
    order = np.argsort(_evidence(groups.masses, prior, smoothing=rules.smoothing), kind="stable")
    ordered = _Groups(groups.rows[order], groups.masses[order])
    lasts = _partition(ordered, prior, float(masses.sum()), direction=0, rules=rules)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    bin_of_code = np.searchsorted(lasts, rank[group_of_code], side="left")
    bins = np.full(len(codes), len(lasts))
    bins[present] = bin_of_code[places]
    members = tuple(tuple(known[bin_of_code == place].tolist()) for place in range(len(lasts)))
    return _described(bins, len(lasts), labels, masses, rules=rules)._replace(codes=members)


def _partition(groups: _Groups, prior: float, total: float, *, direction: int, rules: BinRules) -> Integers:
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
        ordered = evidence[:first, first, None] <= evidence[None, first]
        candidates = np.where(ordered, best[:first, first, None], -np.inf)
        before[first] = candidates.argmax(axis=0)
        best[first] = value[first] + candidates.max(axis=0)
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


def _counted(groups: Integers, labels: Reals, masses: Reals, count: int) -> _Groups:
    kept = (masses > 0).astype(np.float64)
    rows = [sums(groups, kept * is_label, count=count) for is_label in (1 - labels, labels)]
    mass = [sums(groups, masses * is_label, count=count) for is_label in (1 - labels, labels)]
    return _Groups(np.column_stack(rows), np.column_stack(mass))


def _described(bins: Integers, count: int, labels: Reals, masses: Reals, *, rules: BinRules) -> Cut:
    """Return what bins (n,) hold, ``count`` standing for missing values."""
    counted = _counted(bins, labels, masses, count + 1)
    prior = _prior(labels, masses)
    weights = _evidence(counted.masses, prior, smoothing=rules.smoothing)
    # A few missing values that do not earn their cost as a bin say nothing.
    missing = counted.masses[-1]
    gain = _likelihood(missing) - xlogy(missing[0], 1 - prior) - xlogy(missing[1], prior)
    if gain < rules.cost:
        weights[-1] = 0.0
    rows = counted.rows.sum(axis=1).astype(np.int64)
    return Cut(np.empty(0), (), rows, counted.masses.sum(axis=1), counted.masses[:, 1], weights)
