"""Sums over the aggregates of a columnar product, kept as these change: a book's exposure without the book.

Whatever changes records takes what they were off the sums and adds what they are, as their hash does. The
sums follow from the records, so that they are in no hash and no snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.products import Totals

__all__ = ["RunningTotals"]

Rows = npt.NDArray[Any]

_ROWS_AT_ONCE: Final = 65_536
"""Records summed up in words: so many of at most 10^14 each fit one."""


class RunningTotals:
    """The sums by key; of a product that has none they stay empty."""

    def __init__(self, totals: Totals | None) -> None:
        self._totals = totals
        self.sums: dict[int, tuple[int, ...]] = {}
        """By key; without those that are all zero."""

    @property
    def is_kept(self) -> bool:
        """Whether anything is summed up."""
        return self._totals is not None

    def begin(self, records: Rows) -> None:
        """Sum up records (n,) anew."""
        self.sums = {}
        if self._totals is not None:
            for first in range(0, len(records), _ROWS_AT_ONCE):
                self._add(*self._totals.measure(records[first : first + _ROWS_AT_ONCE]))

    def change(self, before: Rows, after: Rows) -> None:
        """Count records (n,) as they are and no more as they were."""
        if self._totals is not None:
            self._replace(self._totals.measure(before), self._totals.measure(after))

    @contextmanager
    def changing(self, records: Rows) -> Iterator[None]:
        """Count what is changed of records (n,) in place meanwhile."""
        if self._totals is None:
            yield
            return
        parts = [records[first : first + _ROWS_AT_ONCE] for first in range(0, len(records), _ROWS_AT_ONCE)]
        before = [self._totals.measure(part) for part in parts]
        yield
        for measured, part in zip(before, parts, strict=True):
            self._replace(measured, self._totals.measure(part))

    def _replace(self, before: tuple[Rows, Rows], after: tuple[Rows, Rows]) -> None:
        # Most of what a sweep changes is in no sum.
        is_other = before[0] != after[0]
        for column in range(before[1].shape[1]):
            is_other |= before[1][:, column] != after[1][:, column]
        self._add(before[0][is_other], -before[1][is_other])
        self._add(after[0][is_other], after[1][is_other])

    def _add(self, keys: Rows, amounts: Rows) -> None:
        known, places = np.unique(keys, return_inverse=True)
        added = np.zeros((len(known), amounts.shape[1]), np.int64)
        np.add.at(added, places, amounts)
        for key, sums in zip(known.tolist(), added.tolist(), strict=True):
            held = self.sums.get(key, (0,) * len(sums))
            total = tuple(one + other for one, other in zip(held, sums, strict=True))
            if any(total):
                self.sums[key] = total
            else:
                self.sums.pop(key, None)
