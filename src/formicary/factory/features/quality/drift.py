"""Whether a window's values still look like those a model was trained on, told from two sketches.

Both sketches count in the same buckets, so whatever is cut at the bounds of buckets is exact: bins are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import SKETCH_BUCKETS_MAX
from formicary.factory.features.quality._buckets import Keys, collapsed, keys_of
from formicary.factory.features.quality.sketch import ValueSketch

__all__ = ["SMOOTHING", "Stability", "distance_bounds", "stability"]

Counts = npt.NDArray[np.int64]

SMOOTHING: Final = 0.5
"""Rows added to every bin, so that none is empty (Krichevsky and Trofimov, 1981)."""

_BINS: Final = 10
# The keys of the first and last whole number such that it, and all between, have a bucket of their own: 50 is
# above 49 by more than the ratio of a bucket's bounds.
_KEYS_OF_WHOLE: Final = tuple(keys_of(np.array([1.0, 49.0])).tolist())
# The standard normal distribution's quantile at 0.99.
_NORMAL_99: Final = 2.3263478740408408


@dataclass(frozen=True, slots=True)
class Stability:
    """A population stability index, and what chance alone would make of it.

    Attributes
    ----------
    index
        The sum over bins of (p - q) log(p / q), p and q the shares of window and reference; NaN without rows.
    bins
        How many there are, the one of missing values included.
    by_chance
        What it stays below 99 times in 100 where nothing drifted: under two samples of n and m rows of one
        distribution, index / (1 / n + 1 / m) is about chi-squared with one degree of freedom less than bins
        (Yurdakul and Naranjo, *Statistical properties of the population stability index*, 2020).
    """

    index: float
    bins: int
    by_chance: float


def stability(reference: ValueSketch, window: ValueSketch) -> Stability:
    """Compare a window's values with a reference's.

    Bins end at the reference's deciles, at the bounds of the buckets they lie in; equal deciles make one bin,
    the last bin holds what is above them, and missing values are a bin of their own. ``SMOOTHING`` rows are
    added to each.
    """
    _, of_reference, of_window = _aligned(reference, window)
    ends = _decile_buckets(of_reference)
    bins = np.searchsorted(ends, np.arange(len(of_reference)), side="left")
    counts = np.zeros((2, len(ends) + 2), np.int64)
    np.add.at(counts[0], bins, of_reference)
    np.add.at(counts[1], bins, of_window)
    counts[:, -1] = reference.missing, window.missing
    if not (reference.rows and window.rows):
        return Stability(math.nan, counts.shape[1], math.nan)
    expected, found = (counts + SMOOTHING) / (counts + SMOOTHING).sum(axis=1, keepdims=True)
    index = float(((found - expected) * np.log(found / expected)).sum())
    chance = _chi_squared_99(counts.shape[1] - 1) * (1 / reference.rows + 1 / window.rows)
    return Stability(index, counts.shape[1], chance)


def distance_bounds(reference: ValueSketch, window: ValueSketch) -> tuple[float, float]:
    """Return between what the Kolmogorov-Smirnov distance lies: the largest difference of two distributions.

    At the bounds of buckets the distributions of the values are known exactly, within a bucket only from
    where to where they go, unless it holds one value: the largest difference seen is the lower bound, the
    largest that could be is the upper. Missing values are left out; (NaN, NaN) where there is no value on one
    side.
    """
    keys, of_reference, of_window = _aligned(reference, window)
    if not (reference.present and window.present):
        return math.nan, math.nan
    after = np.cumsum(of_reference) / reference.present
    other_after = np.cumsum(of_window) / window.present
    lower = float(np.abs(after - other_after).max())
    before, other_before = (np.concatenate(([0.0], one[:-1])) for one in (after, other_after))
    within = np.maximum(after - other_before, other_after - before)
    within[_is_one_value(keys, has_fractions=bool(reference.fractions or window.fractions))] = 0.0
    return lower, max(lower, float(within.max(initial=0.0)))


def _aligned(reference: ValueSketch, window: ValueSketch) -> tuple[Keys, Counts, Counts]:
    """Return the buckets (k,) of both, and how many values of each sketch they hold (k,)."""
    both = np.concatenate((reference.keys, window.keys))
    keys, places = np.unique(collapsed(both), return_inverse=True)
    counts = np.zeros((2, len(keys)), np.int64)
    known = len(reference.keys)
    np.add.at(counts[0], places[:known], reference.counts)
    np.add.at(counts[1], places[known:], window.counts)
    return keys, counts[0], counts[1]


def _is_one_value(keys: Keys, *, has_fractions: bool) -> npt.NDArray[np.bool_]:
    """Return which buckets (k,) hold one value only: zero, and whole numbers where there are no others."""
    magnitudes: Keys = np.abs(keys)
    if has_fractions or int(magnitudes.max()) >= _KEYS_OF_WHOLE[0] + SKETCH_BUCKETS_MAX:
        # Of whole numbers that far apart the smallest share a bucket.
        return np.equal(keys, 0)
    alone: npt.NDArray[np.bool_] = magnitudes <= _KEYS_OF_WHOLE[1]
    return alone


def _decile_buckets(counts: Counts) -> Counts:
    """Return which buckets (d,) hold the deciles from the first to the ninth of values counted (k,)."""
    total = int(counts.sum())
    if not total:
        return np.empty(0, np.int64)
    # In whole numbers, so that a decile at a bucket's bound is in that bucket.
    deciles = np.arange(1, _BINS) * total
    return np.unique(np.searchsorted(np.cumsum(counts) * _BINS, deciles, side="left"))


def _chi_squared_99(degrees: int) -> float:
    """Return the quantile at 0.99 of the chi-squared distribution, within 3% (Wilson and Hilferty, 1931)."""
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + _NORMAL_99 * math.sqrt(spread)) ** 3)
