"""Moments of arms day by day, against numpy's of the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.factory.experiments.moments import running_moments, stacked


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_moments_are_those_of_the_rows_so_far(offset: float) -> None:
    """Also where numbers are large and far from each other by little."""
    chance = np.random.default_rng(1)
    days, arms = chance.integers(0, 5, 400), chance.integers(0, 3, 400)
    values = chance.normal(offset, [1, 2], (400, 2))
    found = running_moments(days, arms, values, shape=(5, 3))
    for day in range(5):
        for arm in range(3):
            rows = values[(days <= day) & (arms == arm)]
            assert found.counts[day, arm] == len(rows)
            assert found.means[day, arm] == pytest.approx(rows.mean(axis=0), rel=1e-12)
            assert found.covariances[day, arm] == pytest.approx(np.cov(rows.T), rel=1e-6)


def test_where_nobody_or_one_is() -> None:
    """There is no mean, or no variance."""
    found = running_moments(np.array([1]), np.array([0]), np.array([[3.0]]), shape=(2, 2))
    assert found.counts.tolist() == [[0, 0], [1, 0]]
    assert found.means[1, 0, 0] == 3
    assert np.isnan(found.means[0]).all()
    assert np.isnan(found.covariances).all()
    nobody = running_moments(np.empty(0, int), np.empty(0, int), np.empty((0, 2)), shape=(1, 2))
    assert nobody.counts.tolist() == [[0, 0]]


def test_several_are_stacked() -> None:
    """In front of the days."""
    one = running_moments(np.array([0, 0]), np.array([0, 1]), np.ones((2, 1)), shape=(1, 2))
    both = stacked([one, one])
    assert both.counts.shape == (2, 1, 2)
    assert both.means.shape == (2, 1, 2, 1)
    assert both.covariances.shape == (2, 1, 2, 1, 1)
