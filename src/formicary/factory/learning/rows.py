"""Rows that a model was asked about, as far as their outcomes are known at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.errors import StreamMalformed

__all__ = ["UNKNOWN", "Rows"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]
Ids: TypeAlias = npt.NDArray[np.uint64]

UNKNOWN: Final = -1
"""In place of a label that nobody knows yet."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """Rows in the order of time.

    Attributes
    ----------
    values
        What the model reads, (n, columns) in the order of its specification, NaN where missing.
    at
        When each asked, in nanoseconds, (n,), ascending.
    amounts
        What each is about, in minor units, (n,).
    labels
        1, 0 or ``UNKNOWN``, (n,).
    parties
        Who asked, two words each, (n, 2).
    segments
        By name, to which segment each belongs, (n,).
    weights
        For how many rows each stands, (n,), at least 1; for itself alone unless given. What was let through
        by a lot stands for those like it that were not (``decisions.propensities``).

    Raises
    ------
    StreamMalformed
        Arrays differ in length, times fall, a label is none of the three, or a weight is below 1.
    """

    values: Reals
    at: Words
    amounts: Words
    labels: npt.NDArray[np.int8]
    parties: Ids
    segments: Mapping[str, npt.NDArray[Any]]
    weights: Reals = field(default_factory=lambda: np.ones(()))

    def __post_init__(self) -> None:
        count = len(self.at)
        if not self.weights.ndim:
            object.__setattr__(self, "weights", np.full(count, self.weights))
        columns: tuple[npt.NDArray[Any], ...] = (
            self.values,
            self.amounts,
            self.labels,
            self.parties,
            self.weights,
            *self.segments.values(),
        )
        if any(len(column) != count for column in columns):
            message = f"{count} times, and columns of {sorted({len(column) for column in columns})} rows"
            raise StreamMalformed(message)
        if count and (np.diff(self.at) < 0).any():
            message = "rows stand in the order of time"
            raise StreamMalformed(message)
        if not np.isin(self.labels, (0, 1, UNKNOWN)).all():
            message = f"a label is 1, 0 or {UNKNOWN}"
            raise StreamMalformed(message)
        if not ((self.weights >= 1) & np.isfinite(self.weights)).all():
            message = "a row stands for itself at least: its weight is 1 or more"
            raise StreamMalformed(message)

    def __len__(self) -> int:
        return len(self.at)

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Which rows (n,) have a label."""
        return np.asarray(self.labels != UNKNOWN, np.bool_)

    def counted(self, money: Words) -> Words:
        """Return money of each row (n,), in minor units, for all the rows that it stands for."""
        return np.asarray(np.rint(money * self.weights), np.int64)

    def chosen(self, rows: npt.NDArray[Any] | slice) -> Rows:
        """Return some of the rows: by number, by a flag for each, or by a slice."""
        return replace(
            self,
            values=self.values[rows],
            at=self.at[rows],
            amounts=self.amounts[rows],
            labels=self.labels[rows],
            parties=self.parties[rows],
            weights=self.weights[rows],
            segments={name: column[rows] for name, column in self.segments.items()},
        )

    def between(self, first: int, after: int) -> Rows:
        """Return the rows that asked from a time on, in nanoseconds, and before another."""
        place, end = np.searchsorted(self.at, (first, after))
        return self.chosen(slice(int(place), int(end)))
