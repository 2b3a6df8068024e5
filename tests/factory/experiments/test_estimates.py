"""Differences of arms: scipy's tests, published intervals and plain regressions say the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from formicary.factory.experiments.definitions import Kind
from formicary.factory.experiments.estimates import (
    differences,
    fixed_interval,
    proportion_interval,
    sample_ratio_p_value,
)
from formicary.factory.experiments.moments import Moments, running_moments

Reals = npt.NDArray[np.float64]


def arms_of(seed: int = 2, counts: tuple[int, int] = (300, 220)) -> list[Reals]:
    """Return rows of value, denominator and covariate of two arms, which depend on each other."""
    chance = np.random.default_rng(seed)
    found = []
    for arm, count in enumerate(counts):
        before = chance.gamma(2, 3, count)
        value = 0.8 * before + chance.normal(0.3 * arm, 2, count)
        found.append(np.column_stack([value, 1 + chance.poisson(4, count) + 0.1 * before, before]))
    return found


def moments_of(arms: list[Reals]) -> Moments:
    """Return their moments on one day."""
    numbers = np.repeat(np.arange(len(arms)), [len(one) for one in arms])
    return running_moments(
        np.zeros(len(numbers), np.int64), numbers, np.concatenate(arms), shape=(1, len(arms))
    )


def test_means_are_compared_by_welchs_test() -> None:
    """Estimate, standard error, degrees, interval and p-value."""
    base, own = (one[:, :1] for one in arms_of())
    found = differences(moments_of([base, own]), Kind.MEAN, 1)
    told = stats.ttest_ind(own[:, 0], base[:, 0], equal_var=False)
    interval = fixed_interval(found, 0.1)
    assert interval.p_value[0] == pytest.approx(told.pvalue)
    assert found.degrees[0] == pytest.approx(told.df)
    assert (interval.low[0], interval.high[0]) == pytest.approx(tuple(told.confidence_interval(0.9)))
    assert found.estimate[0] == pytest.approx(own.mean() - base.mean())
    assert (found.parties[0], found.theta[0], found.variance_reduction[0]) == (520, 0, 0)


def test_ratios_are_compared_by_the_delta_method() -> None:
    """As means of what each row adds to its arm's ratio."""
    arms = [one[:, :2] for one in arms_of()]
    found = differences(moments_of(arms), Kind.RATIO, 1)
    ratios = [one[:, 0].sum() / one[:, 1].sum() for one in arms]
    base, own = (
        ratio + (one[:, 0] - ratio * one[:, 1]) / one[:, 1].mean()
        for one, ratio in zip(arms, ratios, strict=True)
    )
    told = stats.ttest_ind(own, base, equal_var=False)
    assert (found.control[0], found.treatment[0]) == pytest.approx(tuple(ratios))
    assert fixed_interval(found, 0.05).p_value[0] == pytest.approx(told.pvalue)
    assert found.standard_error[0] == pytest.approx(told._standard_error)


def test_a_ratios_error_is_that_of_leaving_one_out() -> None:
    """The jackknife, which knows no derivative, agrees with the delta method."""
    arm = arms_of(counts=(800, 2))[0][:, :2]
    without = (arm.sum(axis=0) - arm)[:, 0] / (arm.sum(axis=0) - arm)[:, 1]
    error = np.sqrt((len(arm) - 1) / len(arm) * ((without - without.mean()) ** 2).sum())
    found = differences(moments_of([arm, arm]), Kind.RATIO, 1)
    assert found.standard_error[0] / np.sqrt(2) == pytest.approx(error, rel=0.002)


