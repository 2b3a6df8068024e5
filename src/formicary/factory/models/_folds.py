"""Folds of a cross-validation: drawn from a seed and the places of rows, the same on every machine."""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.base.draws import draws
from formicary.base.errors import ProgrammingError
from formicary.factory.models._checks import Integers, Reals

__all__ = ["stratified_folds", "stratified_sample"]

_FOLDS_MIN: Final = 2


def stratified_folds(labels: Reals, *, folds: int, seed: int) -> Integers:
    """Return the fold (n,) of each row, so that every fold has its share of each class.

    Rows of a class are dealt out in the order of a hash of their place. Folds differ by one row of a class at
    most.
    """
    if folds < _FOLDS_MIN:
        message = f"a cross-validation has at least two folds, not {folds}"
        raise ProgrammingError(message)
    # The second class goes on where the first ended, so that folds are also equal in size.
    order = np.lexsort((draws(seed, len(labels)), labels))
    dealt = np.empty(len(labels), np.int64)
    dealt[order] = np.arange(len(labels)) % folds
    return dealt


def stratified_sample(labels: Reals, *, each_max: int, seed: int) -> Integers:
    """Return the places, ascending, of at most so many rows of either class of labels (n,) of 0 and 1.

    Of a class that has more, those of the lowest hashes of their places are taken.
    """
    keys = draws(seed, len(labels))
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    drawn = [rows[np.argsort(keys[rows], kind="stable")[:each_max]] for rows in classes]
    return np.sort(np.concatenate(drawn))
