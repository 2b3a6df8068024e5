"""The aggregates of one product: a growing struct array, found by id, hashed independently of order."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.snapshot_records import brought

__all__ = ["Aggregates"]

_FIRST_ROOM: Final = 64
_WORD: Final = 2**64 - 1


class Aggregates:
    """Records of a product's dtype, keyed by 128-bit id.

    A dictionary finds them: this is the home of aggregates in the thousands, whose ``evolve`` is
    Python as well.

    Parameters
    ----------
    dtype
        What a record is.
    first_bytes
        How many bytes of it there were at first, all unless given. Fields that came later count in the hash
        where they are not zero, so that a journal from before them gives the hashes it holds.
    """

    def __init__(self, dtype: np.dtype[np.void], *, first_bytes: int = 0) -> None:
        self._records = np.zeros(_FIRST_ROOM, dtype)
        self._first_bytes = first_bytes or dtype.itemsize
        self._numbers: dict[int, int] = {}
        self.hash = 0

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def records(self) -> npt.NDArray[Any]:
        """Every aggregate in order of creation: a view, shape (n,)."""
        return self._records[: len(self._numbers)]

    def find(self, subject: int) -> npt.NDArray[Any] | None:
        """Return a copy of an aggregate, shape () of the product's dtype, or None."""
        number = self._numbers.get(subject)
        return None if number is None else self._records[number].copy()

    def take(self, subjects: list[int]) -> npt.NDArray[Any]:
        """Return copies of aggregates (n,), new ones zeroed but for their id."""
        taken = np.zeros(len(subjects), self._records.dtype)
        for i, subject in enumerate(subjects):
            number = self._numbers.get(subject)
            if number is None:
                taken[i]["id_high"], taken[i]["id_low"] = subject >> 64, subject & _WORD
            else:
                taken[i] = self._records[number]
        return taken

    def put(self, subjects: list[int], records: npt.NDArray[Any]) -> None:
        """Store what became of aggregates (n,); no id may be there twice."""
        for subject, record in zip(subjects, records, strict=True):
            number = self._numbers.get(subject)
            if number is None:
                number = len(self._numbers)
                self._make_room(number + 1)
                self._numbers[subject] = number
            else:
                self.hash -= self._hash(self._records[number])
            self._records[number] = record
            self.hash = (self.hash + self._hash(record)) & _WORD

    def restore(self, records: npt.NDArray[Any]) -> None:
        """Take over the records of a snapshot, shape (n,); see ``brought`` for those of another release."""
        subjects = [
            (high << 64) | low
            for high, low in zip(records["id_high"].tolist(), records["id_low"].tolist(), strict=True)
        ]
        self.put(subjects, brought(records, self._records.dtype, room=0))

    def _make_room(self, count: int) -> None:
        if count > len(self._records):
            grown = np.zeros(2 * len(self._records), self._records.dtype)
            grown[: len(self._records)] = self._records
            self._records = grown

    def _hash(self, record: Any) -> int:
        content = record.tobytes()
        later = content[self._first_bytes :].rstrip(b"\0")
        digest = hashlib.blake2b(content[: self._first_bytes] + later, digest_size=8).digest()
        return int.from_bytes(digest, "little")
