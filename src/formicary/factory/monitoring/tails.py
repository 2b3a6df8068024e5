"""How often chance alone makes a sum as large, of rows that each happen with a chance of their own.

The bound of Chernoff (*A measure of asymptotic efficiency for tests of a hypothesis based on the sum of
observations*, Annals of Mathematical Statistics 23, 1952): for every t from 0 on, the chance that the weights
w_i of the rows that happen sum up to x is at most the product of 1 - p_i + p_i exp(t w_i), over exp(t x). It
holds of few rows as of many, and of weights that differ by any factor, where a normal bound tells of far too
much: one large loss is many standard errors, and yet chance.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import expit

from formicary.factory.models._checks import Reals

__all__ = ["tail_chance"]

# Any t gives a bound; more halvings make it hardly better.
_HALVINGS: Final = 40
# Beyond so many the odds of a row are what they are at infinity.
_SHIFT_MAX: Final = 700.0


def tail_chance(chances: Reals, weights: Reals, reached: float) -> float:
    """Return how often at most chance makes the sum of weights of the rows that happen ``reached`` or more.

    Parameters
    ----------
    chances
        Of each row to happen, independent of the others, (n,).
    weights
        Finite, of either sign, (n,).
    reached
        What was reached; 1.0 is the answer where that is no more than what is expected.
    """
    is_open = (chances > 0) & (chances < 1) & (weights != 0)
    rest = reached - math.fsum(weights[chances >= 1])
    chances, weights = chances[is_open], weights[is_open]
    if not len(chances) or rest <= math.fsum(chances * weights):
        # Of rows that cannot come out otherwise the sum is what it is.
        return 1.0 if rest <= math.fsum(chances * weights) else 0.0
    odds = np.log(chances) - np.log1p(-chances)
    low, high = 0.0, _SHIFT_MAX / float(np.abs(weights).max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # What is expected of rows whose odds are exp(t w) times as high: too little yet, or enough.
        if float((weights * expit(odds + middle * weights)).sum()) < rest:
            low = middle
        else:
            high = middle
    masses = np.logaddexp(np.log1p(-chances), np.log(chances) + low * weights)
    return min(math.exp(math.fsum(masses) - low * rest), 1.0)
