"""A lender's money, the race of two by two and the frontier, each against a plain count."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._frontier import SHARES, default_rates, frontier
from benchmarks._horse_race import CELLS, gains, resamples
from benchmarks._lending import TERMS, Terms, best_cut, earned, worth

LABELS = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
AMOUNTS = np.array([1_005, 400, 300, 50, 5_000, 20])


def test_money_is_whole_and_rounded_down() -> None:
    """A tenth of what is paid back, half of what is not."""
    assert worth(LABELS, AMOUNTS, TERMS).tolist() == [100, -200, 30, 5, -2_500, 2]
    assert earned(np.array([True, True, False, False, False, True]), LABELS, AMOUNTS, TERMS) == -98
    assert TERMS.break_even == pytest.approx(1 / 6)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_cut_earns_most(seed: int) -> None:
    """No other chance at which to stop would have earned more; ties go together."""
    random = np.random.default_rng(seed)
    labels = (random.random(60) < 0.3).astype(float)
    amounts, chances = random.integers(1, 1_000, 60), random.integers(0, 12, 60) / 12
    cut = best_cut(chances, labels, amounts, TERMS)
    best = earned(chances <= cut, labels, amounts, TERMS)
    assert best == max(
        0, *(earned(chances <= one, labels, amounts, TERMS) for one in np.unique(chances).tolist())
    )


def test_nothing_is_approved_where_nothing_pays() -> None:
    """The cut-off is then below every chance."""
    chances = np.array([0.2, 0.3])
    cut = best_cut(chances, np.ones(2), np.array([10_000, 10_000]), Terms(margin_bp=100, loss_bp=9_000))
    assert not (chances <= cut).any()


def test_gains_add_up() -> None:
    """Information and modelling share what there is between the first and the last of the four."""
    by_cell = {cell: np.array([value]) for cell, value in zip(CELLS, (0.6, 0.65, 0.9, 0.93), strict=True)}
    found = {name: float(values[0]) for name, values in gains(by_cell).items()}
    assert found["information"] == pytest.approx(0.29)
    assert found["modelling"] == pytest.approx(0.04)
    assert found["information"] + found["modelling"] == pytest.approx(found["both"])


def test_a_default_rate_is_that_of_the_safest() -> None:
    """Without ties it is the plain count; with weights, as if rows were there so often."""
    random = np.random.default_rng(3)
    scores, labels = random.permutation(200) / 200, (random.random(200) < 0.2).astype(float)
    order = np.argsort(scores)
    counted = [labels[order[: 2 * n]].mean() for n in range(1, 101)]
    np.testing.assert_allclose(default_rates(scores, labels, np.ones(200)), counted)
    times = random.integers(0, 4, 200)
    np.testing.assert_allclose(
        default_rates(scores, labels, times.astype(float)),
        default_rates(np.repeat(scores, times), np.repeat(labels, times), np.ones(times.sum())),
    )


def test_loans_of_one_score_are_approved_in_part() -> None:
    """Where a score says nothing, every share has the default rate of all."""
    rates = default_rates(np.zeros(50), (np.arange(50) < 10).astype(float), np.ones(50))
    np.testing.assert_allclose(rates, 0.2)


def test_a_frontier_marks_the_largest_share_below_a_hundredth() -> None:
    """With the loans behind it, and how high the true rate may be; none is marked where there is none."""
    labels = (np.arange(400) >= 300).astype(float)
    drawn = resamples(400, seed=0)
    found = frontier(np.arange(400.0)[None, :], labels, drawn)
    assert (found["under"], found["bad"], found["rows"]) == (0.75, 0, 300)
    assert found["under_high"] == pytest.approx(1 - 0.025 ** (1 / 300))
    assert found["rate"][-1] == 0.25
    assert all(
        low <= rate <= high
        for low, rate, high in zip(found["low"], found["rate"], found["high"], strict=True)
    )
    assert frontier(-np.arange(400.0)[None, :], labels, drawn)["under"] is None
    assert SHARES[-1] == 1
