"""Chances of crossing: published tables, exact cases and a sum that was simulated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from formicary.factory.experiments.crossing import crossing_probabilities
from formicary.factory.experiments.power import peeking_errors


@pytest.mark.parametrize(
    ("looks", "published"),
    # Armitage, McPherson, Rowe, 1969: normal with known variance, 5 % on two sides.
    [(1, 0.05), (2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248), (50, 0.320)],
)
def test_a_fixed_test_that_is_looked_at_again_and_again(looks: int, published: float) -> None:
    """Its errors are those of the table."""
    assert peeking_errors(0.05, 50)[looks - 1] == pytest.approx(published, abs=6e-4)


def test_one_look_is_the_normal_distribution() -> None:
    """Whatever the drift."""
    for drift in (-0.7, 0.0, 2.5):
        found = crossing_probabilities([1.5], drift)[0]
        assert found == pytest.approx(stats.norm.sf(1.5 - drift) + stats.norm.cdf(-1.5 - drift))


def test_two_looks_are_the_normal_distribution_of_two_dimensions() -> None:
    """Within both boundaries, with the correlation of a sum and its beginning."""
    critical, drift = np.array([1.8, 2.1]), 0.6
    together = stats.multivariate_normal(drift * np.sqrt([1, 2]), [[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]])
    within = together.cdf(critical, lower_limit=-critical)
    assert crossing_probabilities(critical, drift)[1] == pytest.approx(1 - within, abs=1e-5)


def test_where_nothing_can_be_crossed() -> None:
    """Looks without a boundary add nothing, and the sum goes on behind them."""
    found = crossing_probabilities([np.inf, np.inf, 2.0], 0.4)
    alone = stats.norm.sf(2.0 - 0.4 * np.sqrt(3)) + stats.norm.cdf(-2.0 - 0.4 * np.sqrt(3))
    assert found.tolist() == pytest.approx([0, 0, alone], abs=1e-12)


def test_no_chance_is_lost_over_many_looks() -> None:
    """With a drift that crosses in the end, it is one."""
    assert crossing_probabilities(np.full(100, 3.0), 0.8)[-1] == pytest.approx(1)
