"""Confidence sequences and e-values: what may be looked at every day, and acted on at any.

A mean of n parties is compared with a boundary that all means at all times stay within together. It is that
of a mixture of normal distributions (Robbins, "Statistical methods related to the law of the iterated
logarithm", 1970; Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
sequences", 2021), with the standard error estimated from the data (Waudby-Smith, Arbour, Sinha, Kennedy,
Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", 2024)::

    estimate +- se * sqrt((1 + r / n) * (log(1 + n / r) + 2 log(1 / alpha)))

The same as evidence: with z = estimate / se, the *e-value* against no difference is ::

    E = sqrt(r / (n + r)) * exp(z^2 / 2 * n / (n + r))

Where there is none, E ever reaches 1 / alpha with a chance of at most alpha (Ville); it reaches it exactly
when 0 leaves the sequence. It is the mixture likelihood ratio of the mSPRT (Johari, Koomen, Pekelis, Walsh,
"Always valid inference", 2022) whose effects have the variance ``n se^2 / r``. r, in parties, says where the
sequence is tightest; it is a matter of power and never of validity.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr

__all__ = [
    "anytime_p_values",
    "critical_values",
    "lower_critical_values",
    "mixture_parties",
    "two_sided_log_e_values",
    "upper_log_e_values",
]

Reals = npt.NDArray[np.float64]

_BISECTIONS = 60


def mixture_parties(planned: float, alpha: float) -> float:
    """Return the r, in parties, for which the sequence is tightest at a number of parties.

    To within a few percent of the boundary's width; the exact one is the branch -1 of Lambert's W.

    Examples
    --------
    >>> round(mixture_parties(100, 0.05), 5)
    12.60056
    """
    evidence = 2 * math.log(1 / alpha)
    return planned / (evidence + math.log1p(evidence))


def critical_values(parties: npt.ArrayLike, mixture: float, alpha: float) -> Reals:
    """Return how many standard errors wide either side of the sequence is at numbers of parties, (...,)."""
    count = np.asarray(parties, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt((1 + mixture / count) * (np.log1p(count / mixture) + 2 * math.log(1 / alpha)))


def two_sided_log_e_values(scores: npt.ArrayLike, parties: npt.ArrayLike, mixture: float) -> Reals:
    """Return logarithms of e-values against no difference.

    Parameters
    ----------
    scores
        Estimates in standard errors, (...,).
    parties
        (...,).
    mixture
        As ``mixture_parties`` returns it.
    """
    count, score = np.asarray(parties, np.float64), np.asarray(scores, np.float64)
    return np.asarray(-0.5 * np.log1p(count / mixture) + 0.5 * score**2 * count / (count + mixture))


def upper_log_e_values(scores: npt.ArrayLike, parties: npt.ArrayLike, mixture: float) -> Reals:
    """Return logarithms of e-values against every difference of at most 0, as above.

    The normal distributions are mixed over positive differences alone (Howard and others, 2021). ``mixture``
    is best that of twice the alpha.
    """
    count, score = np.asarray(parties, np.float64), np.asarray(scores, np.float64)
    share = count / (count + mixture)
    two_sided = two_sided_log_e_values(score, count, mixture)
    return np.asarray(math.log(2) + two_sided + log_ndtr(score * np.sqrt(share)))


def lower_critical_values(parties: npt.ArrayLike, mixture: float, alpha: float) -> Reals:
    """Return how many standard errors below the estimate a sequence of lower bounds lies, (...,).

    It is the score at which ``upper_log_e_values`` reaches 1 / alpha.
    """
    count = np.asarray(parties, np.float64)
    high = critical_values(count, mixture, alpha)
    low = np.zeros_like(high)
    # The two-sided boundary is wider, and evidence grows with the score.
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        is_enough = upper_log_e_values(middle, count, mixture) >= math.log(1 / alpha)
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return high


def anytime_p_values(log_e_values: Reals) -> Reals:
    """Return p-values that hold at any time, (..., d), from e-values day by day, (..., d).

    That of a day is 1 over the largest e-value so far, and at most 1; a day without one changes nothing.
    """
    largest = np.maximum.accumulate(np.where(np.isnan(log_e_values), -np.inf, log_e_values), axis=-1)
    return np.asarray(np.exp(-np.maximum(largest, 0)))
