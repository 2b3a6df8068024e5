"""Logistic regression with a ridge and coefficients that are never negative.

Sums over rows go through ``einsum`` instead of BLAS, whose threads add up in another order on every machine
and wait for each other where cores are shared. For that a design is turned: columns by rows, (m, n).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import nnls
from scipy.special import expit, logit

from formicary.factory.models._checks import Reals

__all__ = ["Line", "fit_line"]

_STEPS_MAX: Final = 50
_HALVINGS_MAX: Final = 30
_TOLERANCE: Final = 1e-9
# Of a column's curvature, so that columns that say the same still have one best pair of coefficients.
_JITTER: Final = 1e-9


class Line(NamedTuple):
    """Log odds over a design: an intercept and coefficients (m,)."""

    intercept: float
    coefficients: Reals


def fit_line(
    design: Reals, labels: Reals, weights: Reals, *, penalty: float, start: Line | None = None
) -> Line:
    """Return the line over a design (n, m) that minimizes log loss plus half the penalty times squares.

    The intercept is not penalized. Iteratively reweighted least squares, each a quadratic problem under the
    constraint (Lawson and Hanson, *Solving least squares problems*, 1974, chapter 23), with steps halved
    until they gain: the problem is convex, so where they end is the optimum.
    """
    prior = float(logit((weights * labels).sum() / weights.sum()))
    line = Line(prior, np.zeros(design.shape[1])) if start is None else start
    turned = np.ascontiguousarray(design.T)
    now = _loss(line, turned, labels, weights, penalty=penalty)
    for _ in range(_STEPS_MAX):
        target = _newton(line, turned, labels, weights, penalty=penalty)
        share = 1.0
        for _ in range(_HALVINGS_MAX):
            moved = _between(line, target, share=share)
            after = _loss(moved, turned, labels, weights, penalty=penalty)
            if after <= now:
                break
            share *= 0.5
        else:
            break
        gain, line, now = now - after, moved, after
        if gain <= _TOLERANCE * now:
            break
    return line


def _between(line: Line, target: Line, *, share: float) -> Line:
    return Line(
        line.intercept + share * (target.intercept - line.intercept),
        line.coefficients + share * (target.coefficients - line.coefficients),
    )


def _odds(line: Line, turned: Reals) -> Reals:
    return np.asarray(np.einsum("m,mn->n", line.coefficients, turned) + line.intercept, np.float64)


def _loss(line: Line, turned: Reals, labels: Reals, weights: Reals, *, penalty: float) -> float:
    odds = _odds(line, turned)
    cross_entropy = (weights * (np.logaddexp(0.0, odds) - labels * odds)).sum()
    return float(cross_entropy + penalty * 0.5 * (line.coefficients**2).sum())


def _newton(line: Line, turned: Reals, labels: Reals, weights: Reals, *, penalty: float) -> Line:
    """Return where the quadratic that touches the loss at a line is least, coefficients from 0 up."""
    chances = expit(_odds(line, turned))
    curvatures = weights * chances * (1 - chances)
    excess = weights * (chances - labels)
    total = curvatures.sum()
    # The intercept follows the coefficients freely, so it is solved for first: what is left is as if columns
    # were centered.
    means = np.einsum("mn,n->m", turned, curvatures) / total
    matrix = _products(turned * curvatures, turned) - total * np.outer(means, means)
    slopes = np.einsum("mn,n->m", turned, excess) - excess.sum() * means
    matrix[np.diag_indices_from(matrix)] += penalty + _JITTER * matrix.diagonal().max()
    goal = matrix @ line.coefficients - slopes - penalty * line.coefficients
    root = np.linalg.cholesky(matrix)
    coefficients = nnls(root.T, np.linalg.solve(root, goal))[0]
    moved = means @ (coefficients - line.coefficients)
    return Line(float(line.intercept - excess.sum() / total - moved), coefficients)


def _products(some: Reals, others: Reals) -> Reals:
    """Return the products (m, m), summed over rows, of columns (m, n) that are symmetric: half is summed."""
    products = np.zeros((len(some), len(some)))
    for place, one in enumerate(some):
        products[place, place:] = np.einsum("n,mn->m", one, others[place:])
    return np.asarray(np.triu(products, 1).T + products, np.float64)
