"""Drift is told from sketches as it would be from the values themselves."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from formicary.factory.features.quality._buckets import RELATIVE_ERROR, keys_of
from formicary.factory.features.quality.drift import _chi_squared_99, distance_bounds, stability
from formicary.factory.features.quality.sketch import ValueSketch, sketch_of

# Thousandths, since the smallest of values that lie further apart share a bucket.
values = st.lists(
    st.one_of(
        st.just(math.nan),
        st.integers(-5, 20).map(float),
        st.floats(-1e5, 1e5).map(lambda value: round(value, 3)),
    ),
    max_size=60,
)


def index_of(reference: np.ndarray, window: np.ndarray) -> float:
    """Return the index from the values themselves, cut where the buckets of the reference's deciles end."""
    present = np.sort(reference[~np.isnan(reference)])
    ranks = [math.ceil(decile * len(present) / 10) - 1 for decile in range(1, 10)] if len(present) else []
    ends = sorted({int(keys_of(present[rank : rank + 1])[0]) for rank in ranks})
    shares = []
    for column in (reference, window):
        keys = keys_of(column[~np.isnan(column)])
        counts = [0.0] * (len(ends) + 1)
        for key in keys.tolist():
            counts[sum(key > end for end in ends)] += 1
        counts.append(float(np.isnan(column).sum()))
        total = sum(counts) + 0.5 * len(counts)
        shares.append([(count + 0.5) / total for count in counts])
    return math.fsum((new - old) * math.log(new / old) for old, new in zip(*shares, strict=True))


@settings(deadline=None)
@given(values, values)
def test_the_index_is_that_of_the_values(reference: list[float], window: list[float]) -> None:
    """It is what counting every value by hand gives, missing values and ties included."""
    old, new = np.array(reference, np.float64), np.array(window, np.float64)
    found = stability(sketch_of(old), sketch_of(new)).index
    if not (len(old) and len(new)):
        assert math.isnan(found)
        return
    assert found == pytest.approx(index_of(old, new), rel=1e-9, abs=1e-12)


whole = st.lists(st.one_of(st.just(math.nan), st.integers(-60, 60).map(float)), max_size=60)


@settings(deadline=None)
@given(*[st.one_of(values, whole)] * 2)
def test_the_distance_is_within_its_bounds(reference: list[float], window: list[float]) -> None:
    """The Kolmogorov-Smirnov distance of the values lies between the two."""
    old, new = (np.array(column, np.float64) for column in (reference, window))
    lower, upper = distance_bounds(sketch_of(old), sketch_of(new))
    old, new = old[~np.isnan(old)], new[~np.isnan(new)]
    if not (len(old) and len(new)):
        assert math.isnan(lower)
        assert math.isnan(upper)
        return
    points = np.concatenate((old, new))
    shares = [np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (old, new)]
    true = float(np.abs(shares[0] - shares[1]).max())
    assert lower - 1e-12 <= true <= upper + 1e-12


def test_bounds_of_many_values_are_narrow() -> None:
    """Of smooth distributions a bucket holds little: the bounds are within some percent."""
    chance = np.random.default_rng(1)
    old, new = chance.lognormal(3, 1, 50_000), chance.lognormal(3.3, 1, 50_000)
    lower, upper = distance_bounds(sketch_of(old), sketch_of(new))
    assert 0.1 < lower <= upper < lower + 2 * RELATIVE_ERROR


def test_bounds_of_counts_are_exact() -> None:
    """Whole numbers below fifty have a bucket each, unless others are so large that these share one."""
    chance = np.random.default_rng(6)
    old, new = chance.poisson(3, 1_000).astype(np.float64), chance.poisson(4, 1_000).astype(np.float64)
    lower, upper = distance_bounds(sketch_of(old), sketch_of(new))
    assert 0.1 < lower == upper
    old[0] = 1e300
    lower, upper = distance_bounds(sketch_of(old), sketch_of(new))
    assert lower < upper


def test_the_same_distribution_stays_below_what_chance_makes() -> None:
    """Two samples of one distribution differ by no more, but for one in a hundred; a shift is far above."""
    chance = np.random.default_rng(2)
    reference = sketch_of(chance.lognormal(3, 1, 5_000))
    above = 0
    for _ in range(300):
        found = stability(reference, sketch_of(chance.lognormal(3, 1, 400)))
        above += found.index > found.by_chance
    assert above <= 9
    moved = stability(reference, sketch_of(chance.lognormal(3.7, 1, 400)))
    assert moved.bins == 11
    assert moved.index > 0.25 > 3 * moved.by_chance


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (lambda column: column, 0.0, 1e-9),
        (lambda column: np.where(np.arange(len(column)) % 3 == 0, math.nan, column), 0.25, 20.0),
        (lambda column: column * 100, 0.25, 20.0),
        (np.zeros_like, 0.25, 20.0),
    ],
    ids=["nothing", "a third missing", "minor units for units", "a feed that tells zeros"],
)
def test_accidents_are_seen(change: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> None:
    """What goes wrong in pipelines moves the index over a quarter; the same values leave it at zero."""
    column = np.random.default_rng(3).lognormal(5, 2, 3_000)
    assert low <= stability(sketch_of(column), sketch_of(change(column))).index <= high


def test_a_constant_that_begins_to_vary_is_seen() -> None:
    """Equal deciles are one bin; what is above them is another, empty in the reference."""
    reference, window = sketch_of(np.zeros(1_000)), sketch_of(np.arange(1_000.0))
    found = stability(reference, window)
    assert found.bins == 3
    assert found.index > 1


def test_quantile_of_chi_squared() -> None:
    """The approximation is within three percent for the numbers of bins there are."""
    for degrees in range(1, 12):
        assert _chi_squared_99(degrees) == pytest.approx(chi2.ppf(0.99, degrees), rel=0.03)


def test_nothing_cannot_be_compared() -> None:
    """Without rows there is no index and no distance."""
    found = stability(ValueSketch(), sketch_of(np.ones(3)))
    assert math.isnan(found.index)
    assert math.isnan(found.by_chance)
