"""How much an arm differs from the first one, with intervals and p-values for a look at one planned time.

Everything is linear in means, or made so. With the gradient g of a metric at the means of an arm and the
covariance S of its columns, the metric's variance is ``g' S g / n``:

- a mean has g = 1;
- a ratio R of the means of y and x has g = (1, -R) / x (the delta method);
- a covariate c takes ``theta (c - mean of c over all arms)`` away, with theta = cov(metric, c) / var(c)
  within arms. As c was so before the experiment, it takes no effect away, but a share of about rho squared
  of the variance (CUPED: Deng, Xu, Kohavi, Walker, "Improving the sensitivity of online controlled
  experiments by utilizing pre-experiment data", 2013).

Two arms are compared by Welch's test. For a proportion without a covariate the interval is that of two
Wilson intervals (Newcombe, "Interval estimation for the difference between independent proportions", 1998,
method 10) and the p-value that of Pearson's chi-squared test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtri, stdtr, stdtrit

from formicary.factory.experiments.definitions import Kind
from formicary.factory.experiments.moments import Moments

__all__ = [
    "MISMATCH_ALPHA",
    "Difference",
    "Interval",
    "differences",
    "fixed_interval",
    "proportion_interval",
    "sample_ratio_p_value",
]

Reals = npt.NDArray[np.float64]

MISMATCH_ALPHA: Final = 0.001
"""The chance of calling shares of arms wrong that are right, at one look."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """How much an arm differs from the first; all (...,), the axes in front of the arms of the moments.

    Attributes
    ----------
    control, treatment
        The metric in the first arm and in the other one, the covariate taken away.
    estimate, standard_error
        Of the difference, treatment less control; NaN where an arm has less than two parties.
    parties
        Of both arms.
    degrees
        Of freedom, by Welch and Satterthwaite.
    theta
        What was taken away for each unit of the covariate; 0 without one.
    variance_reduction
        The share of the variance that the covariate took away; 0 without one.
    """

    control: Reals
    treatment: Reals
    estimate: Reals
    standard_error: Reals
    parties: Reals
    degrees: Reals
    theta: Reals
    variance_reduction: Reals


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interval:
    """The ends of an interval and the p-value of no difference, (...,)."""

    low: Reals
    high: Reals
    p_value: Reals


def differences(moments: Moments, kind: Kind, arm: int, *, has_covariate: bool = False) -> Difference:
    """Return how much an arm differs from the first one.

    Parameters
    ----------
    moments
        Of the metric's columns in the order of ``Metric.columns``: value, denominator of a ratio, covariate.
    kind
        Of the metric.
    arm
        From 1.
    has_covariate
        Whether the last column is one.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        values, gradients = _linear(moments, kind)
        theta, adjusted = _theta(moments, gradients, has_covariate=has_covariate)
        raw = _variances(moments, gradients)
        if has_covariate:
            counts = moments.counts
            shares = counts / counts.sum(axis=-1, keepdims=True)
            # Arms without anybody have no mean, and no share.
            covariate = np.where(counts > 0, moments.means[..., -1], 0)
            overall = (shares * covariate).sum(axis=-1, keepdims=True)
            values = values - theta[..., None] * (covariate - overall)
        variances = _variances(moments, adjusted)
        ours, theirs = variances[..., arm], variances[..., 0]
        variance = ours + theirs
        known = raw[..., arm] + raw[..., 0]
        own, base = moments.counts[..., arm], moments.counts[..., 0]
        return Difference(
            control=values[..., 0],
            treatment=values[..., arm],
            estimate=values[..., arm] - values[..., 0],
            standard_error=np.sqrt(variance),
            parties=own + base,
            degrees=variance**2 / (ours**2 / (own - 1) + theirs**2 / (base - 1)),
            theta=theta,
            variance_reduction=np.where(known > 0, 1 - variance / known, 0.0),
        )


