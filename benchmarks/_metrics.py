"""How well scores rank: the area under the ROC curve, and average precision."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["average_precision", "roc_auc"]

_Flags: TypeAlias = npt.NDArray[np.bool_]


def roc_auc(is_positive: _Flags, scores: npt.NDArray[Any]) -> float:
    """Return the share of pairs of a positive and a negative that the scores (n,) order rightly.

    A tie is half a pair: the statistic of Mann and Whitney (1947) by its number of pairs.

    Raises
    ------
    ValueError
        There is no positive, or no negative.
    """
    positives = int(is_positive.sum())
    pairs = positives * (len(is_positive) - positives)
    if not pairs:
        message = "a pair takes a positive and a negative"
        raise ValueError(message)
    _, place, size = np.unique(scores, return_inverse=True, return_counts=True)
    # Tied scores share the mean of their ranks, which count from one.
    mean_rank = np.cumsum(size) - (size - 1) / 2
    won = mean_rank[place][is_positive].sum() - positives * (positives + 1) / 2
    return float(won / pairs)


def average_precision(is_positive: _Flags, scores: npt.NDArray[Any]) -> float:
    """Return the mean over positives of the precision at each one's score, from the highest (n,) down.

    ``sum (R_k - R_(k-1)) P_k`` over the distinct scores, without interpolation: tied scores are taken
    together.

    Raises
    ------
    ValueError
        There is no positive.
    """
    positives = int(is_positive.sum())
    if not positives:
        message = "there is no positive"
        raise ValueError(message)
    _, place, size = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(place, weights=is_positive)
    precision = np.cumsum(hits) / np.cumsum(size)
    return float((hits * precision).sum() / positives)
