"""Shares have the intervals that SciPy gives them, and no share is certain."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.shares import exact_share, standard_errors, wilson_share

counts = st.integers(0, 60).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))
errors = st.sampled_from([0.3, 0.05, 0.01, 1e-5])


@settings(max_examples=50)
@given(counts, errors)
def test_intervals_are_those_of_the_binomial_test(counted: tuple[int, int], error: float) -> None:
    """SciPy has both under the names exact and wilson."""
    count, rows = counted
    for share_of, method in ((exact_share, "exact"), (wilson_share, "wilson")):
        found = share_of(count, rows, error=error)
        if not rows:
            assert (found.share, found.low, found.high) == (None, 0.0, 1.0)
            continue
        expected = binomtest(count, rows).proportion_ci(1 - error, method)
        assert found.share == count / rows
        assert found.low == pytest.approx(expected.low, abs=1e-9)
        assert found.high == pytest.approx(expected.high, abs=1e-9)
        assert found.low <= found.share <= found.high


def test_the_exact_interval_keeps_its_promise() -> None:
    """Whatever the true share, it is missed no more often than stated."""
    rows = 25
    intervals = [exact_share(count, rows, error=0.05) for count in range(rows + 1)]
    for share in (0.01, 0.1, 0.35, 0.5, 0.97):
        chances = [
            binomial(rows, count) * share**count * (1 - share) ** (rows - count) for count in range(26)
        ]
        missed = sum(
            chance for chance, one in zip(chances, intervals, strict=True) if not one.low <= share <= one.high
        )
        assert 0 < missed <= 0.05


def binomial(rows: int, count: int) -> int:
    """Return how many choices there are."""
    result = 1
    for place in range(count):
        result = result * (rows - place) // (place + 1)
    return result


def test_standard_errors() -> None:
    """Those of the normal distribution, on both sides."""
    assert standard_errors(0.05) == pytest.approx(norm.ppf(0.975))


@pytest.mark.parametrize(("count", "rows", "error"), [(-1, 3, 0.1), (4, 3, 0.1), (1, 3, 0.0), (1, 3, 1.0)])
def test_what_is_no_share_is_refused(count: int, rows: int, error: float) -> None:
    """More than there are, and errors that are none."""
    for share_of in (exact_share, wilson_share):
        with pytest.raises(ProgrammingError):
            share_of(count, rows, error=error)
