"""The aggregates of a product with millions of them: columns, found and hashed by kernels.

They do what ``Aggregates`` do, and more: an event may create many at once, and change many at once in place;
they are found by ids that they hold, and summed up as they change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.engine._column_kernels import (
    ID,
    Table,
    enter_records,
    find_records,
    hash_records,
    put_records,
    take_records,
)
from formicary.factory.engine.holders import Holders
from formicary.factory.engine.products import AGGREGATE_HEADER, Product, Totals
from formicary.factory.engine.running_totals import RunningTotals
from formicary.factory.engine.snapshot_records import brought
from formicary.factory.ledger.room import empty_slots, larger

__all__ = ["WORD_BYTES", "ColumnarAggregates", "columns_of", "ids_of", "load_kernels"]

Rows = npt.NDArray[Any]

WORD_BYTES: Final = 8
"""Records are whole words of so many bytes."""

_FIRST_ROOM: Final = 64
_WORD: Final = 2**64 - 1


def ids_of(subjects: Sequence[int]) -> Rows:
    """Return 128-bit ids as words (n, 2), the high one first."""
    return np.array([(one >> 64, one & _WORD) for one in subjects], np.uint64).reshape(-1, 2)


class ColumnarAggregates:
    """Records of a product's dtype, keyed by 128-bit id, in the order of their creation.

    Parameters
    ----------
    dtype
        What a record is: whole words, without padding.
    first_bytes
        How many bytes of it there were at first, all unless given; see ``Aggregates``. Whole words as well.
    found_by
        Fields of ids by which they are found.
    totals
        What they are summed up to, nothing unless given.
    """

    def __init__(
        self,
        dtype: np.dtype[np.void],
        *,
        first_bytes: int = 0,
        found_by: Sequence[str] = (),
        totals: Totals | None = None,
    ) -> None:
        self._first_words = (first_bytes or dtype.itemsize) // WORD_BYTES
        self._holders = {name: Holders(dtype, name) for name in found_by}
        self._totals = RunningTotals(totals)
        self._count = 0
        self.hash = 0
        self._keep(np.zeros(_FIRST_ROOM, dtype))

    def __len__(self) -> int:
        return self._count

    @property
    def records(self) -> Rows:
        """Every aggregate in order of creation: a view, shape (n,), until the next one is created."""
        return self._records[: self._count]

    def find(self, subject: int) -> Rows | None:
        """Return a copy of an aggregate, shape () of the product's dtype, or None."""
        (number,) = self.numbers(ids_of([subject])).tolist()
        return None if number < 0 else self._records[number].copy()

    def found(self, field: str, subject: int) -> Rows:
        """Return copies of the aggregates that hold an id in a field, in order of creation, (n,)."""
        numbers = self._holders[field].numbers(self._table.words, self._count, subject)
        return self._records[numbers]

    @property
    def totals(self) -> Mapping[int, tuple[int, ...]]:
        """The sums over all aggregates, by key; without those of which nothing is left."""
        return self._totals.sums

    def holders(self, field: str, ids: Rows) -> tuple[Rows, Rows]:
        """Return the numbers of the aggregates that hold ids (n, 2) in a field, and the places of those."""
        return self._holders[field].all_of(self._table.words, self._count, ids)

    def are_new(self, ids: Rows) -> bool:
        """Tell whether ids (n, 2) are of no aggregate, and each is there once."""
        ordered = ids[np.lexsort((ids[:, 1], ids[:, 0]))]
        is_doubled = (ordered[1:] == ordered[:-1]).all(axis=1)
        return not is_doubled.any() and bool((self.numbers(ids) < 0).all())

    def take(self, subjects: list[int]) -> Rows:
        """Return copies of aggregates (n,), new ones zeroed but for their id."""
        taken = np.zeros(len(subjects), self._records.dtype)
        words = _words_of(taken)
        words[:, : ID.itemsize // WORD_BYTES] = ids_of(subjects)
        take_records(self._table, words)
        return taken

    def put(self, subjects: list[int], records: Rows) -> None:
        """Store what became of aggregates (n,), which have the ids that they were taken by."""
        self._make_room(self._count + len(subjects))
        if self._totals.is_kept or self._holders:
            before = self.take(subjects)
            for holders in self._holders.values():
                holders.require_kept(holders.held(before), holders.held(records))
            self._totals.change(before, records)
        change, self._count = put_records(self._table, _words_of(records), self._count, self._first_words)
        self.hash = (self.hash + int(change)) & _WORD

    def create(self, ids: Rows, *, timestamp: int) -> None:
        """Add aggregates with ids (n, 2) that are new, of one event each, which happened at ``timestamp``."""
        first, after = self._count, self._count + len(ids)
        self._make_room(after)
        fresh = self._records[first:after]
        fresh["id_high"], fresh["id_low"] = ids[:, 0], ids[:, 1]
        fresh["timestamp"], fresh["events"] = timestamp, 1
        enter_records(self._table, first, after)
        self._count = after
        self.hash = (self.hash + self._hash_of(first, after)) & _WORD

    def sweep(self, first: int, after: int, change: Callable[[Rows], None], *, in_sums: bool = True) -> None:
        """Let ``change`` change the records from ``first`` up to ``after`` in place; it keeps their ids.

        Where it is not ``in_sums``, it keeps what they add to sums as well.
        """
        before, records = self._hash_of(first, after), self._records[first:after]
        with self._totals.changing(records if in_sums else records[:0]):
            change(records)
        self.hash = (self.hash + self._hash_of(first, after) - before) & _WORD

    def restore(self, records: Rows) -> None:
        """Take over the records of a snapshot, shape (n,); see ``brought`` for those of another release."""
        own = brought(records, self._records.dtype, room=_FIRST_ROOM)
        self._count = len(records)
        self._keep(own)
        self.hash = self._hash_of(0, self._count)
        self._totals.begin(self.records)
        for holders in self._holders.values():
            holders.follow(self._table.words, self._count)

    def numbers(self, ids: Rows) -> Rows:
        """Return the numbers (n,) of aggregates by ids (n, 2), -1 for none."""
        numbers = np.empty(len(ids), np.int64)
        # A copy can be written to: for other arrays the kernel would be compiled once more.
        find_records(self._table, np.array(ids, np.uint64, order="C"), numbers)
        return numbers

    def _hash_of(self, first: int, after: int) -> int:
        return int(hash_records(self._table.words, first, after, self._first_words))

    def _make_room(self, count: int) -> None:
        if count > len(self._records):
            self._keep(larger(self._records, 1 << (count - 1).bit_length()))

    def _keep(self, records: Rows) -> None:
        """Take an array of which the first ``_count`` records are in use, and index them."""
        self._records = records
        words = _words_of(records)
        ids = words[:, : ID.itemsize // WORD_BYTES].view(ID)[:, 0]
        self._table = Table(words, ids, empty_slots(len(records)))
        enter_records(self._table, 0, self._count)


def _words_of(records: Rows) -> Rows:
    return records.view(np.uint64).reshape(len(records), records.dtype.itemsize // WORD_BYTES)


def columns_of(product: Product) -> ColumnarAggregates:
    """Return no aggregates yet of a product that is columnar."""
    return ColumnarAggregates(
        product.aggregate,
        first_bytes=product.aggregate_first_bytes,
        found_by=product.found_by,
        totals=product.totals,
    )


def load_kernels() -> None:
    """Load the kernels of aggregates as columns, compiling those that are not in the cache."""
    dtype = np.dtype([*AGGREGATE_HEADER, ("more", "<u4"), ("of_high", "<u8"), ("of_low", "<u8")])
    kept = ColumnarAggregates(dtype, found_by=("of",))
    kept.put([1], kept.take([1]))
    kept.sweep(0, len(kept), lambda _: None)
    kept.find(1)
    kept.found("of", 1)
    kept.holders("of", ids_of([1]))
