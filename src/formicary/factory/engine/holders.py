"""Which aggregates of a columnar product hold an id: a party's trades, found without looking at all trades.

Slots lead from an id to the latest record that holds it, and from each record a number leads to the one
before. What holds an id is set when a record is created and never again, so that nothing but new records has
to be entered; they are when somebody asks.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.engine._column_kernels import chain_records, latest_record, latest_records
from formicary.factory.ledger.room import empty_slots

__all__ = ["Holders"]

Rows = npt.NDArray[Any]

_WORD_BYTES: Final = 8
_WORD: Final = 2**64 - 1


class Holders:
    """The records of a dtype by the id in a field of theirs, two words ``…_high`` and ``…_low``."""

    def __init__(self, dtype: np.dtype[np.void], field: str) -> None:
        fields: Any = dtype.fields
        self._name = field
        self._field = int(fields[f"{field}_high"][1]) // _WORD_BYTES
        self._slots: Rows = np.zeros(0, np.uint64)
        self._before: Rows = np.zeros(0, np.int64)
        self._count = 0

    def follow(self, words: Rows, count: int) -> None:
        """Enter the first ``count`` records, of which ``words`` (n, w) has room for n, that are new."""
        if len(self._before) < len(words):
            self._slots, self._before = empty_slots(len(words)), np.zeros(len(words), np.int64)
            self._count = 0
        chain_records(words, self._field, self._slots, self._before, self._count, count)
        self._count = count

    def all_of(self, words: Rows, count: int, ids: Rows) -> tuple[Rows, Rows]:
        """Return the numbers of the records that hold ids (n, 2), and the places of those ids, (m,) each.

        In the order of ids, those of one id ascending.
        """
        self.follow(words, count)
        numbers = np.empty(len(ids), np.int64)
        # A copy can be written to: for other arrays the kernel would be compiled once more.
        latest_records(words, self._field, self._slots, np.array(ids, np.uint64, order="C"), numbers)
        places = np.arange(len(ids))
        found = [np.zeros((2, 0), np.int64)]
        # As many turns as the id with most records has: each goes one record back for all ids that have one.
        while len(numbers):
            is_there = numbers >= 0
            numbers, places = numbers[is_there], places[is_there]
            found.append(np.stack([numbers, places]))
            numbers = self._before[numbers]
        numbers, places = np.concatenate(found, axis=1)
        order = np.lexsort((numbers, places))
        return numbers[order], places[order]

    def numbers(self, words: Rows, count: int, subject: int) -> list[int]:
        """Return the numbers of the records that hold an id, ascending."""
        self.follow(words, count)
        high, low = np.uint64(subject >> 64), np.uint64(subject & _WORD)
        found: list[int] = []
        number = int(latest_record(words, self._field, self._slots, high, low))
        while number >= 0:
            found.append(number)
            number = int(self._before[number])
        return found[::-1]

    def held(self, records: Rows) -> Rows:
        """Return a copy of the ids that records (n,) hold, (n, 2)."""
        return np.column_stack([records[f"{self._name}_{half}"] for half in ("high", "low")])

    def require_kept(self, before: Rows, after: Rows) -> None:
        """Look whether records that held ids (n, 2) hold the same ones now.

        Raises
        ------
        ProgrammingError
            One of them holds another id.
        """
        if (before.any(axis=1) & (before != after).any(axis=1)).any():
            message = f"{self._name} is set when a record is created, and was changed"
            raise ProgrammingError(message)
