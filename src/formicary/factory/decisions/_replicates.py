"""How sure a sum over days is: days are drawn again, and the middle of what comes out is the interval.

Rows of a day are not independent of each other, nor is money normal: a few amounts make most of it. So whole
days are drawn with replacement, as many as there are, and a replicate is the sum over them. Each bound is one
replicate's own sum, so that whole numbers stay whole. Efron and Tibshirani, *An Introduction to the
Bootstrap*, 1993, chapter 13, for the percentiles; Field and Welsh, *Bootstrapping clustered data*, Journal of
the Royal Statistical Society B 69, 2007, for drawing whole clusters.

With few days percentiles are too narrow, by the square root of (n - 1) / n and by how much Student's t
exceeds the normal quantile. Hesterberg, *What teachers should know about the bootstrap*, The American
Statistician 69, 2015, takes percentiles further out: the share left out at each end is
``Phi(-sqrt(n / (n - 1)) * t(n - 1))``. So is it here.

A jackknife that leaves out one day at a time costs less, but its interval is as wide to one side as to the
other, which no sum of rare large losses is.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtrit

from formicary.base.draws import draws

__all__ = ["LEVEL", "REPLICATES", "drawn_counts", "ranks_of"]

Words = npt.NDArray[np.int64]

REPLICATES: Final = 1_999
"""With one more the ranks of the common percentiles are whole (Davison and Hinkley, 1997, section 2.4)."""
LEVEL: Final = 0.95
_BLOCKS_MIN: Final = 8
# With fewer days an interval says more of what was assumed than of what happened.
_HALF_WORD: Final = np.uint64(32)


def drawn_counts(seed: int, blocks: int, replicates: int) -> Words:
    """Return how often each block is drawn in each replicate, (replicates, blocks)."""
    words = draws(seed, replicates * blocks).reshape(replicates, blocks)
    # The upper half of a word times the number of blocks, by Lemire: a bias of one in 2^32 blocks.
    chosen = (((words >> _HALF_WORD) * np.uint64(blocks)) >> _HALF_WORD).astype(np.int64)
    chosen += np.arange(replicates, dtype=np.int64)[:, None] * blocks
    counts = np.bincount(chosen.reshape(-1), minlength=replicates * blocks)
    return counts.reshape(replicates, blocks).astype(np.int64)


def ranks_of(blocks: int, replicates: int) -> tuple[int, int] | None:
    """Return which of the sorted replicates, from 0, are the bounds; None where blocks are too few."""
    if blocks < _BLOCKS_MIN:
        return None
    quantile = float(stdtrit(blocks - 1, (1 + LEVEL) * 0.5))
    outside = float(ndtr(-math.sqrt(blocks / (blocks - 1)) * quantile))
    rank = max(int(outside * (replicates + 1)), 1) - 1
    return rank, replicates - 1 - rank
