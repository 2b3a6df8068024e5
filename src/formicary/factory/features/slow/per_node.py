"""Sums, means and extremes per node, over rows that name their node; the order of rows decides the last bit.

``node`` is (r,) of 0 … n - 1 and ``size`` is n throughout. Integers are summed as integers.
A float is NaN where there is nothing to compute it of.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Columns",
    "Floats",
    "Integers",
    "count",
    "largest",
    "mean",
    "most",
    "ratio",
    "smallest",
    "spread",
    "total",
]

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Columns: TypeAlias = dict[str, npt.NDArray[Any]]
"""Features by name, (n,) each, in order of the nodes."""


def count(node: Integers, size: int) -> Integers:
    """Return the number of rows of each node, (n,)."""
    return np.bincount(node, minlength=size)


def total(node: Integers, values: Integers, size: int) -> Integers:
    """Return the sum of integers (r,) of each node, (n,)."""
    sums = np.zeros(size, np.int64)
    np.add.at(sums, node, values)
    return sums


def most(node: Integers, values: Integers, size: int) -> Integers:
    """Return the largest integer (r,) of each node, (n,), and zero for none."""
    found = np.zeros(size, np.int64)
    np.maximum.at(found, node, values)
    return found


def largest(node: Integers, values: npt.NDArray[Any], size: int) -> Floats:
    """Return the largest value (r,) of each node, (n,); NaN among the values counts as none."""
    found = np.full(size, np.nan)
    np.fmax.at(found, node, values)
    return found


def smallest(node: Integers, values: npt.NDArray[Any], size: int) -> Floats:
    """Return the smallest value (r,) of each node, (n,); NaN among the values counts as none."""
    found = np.full(size, np.nan)
    np.fmin.at(found, node, values)
    return found


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """Return ``part / whole`` (n,), NaN where the whole is zero."""
    result = np.full(len(whole), np.nan)
    np.divide(part, whole, out=result, where=whole != 0)
    return result


def mean(node: Integers, values: npt.NDArray[Any], size: int) -> Floats:
    """Return the mean of the values (r,) of each node, (n,); NaN among the values counts as none."""
    there = ~np.isnan(values)
    sums = np.bincount(node[there], weights=values[there], minlength=size)
    return ratio(sums, np.bincount(node[there], minlength=size))


def spread(node: Integers, values: Integers, size: int) -> Floats:
    """Return the standard deviation (of the population, in two passes) of integers of each node, (n,)."""
    count_ = count(node, size)
    off = values - ratio(total(node, values, size), count_)[node]
    return np.sqrt(ratio(np.bincount(node, weights=off * off, minlength=size), count_))
