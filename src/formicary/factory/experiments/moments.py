"""Counts, means and covariances of the parties of each arm, as they were known at the end of each day.

Everything that is compared is computed from them, whatever the metric: a mean needs one column, a ratio its
two, and a covariate of what was before is one more. So a look at each of many days costs one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Moments", "running_moments", "stacked"]

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """What is known of arms; any axes may stand before that of the arms, a.

    Attributes
    ----------
    counts
        How many parties, (..., a).
    means
        Of each column, (..., a, k); NaN where there is nobody.
    covariances
        Of the columns, with the divisor ``counts - 1``, (..., a, k, k); NaN where there are less than two.
    """

    counts: Reals
    means: Reals
    covariances: Reals


def running_moments(
    days: npt.NDArray[np.int64], arms: npt.NDArray[np.int64], values: Reals, *, shape: tuple[int, int]
) -> Moments:
    """Return the moments of each arm up to each day, (d, a).

    Parameters
    ----------
    days, arms
        Of each party, from 0, (n,).
    values
        Of each party, (n, k).
    shape
        How many days and arms there are, (d, a).
    """
    columns = values.shape[1]
    # About a common centre: sums of squares of large numbers would lose the variance between them.
    centre = values.mean(axis=0) if len(values) else np.zeros(columns)
    centred = values - centre
    cells = days * shape[1] + arms
    counts = _sums(cells, None, shape)
    sums = np.stack([_sums(cells, centred[:, one], shape) for one in range(columns)], axis=-1)
    products = np.empty((*shape, columns, columns))
    for one in range(columns):
        for other in range(one + 1):
            found = _sums(cells, centred[:, one] * centred[:, other], shape)
            products[..., one, other] = products[..., other, one] = found
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts[..., None]
        comoments = products - means[..., :, None] * sums[..., None, :]
        covariances = comoments / np.where(counts > 1, counts - 1, np.nan)[..., None, None]
    return Moments(counts=counts, means=means + centre, covariances=covariances)


def _sums(cells: npt.NDArray[np.int64], weights: Reals | None, shape: tuple[int, int]) -> Reals:
    """Return sums by day and arm, of all days up to each, (d, a)."""
    of_days = np.bincount(cells, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)
    return np.asarray(np.cumsum(of_days, axis=0, dtype=np.float64))


def stacked(many: Sequence[Moments]) -> Moments:
    """Return the moments of several experiments of one shape, with an axis for them in front."""
    return Moments(
        counts=np.stack([one.counts for one in many]),
        means=np.stack([one.means for one in many]),
        covariances=np.stack([one.covariances for one in many]),
    )