def _linear(moments: Moments, kind: Kind) -> tuple[Reals, Reals]:
    """Return the metric in each arm, (..., a), and its gradient, (..., a, k)."""
    gradients = np.zeros_like(moments.means)
    first = moments.means[..., 0]
    if kind is not Kind.RATIO:
        gradients[..., 0] = 1
        return first, gradients
    per = moments.means[..., 1]
    gradients[..., 0], gradients[..., 1] = 1 / per, -first / per**2
    return first / per, gradients


def _theta(moments: Moments, gradients: Reals, *, has_covariate: bool) -> tuple[Reals, Reals]:
    """Return the covariate's coefficient, (...,), and the gradients with it, (..., a, k)."""
    if not has_covariate:
        return np.zeros(moments.counts.shape[:-1]), gradients
    with_covariate = np.einsum("...k,...k->...", gradients, moments.covariances[..., -1])
    freedom = np.maximum(moments.counts - 1, 0)
    # Within arms, all of them together: an effect of the arm is no part of it.
    common = np.nansum(freedom * with_covariate, axis=-1)
    variance = np.nansum(freedom * moments.covariances[..., -1, -1], axis=-1)
    theta = np.where(variance > 0, common / variance, 0.0)
    adjusted = gradients.copy()
    adjusted[..., -1] = -theta[..., None]
    return theta, adjusted


def _variances(moments: Moments, gradients: Reals) -> Reals:
    """Return the variance of the metric's estimate in each arm, (..., a)."""
    found = np.einsum("...i,...ij,...j->...", gradients, moments.covariances, gradients)
    return np.asarray(np.maximum(found, 0) / moments.counts)


def fixed_interval(difference: Difference, alpha: float) -> Interval:
    """Return Welch's interval, which holds for one look that was planned."""
    with np.errstate(invalid="ignore", divide="ignore"):
        half = stdtrit(difference.degrees, 1 - alpha / 2) * difference.standard_error
        statistic = np.abs(difference.estimate) / difference.standard_error
        return Interval(
            low=difference.estimate - half,
            high=difference.estimate + half,
            p_value=2 * stdtr(difference.degrees, -statistic),
        )


def proportion_interval(
    control: Reals, treatment: Reals, counts: tuple[Reals, Reals], alpha: float
) -> Interval:
    """Return Newcombe's interval of the difference of two proportions, and the p-value of chi-squared.

    Parameters
    ----------
    control, treatment
        Proportions, (...,).
    counts
        Of parties, those of the first arm before those of the other one, (...,) each.
    alpha
        The chance of missing the difference.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        base_low, base_high = _wilson(control, counts[0], alpha)
        own_low, own_high = _wilson(treatment, counts[1], alpha)
        estimate = treatment - control
        pooled = (control * counts[0] + treatment * counts[1]) / (counts[0] + counts[1])
        variance = pooled * (1 - pooled) * (1 / counts[0] + 1 / counts[1])
        return Interval(
            low=estimate - np.hypot(treatment - own_low, base_high - control),
            high=estimate + np.hypot(own_high - treatment, control - base_low),
            # Where nobody or everybody did, nothing speaks against equal chances.
            p_value=np.where(variance > 0, chdtrc(1, estimate**2 / variance), 1.0),
        )


def _wilson(proportion: Reals, count: Reals, alpha: float) -> tuple[Reals, Reals]:
    quantile = ndtri(1 - alpha / 2)
    weight = quantile**2 / count
    centre = (proportion + weight / 2) / (1 + weight)
    half = quantile * np.sqrt(proportion * (1 - proportion) / count + weight / (4 * count)) / (1 + weight)
    return centre - half, centre + half


def sample_ratio_p_value(counts: npt.ArrayLike, weights: npt.ArrayLike) -> Reals:
    """Return the chance of counts (..., a) as far from weights (a,), by chi-squared; 1 for nobody."""
    observed, shares = np.asarray(counts, np.float64), np.asarray(weights, np.float64)
    expected = observed.sum(axis=-1, keepdims=True) * shares / shares.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where(expected > 0, (observed - expected) ** 2 / expected, 0.0).sum(axis=-1)
    return np.asarray(chdtrc(len(shares) - 1, statistic))
