"""Stratified folds."""

from __future__ import annotations

import numpy as np

from benchmarks._folds import stratified_folds


def test_folds_share_positives_evenly() -> None:
    """Folds differ by one row of each kind at most, and the seed alone decides."""
    is_positive = np.arange(103) % 9 == 0
    fold = stratified_folds(is_positive, folds=5, seed=2)
    for kind in (is_positive, ~is_positive):
        counts = np.bincount(fold[kind], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (fold == stratified_folds(is_positive, folds=5, seed=2)).all()
    assert (fold != stratified_folds(is_positive, folds=5, seed=3)).any()
