"""Arrays of scores and labels, checked once where they come in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.models.errors import LabelsTooFew

__all__ = ["Integers", "Reals", "both_classes", "labelled", "sums"]

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def labelled(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Reals, Reals, Reals]:
    """Return scores, labels and weights (n,) as reals, weights of one where there are none.

    Raises
    ------
    ProgrammingError
        Shapes differ, a score is not a number, a label is neither 0 nor 1, or a weight is negative or
        infinite.
    """
    numbers = np.asarray(scores, np.float64)
    classes = np.asarray(labels, np.float64)
    masses = np.ones(classes.shape) if weights is None else np.asarray(weights, np.float64)
    if numbers.ndim != 1 or not numbers.shape == classes.shape == masses.shape:
        message = f"{numbers.shape} scores, {classes.shape} labels and {masses.shape} weights do not match"
        raise ProgrammingError(message)
    if np.isnan(numbers).any():
        message = "a score is not a number"
        raise ProgrammingError(message)
    if not ((classes == 0) | (classes == 1)).all():
        message = "a label is neither 0 nor 1"
        raise ProgrammingError(message)
    if not ((masses >= 0) & np.isfinite(masses)).all():
        message = "a weight is negative or infinite"
        raise ProgrammingError(message)
    return numbers, classes, masses


def both_classes(labels: Reals, weights: Reals, *, least: int = 1) -> None:
    """Refuse labels (n,) that have fewer than ``least`` rows of positive weight of a class."""
    for label in (0, 1):
        found = int(((labels == label) & (weights > 0)).sum())
        if found < least:
            message = f"{found} rows have the label {label}, at least {least} are needed"
            raise LabelsTooFew(message)


def sums(groups: Integers, values: Reals, *, count: int = 0) -> Reals:
    """Return the sum of the values (n,) of each group, (k,), at least ``count`` of them."""
    return np.asarray(np.bincount(groups, values, minlength=count), np.float64)