@pytest.mark.parametrize("kind", [Kind.MEAN, Kind.RATIO])
def test_a_covariate_takes_variance_away(kind: Kind) -> None:
    """Theta is the slope within arms, as a regression with a mean for each arm finds it."""
    columns = [0, 2] if kind is Kind.MEAN else [0, 1, 2]
    arms = [one[:, columns] for one in arms_of()]
    found = differences(moments_of(arms), kind, 1, has_covariate=True)
    plain = differences(moments_of([one[:, :-1] for one in arms]), kind, 1)
    ratios = [1.0, 1.0] if kind is Kind.MEAN else [one[:, 0].sum() / one[:, 1].sum() for one in arms]
    parts = [
        one[:, 0] if kind is Kind.MEAN else (one[:, 0] - ratio * one[:, 1]) / one[:, 1].mean()
        for one, ratio in zip(arms, ratios, strict=True)
    ]
    numbers = np.repeat([0, 1], [len(one) for one in arms])
    covariate = np.concatenate([one[:, -1] for one in arms])
    design = np.column_stack([numbers == 0, numbers == 1, covariate]).astype(float)
    slope = np.linalg.lstsq(design, np.concatenate(parts), rcond=None)[0][2]
    assert found.theta[0] == pytest.approx(slope)
    apart = arms[1][:, -1].mean() - arms[0][:, -1].mean()
    assert found.estimate[0] == pytest.approx(plain.estimate[0] - slope * apart)
    adjusted = [part - slope * one[:, -1] for part, one in zip(parts, arms, strict=True)]
    error = np.sqrt(sum(part.var(ddof=1) / len(part) for part in adjusted))
    assert found.standard_error[0] == pytest.approx(error)
    taken = 1 - found.standard_error[0] ** 2 / plain.standard_error[0] ** 2
    assert found.variance_reduction[0] == pytest.approx(taken)
    correlation = np.mean(
        [np.corrcoef(part, one[:, -1])[0, 1] for part, one in zip(parts, arms, strict=True)]
    )
    assert taken == pytest.approx(correlation**2, abs=0.03)
    # What is taken away of all arms together is nothing.
    weights = [len(one) for one in arms]
    adjusted_mean = np.average([found.control[0], found.treatment[0]], weights=weights)
    assert adjusted_mean == pytest.approx(np.average([plain.control[0], plain.treatment[0]], weights=weights))


def test_a_covariate_that_is_the_same_of_everybody() -> None:
    """It takes nothing away."""
    arms = [np.column_stack([one[:, 0], np.ones(len(one))]) for one in arms_of()]
    found = differences(moments_of(arms), Kind.MEAN, 1, has_covariate=True)
    assert (found.theta[0], found.variance_reduction[0]) == (0, 0)


def test_days_on_which_an_arm_has_nobody() -> None:
    """Nothing is said on them, and they disturb no later one."""
    days, arms = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 0])
    values = np.array([[1.0, 2], [2, 3], [3, 1], [5, 2], [4, 4]])
    found = differences(running_moments(days, arms, values, shape=(2, 2)), Kind.MEAN, 1, has_covariate=True)
    assert np.isnan(found.standard_error[0])
    assert found.standard_error[1] > 0


@pytest.mark.parametrize(
    ("own", "base", "low", "high"),
    [
        # Newcombe, 1998, table II, method 10: examples a, b, g, d and h.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_proportions_have_newcombes_interval(
    own: tuple[int, int], base: tuple[int, int], low: float, high: float
) -> None:
    """As published."""
    counts = np.array([base[1]], float), np.array([own[1]], float)
    found = proportion_interval(base[0] / counts[0], own[0] / counts[1], counts, 0.05)
    assert (found.low[0], found.high[0]) == pytest.approx((low, high), abs=5e-5)


def test_proportions_have_pearsons_p_value() -> None:
    """That of the table of four, without a correction; 1 where all did the same."""
    table = np.array([[30, 170], [52, 148]])
    counts = np.array([200.0, 200.0]), np.array([200.0, 200.0])
    found = proportion_interval(np.array([0.15, 0.0]), np.array([0.26, 0.0]), counts, 0.05)
    told = stats.chi2_contingency(table, correction=False)
    assert found.p_value.tolist() == pytest.approx([told.pvalue, 1.0])


def test_shares_of_arms_are_compared_by_chi_squared() -> None:
    """With any weights, in any number of layers; nobody is as expected."""
    told = stats.chisquare([5_210, 4_790], [5_000, 5_000])
    assert sample_ratio_p_value([5_210, 4_790], [1, 1]) == pytest.approx(told.pvalue)
    three = stats.chisquare([100, 230, 270], [100, 200, 300])
    found = sample_ratio_p_value([[100, 230, 270], [0, 0, 0]], [1, 2, 3])
    assert found.tolist() == pytest.approx([three.pvalue, 1.0])
