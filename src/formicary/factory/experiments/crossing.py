"""How likely a sum that is looked at again and again has left its boundaries by each look.

The sum of normal increments is followed look by look: its density within the boundaries is carried on by
numerical integration (Armitage, McPherson, Rowe, "Repeated significance tests on accumulating data", 1969).
So both what looking daily costs a fixed test and how long a sequence takes are known without simulating.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

__all__ = ["crossing_probabilities"]

Reals = npt.NDArray[np.float64]

_NODES_MIN = 64
_NODES_PER_ROOT = 16


def crossing_probabilities(boundaries: npt.ArrayLike, drift: float) -> Reals:
    """Return the chance of having left the boundaries at one of the looks up to each, (d,).

    Parameters
    ----------
    boundaries
        In standard errors on either side, by look, (d,); infinite where nothing can be crossed. All looks are
        as far apart.
    drift
        The mean of the sum's growth between two looks, in standard deviations of it.
    """
    critical = np.asarray(boundaries, np.float64)
    looks = np.arange(1, len(critical) + 1)
    # A sum that is never looked at is followed as well; beyond nine deviations nothing is left of it.
    ends = np.minimum(critical, 9.0 + abs(drift) * np.sqrt(looks)) * np.sqrt(looks)
    count = _NODES_MIN + _NODES_PER_ROOT * int(np.ceil(np.sqrt(len(critical))))
    nodes, weights = np.polynomial.legendre.leggauss(count)
    crossed = np.empty(len(critical))
    # Before the first look all of it is at nought.
    places, mass = np.zeros(1), np.ones(1)
    total = 0.0
    for look, end in enumerate(ends):
        means = places + drift
        total += float(mass @ (ndtr(-end - means) + ndtr(means - end)))
        crossed[look] = total
        grid = nodes * end
        density = np.exp(-0.5 * (grid[:, None] - means) ** 2) @ mass / np.sqrt(2 * np.pi)
        places, mass = grid, density * weights * end
    return crossed
