"""Sketches tell quantiles within their error, and add up in any order."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.limits import SKETCH_BUCKETS_MAX
from formicary.factory.features.quality._buckets import RELATIVE_ERROR
from formicary.factory.features.quality.sketch import SketchDocument, ValueSketch, sketch_of

# What rounding of logarithms adds to the error.
TOLERANCE = RELATIVE_ERROR * (1 + 1e-9)
SHARES = (0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)

ordinary = st.one_of(
    st.just(math.nan), st.just(0.0), st.integers(-(2**53), 2**53).map(float), st.floats(-1e6, 1e6)
)
anything = st.floats(allow_nan=True, allow_infinity=True)


def array(values: list[float]) -> np.ndarray:
    """Return values as a feature has them."""
    return np.array(values, np.float64)


def near(found: float, true: float, floor: float) -> bool:
    """Tell whether a quantile is within the stated error, or within a bucket's bound ``floor``."""
    return abs(found - true) <= max(TOLERANCE * abs(true), floor)


@settings(deadline=None)
@given(st.lists(ordinary, min_size=1, max_size=80))
def test_quantiles_are_within_the_stated_error(values: list[float]) -> None:
    """Each is within a percent of the value of its rank, for both signs, ties and zeros."""
    present = array(values)[~np.isnan(array(values))]
    sketch = sketch_of(array(values))
    for share in SHARES:
        if not len(present):
            assert math.isnan(sketch.quantile(share))
            continue
        true = float(np.quantile(present, share, method="lower"))
        # Magnitudes that share the lowest bucket are within its bound.
        floor = float(np.abs(present).max()) / 5e17
        assert near(sketch.quantile(share), true, floor), (share, true, sketch.quantile(share))


def test_quantiles_of_usual_distributions() -> None:
    """The same for a hundred thousand values of amounts, shares and differences."""
    chance = np.random.default_rng(5)
    for values in (
        chance.lognormal(8, 3, 100_000),
        chance.beta(0.3, 4, 100_000),
        chance.normal(0, 1e5, 100_000),
        chance.poisson(0.7, 100_000).astype(np.float64),
    ):
        sketch = sketch_of(values)
        true = np.quantile(values, SHARES, method="lower").tolist()
        found = [sketch.quantile(share) for share in SHARES]
        assert all(near(one, other, 0.0) for one, other in zip(found, true, strict=True))
        assert (found[0], found[-1]) == (values.min(), values.max())


@settings(deadline=None)
@given(st.lists(anything, max_size=60), st.integers(0, 60), st.integers(0, 60), st.randoms())
def test_parts_in_any_order_are_the_whole(
    values: list[float], first: int, second: int, chance: random.Random
) -> None:
    """Sketches of parts merge to that of everything, whatever the order, to the last bit of the mean."""
    whole = sketch_of(array(values)).document()
    mixed = list(values)
    chance.shuffle(mixed)
    cuts = sorted((min(first, len(mixed)), min(second, len(mixed))))
    parts = [array(mixed[: cuts[0]]), array(mixed[cuts[0] : cuts[1]]), array(mixed[cuts[1] :])]
    forwards, backwards = ValueSketch(), ValueSketch()
    for part in parts:
        forwards = forwards.add(part)
    for part in reversed(parts):
        backwards = sketch_of(part).merge(backwards)
    assert forwards.document() == backwards.document() == whole


@given(st.lists(anything, max_size=40))
def test_a_sketch_survives_json(values: list[float]) -> None:
    """What is read back is what was written, and goes on adding up."""
    sketch = sketch_of(array(values))
    written = msgspec.json.encode(sketch.document())
    read = ValueSketch.of_document(msgspec.json.decode(written, type=SketchDocument))
    assert read.document() == sketch.document()
    assert read.add(array([1.5])).document() == sketch.add(array([1.5])).document()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_the_mean_is_rounded_once(values: list[float]) -> None:
    """It is the exact sum over the count, for the smallest and largest numbers, too."""
    for column in (values, [float(round(value)) for value in values]):
        exact = sum(map(Fraction, column)) / len(column)
        assert sketch_of(array(column)).mean == float(exact)


def test_counts_and_extremes() -> None:
    """Missing rows count the withheld ones; a value is never withheld; zeros are counted."""
    values = array([0.0, -0.0, 5e-324, 3.0, -7.0, math.nan, math.nan, math.inf])
    withheld = np.array([False, False, False, True, False, True, False, False])
    sketch = ValueSketch().add(values, withheld)
    assert (sketch.rows, sketch.missing, sketch.withheld, sketch.present, sketch.zeros) == (8, 2, 1, 6, 3)
    assert (sketch.minimum, sketch.maximum) == (-7.0, float(np.finfo(np.float64).max))
    empty = ValueSketch()
    assert math.isnan(empty.mean)
    assert math.isnan(empty.quantile(0.5))
    assert (empty.zeros, empty.document().minimum) == (0, None)


def test_memory_is_bounded() -> None:
    """Of values over the range of doubles the smallest share buckets; high quantiles keep their error."""
    exponents = np.linspace(-700, 700, 300_000)
    values = np.concatenate((np.exp(exponents), -np.exp(exponents)))
    sketch = sketch_of(values)
    assert len(sketch.keys) == 2 * SKETCH_BUCKETS_MAX
    for share in (0.001, 0.01, 0.99, 0.999):
        assert near(sketch.quantile(share), float(np.quantile(values, share, method="lower")), 0.0)
    assert sketch.present == 600_000


@pytest.mark.parametrize(
    "change",
    [
        {"keys": [2, 1]},
        {"keys": [1]},
        {"counts": [3, 0]},
        {"counts": [1, 1]},
        {"withheld": 2},
        {"missing": -1, "rows": 2},
        {"minimum": 9.0},
        {"total": "1p9999"},
    ],
)
def test_a_contradicting_document_is_no_sketch(change: dict[str, object]) -> None:
    """A file that was changed by hand is not counted on."""
    document = sketch_of(array([1.0, 2.0, 2.0, math.nan])).document()
    assert ValueSketch.of_document(document).present == 3
    with pytest.raises(ValueError, match=r"sketch|sum"):
        ValueSketch.of_document(msgspec.structs.replace(document, **change))
