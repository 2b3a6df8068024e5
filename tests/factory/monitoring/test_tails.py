"""What chance makes at most is never less than what it makes, and not much more."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from formicary.factory.monitoring.tails import tail_chance

rows_of = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.02, 0.3, 0.5, 0.9, 1.0]), st.sampled_from([-7.0, -1.0, 0.0, 1.0, 40.0])
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(rows_of, st.sampled_from([-8.0, -1.0, 0.0, 1.0, 2.0, 40.0, 42.0, 81.0, 300.0]))
def test_it_is_a_bound(rows: list[tuple[float, float]], reached: float) -> None:
    """Over every way in which rows may come out; where all is certain it is certain."""
    chances, weights = (np.array([row[place] for row in rows], np.float64) for place in (0, 1))
    exact = 0.0
    for way in product((0, 1), repeat=len(rows)):
        if float((weights * np.array(way)).sum()) >= reached:
            exact += math.prod(p if label else 1 - p for label, p in zip(way, chances.tolist(), strict=True))
    bound = tail_chance(chances, weights, reached)
    assert exact - 1e-9 <= bound <= 1
    if set(chances.tolist()) <= {0.0, 1.0}:
        assert bound == exact


@pytest.mark.parametrize("count", [15, 25, 60, 1_000])
def test_of_equal_chances_it_is_that_of_the_binomial_distribution(count: int) -> None:
    """The bound is exp(-n D) there, D the divergence of the share that came true from the chance."""
    share = count / 1_000
    divergence = share * math.log(share / 0.01)
    if share < 1:
        divergence += (1 - share) * math.log((1 - share) / 0.99)
    bound = tail_chance(np.full(1_000, 0.01), np.ones(1_000), count)
    assert math.log(bound or 5e-324) == pytest.approx(max(-1_000 * divergence, math.log(5e-324)), rel=1e-6)
    exact = binom.sf(count - 1, 1_000, 0.01)
    assert exact <= bound
    assert count == 1_000 or bound < 30 * exact


def test_what_is_expected_is_no_surprise() -> None:
    """Nor is less."""
    for reached in (-3.0, 5.0):
        assert tail_chance(np.full(10, 0.5), np.ones(10), reached) == 1.0
