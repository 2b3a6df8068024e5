"""Folds of rows with alike shares of positives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["stratified_folds"]


def stratified_folds(is_positive: npt.NDArray[np.bool_], *, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the fold of each row, (n,) of 0 … folds - 1; positives are spread evenly, and so is the rest."""
    random = np.random.default_rng(seed)
    fold = np.empty(len(is_positive), np.int64)
    for rows in (np.flatnonzero(is_positive), np.flatnonzero(~is_positive)):
        fold[random.permutation(rows)] = np.arange(len(rows)) % folds
    return fold
