"""Whether what decisions were told online is what a replay tells, bit for bit."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.features.store import Values

__all__ = ["FeatureSkew", "SkewReport", "compare"]

_NONE: Final = -1


class FeatureSkew(msgspec.Struct, frozen=True, kw_only=True):
    """How one feature's values differ.

    Attributes
    ----------
    rows
        How many were compared.
    equal
        How many have the same bits on both sides, or a value on neither.
    missing_once
        How many have a value on one side only.
    largest_difference
        Among rows with a value on both sides; infinite where one of them is.
    first_differing
        The row, from 0; -1 where all are equal.
    """

    name: str
    rows: int
    equal: int
    missing_once: int
    largest_difference: float
    first_differing: int

    @property
    def is_equal(self) -> bool:
        """Whether no row differs."""
        return self.equal == self.rows


class SkewReport(msgspec.Struct, frozen=True, kw_only=True):
    """How what was told online differs from what a replay tells.

    Attributes
    ----------
    rows
        How many were compared.
    withheld_differing
        In how many of them consent of other parties was lacking.
    """

    rows: int
    withheld_differing: int
    features: tuple[FeatureSkew, ...]

    @property
    def differing(self) -> tuple[FeatureSkew, ...]:
        """The features of which a row differs."""
        return tuple(feature for feature in self.features if not feature.is_equal)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differing and not self.withheld_differing


def compare(online: Values, replayed: Values) -> SkewReport:
    """Compare, row by row, what asking events were told with what a replay tells of the same events.

    Zeros of other signs are different bits, and so differ by 0; a value that is missing equals a missing one.

    Raises
    ------
    ProgrammingError
        The two are not of the same features and the same number of rows.
    """
    if online.names != replayed.names or online.subjects != replayed.subjects:
        message = "only values of the same set of features can be compared"
        raise ProgrammingError(message)
    if online.values.shape != replayed.values.shape:
        message = f"{len(online.values)} rows cannot be compared with {len(replayed.values)}"
        raise ProgrammingError(message)
    columns = enumerate(online.names)
    return SkewReport(
        rows=len(online.values),
        withheld_differing=int((online.withheld != replayed.withheld).sum()),
        features=tuple(_skew(name, online.values[:, at], replayed.values[:, at]) for at, name in columns),
    )


def _skew(name: str, left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> FeatureSkew:
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    left_missing, right_missing = np.isnan(left), np.isnan(right)
    same = (left.view(np.int64) == right.view(np.int64)) | (left_missing & right_missing)
    differing = np.flatnonzero(~same)
    both = differing[~(left_missing | right_missing)[differing]]
    with np.errstate(over="ignore"):
        distances = np.abs(left[both] - right[both])
    return FeatureSkew(
        name=name,
        rows=len(left),
        equal=int(same.sum()),
        missing_once=int((left_missing != right_missing).sum()),
        largest_difference=float(distances.max(initial=0.0)),
        first_differing=int(differing[0]) if len(differing) else _NONE,
    )
