"""Sequences: what was published of them, what they are by definition, and what follows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from formicary.factory.experiments.sequences import (
    anytime_p_values,
    critical_values,
    lower_critical_values,
    mixture_parties,
    two_sided_log_e_values,
    upper_log_e_values,
)

ALPHA, PLANNED = 0.05, 100


def test_the_reference_implementations_numbers() -> None:
    """Howard and others' own, in R: of a sum of 10 at variance 100, and the boundaries there."""
    two, one = mixture_parties(PLANNED, ALPHA), mixture_parties(PLANNED, 2 * ALPHA)
    assert two == pytest.approx(12.60056, abs=1e-5)
    assert two_sided_log_e_values(1.0, 100, two) == pytest.approx(-0.6510052, abs=1e-6)
    assert upper_log_e_values(1.0, 100, one) == pytest.approx(-0.06502391, abs=1e-6)
    assert critical_values(100, two, ALPHA) * 10 == pytest.approx(30.35209, abs=1e-5)
    assert lower_critical_values(100, one, ALPHA) * 10 == pytest.approx(27.66071, abs=1e-5)


def test_the_sequence_of_waudby_smith_and_others() -> None:
    """Their formula, with their rho: its square is one over ours."""
    parties, mixture = np.array([1.0, 7, 100, 10_000]), mixture_parties(PLANNED, ALPHA)
    grown = parties / mixture + 1
    half = np.sqrt(2 * grown / (parties**2 / mixture) * np.log(np.sqrt(grown) / ALPHA))
    found = critical_values(parties, mixture, ALPHA) / np.sqrt(parties)
    assert found.tolist() == pytest.approx(half.tolist())


def test_the_e_value_is_the_likelihood_ratio_of_the_msprt() -> None:
    """Johari and others' closed form for pairs of normal parties, whose effects have the variance tau^2."""
    pairs, deviation, tau, apart = 400, 1.3, 0.2, 0.17
    error = deviation * math.sqrt(2 / pairs)
    both = 2 * deviation**2 + pairs * tau**2
    ratio = math.sqrt(2 * deviation**2 / both) * math.exp(
        pairs**2 * tau**2 * apart**2 / (4 * deviation**2 * both)
    )
    # The variance of a difference of all parties is that of a pair's, times two.
    mixture = 4 * deviation**2 / tau**2
    assert two_sided_log_e_values(apart / error, 2 * pairs, mixture) == pytest.approx(math.log(ratio))


@pytest.mark.parametrize("score", [-1.5, 0.0, 2.5])
def test_e_values_are_mixtures_of_likelihood_ratios(score: float) -> None:
    """Over normal effects on both sides, or on the upper one alone, by numerical integration."""
    parties, mixture = 50.0, 8.0

    def ratio(effect: float) -> float:
        of_effect: float = stats.norm.pdf(score, effect * math.sqrt(parties)) / stats.norm.pdf(score)
        return of_effect * float(stats.norm.pdf(effect, scale=1 / math.sqrt(mixture)))

    above, below = (integrate.quad(ratio, *ends)[0] for ends in ((0, 5), (-5, 0)))
    assert two_sided_log_e_values(score, parties, mixture) == pytest.approx(math.log(above + below))
    assert upper_log_e_values(score, parties, mixture) == pytest.approx(math.log(2 * above))


def test_zero_leaves_the_sequence_where_the_e_value_is_enough() -> None:
    """At the boundary itself the evidence is one over alpha."""
    parties, mixture = np.geomspace(2, 1e7, 30), mixture_parties(5_000, 0.01)
    for of_evidence, of_boundary in (
        (two_sided_log_e_values, critical_values),
        (upper_log_e_values, lower_critical_values),
    ):
        boundary = of_boundary(parties, mixture, 0.01)
        assert of_evidence(boundary, parties, mixture).tolist() == pytest.approx([math.log(100)] * 30)


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.001])
def test_it_is_tightest_where_it_was_planned(alpha: float) -> None:
    """Within a hundredth of the best that any mixture gives there, and wider than a fixed interval."""
    best = optimize.minimize_scalar(
        lambda logarithm: float(critical_values(PLANNED, math.exp(logarithm), alpha)),
        bounds=(math.log(0.01), math.log(1_000)),
        method="bounded",
    )
    found = critical_values(PLANNED, mixture_parties(PLANNED, alpha), alpha)
    assert best.fun <= found <= 1.01 * best.fun
    assert found > stats.norm.isf(alpha / 2)


def test_one_side_is_tighter_than_two() -> None:
    """And wider than a fixed bound."""
    two = critical_values(PLANNED, mixture_parties(PLANNED, ALPHA), ALPHA)
    one = lower_critical_values(PLANNED, mixture_parties(PLANNED, 2 * ALPHA), ALPHA)
    assert stats.norm.isf(ALPHA) < one < two


def test_p_values_never_rise() -> None:
    """A day without evidence changes nothing; none is above 1."""
    evidence = np.log(np.array([[np.nan, 0.5, 4, np.nan, 2, 20]]))
    assert anytime_p_values(evidence)[0].tolist() == pytest.approx([1, 1, 0.25, 0.25, 0.25, 0.05])
