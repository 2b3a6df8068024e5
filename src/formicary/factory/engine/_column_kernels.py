"""Kernels of aggregates as columns: found by id, stored and hashed by their words.

Records come as words, (n, w) uint64, whatever fields their product gave them: compiled once, a kernel does
for all products. The first two words are the id.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._index import BY_ID, absorb, find_id, finish, id_hash, insert

__all__ = [
    "ID",
    "Table",
    "chain_records",
    "enter_records",
    "find_records",
    "hash_records",
    "latest_record",
    "latest_records",
    "put_records",
    "take_records",
]

Records = npt.NDArray[Any]

ID: Final = np.dtype([("id_high", "<u8"), ("id_low", "<u8")])
"""How every aggregate begins."""

_SEED: Final = np.uint64(0xA24BAED4963EE407)
_NOTHING: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_SHIFT: Final = np.uint64(32)
_INDEX_MASK: Final = np.uint64(0xFFFFFFFF)
_WORDS_OF_ID: Final = 2


class Table(NamedTuple):
    """Records with room to spare, and an open-addressing index over their ids."""

    words: Records
    ids: Records
    """The first two words of each record, (n,) of ``ID``, in the same memory."""
    slots: Records


@kernel_part
def _hash(words: Records, number: int, first_words: int) -> Any:
    """Hash a record; words past the first ones count up to the last that is not zero."""
    end = words.shape[1]
    while end > first_words and words[number, end - 1] == _NOTHING:
        end -= 1
    value = _SEED
    for place in range(end):
        value = absorb(value, words[number, place])
    return finish(value)


@kernel
def hash_records(words: Records, first: int, after: int, first_words: int) -> Any:
    """Return the sum of the hashes of the records from ``first`` up to ``after``, whatever their order."""
    total = _NOTHING
    for number in range(first, after):
        total += _hash(words, number, first_words)
    return total


@kernel
def find_records(table: Table, ids: Records, numbers: Records) -> None:
    """Fill ``numbers`` (n,) with those of the records with ids (n, 2), high word first, or -1."""
    for i in range(len(ids)):
        numbers[i] = find_id(table.slots, table.ids, ids[i, 0], ids[i, 1])


@kernel
def take_records(table: Table, taken: Records) -> None:
    """Fill records (n, w), which have their ids, with what is kept of them; others stay as they are."""
    for i in range(len(taken)):
        number = find_id(table.slots, table.ids, taken[i, 0], taken[i, 1])
        if number >= 0:
            for place in range(_WORDS_OF_ID, taken.shape[1]):
                taken[i, place] = table.words[number, place]


@kernel
def put_records(table: Table, put: Records, count: int, first_words: int) -> tuple[Any, int]:
    """Store records (n, w) by their ids; ``count`` are there, and there is room for n more.

    Returns by how much the sum of all hashes changes, and how many there are now.
    """
    words = table.words
    change = _NOTHING
    for i in range(len(put)):
        number = find_id(table.slots, table.ids, put[i, 0], put[i, 1])
        if number < 0:
            number = count
            count += 1
            insert(table.slots, id_hash(put[i, 0], put[i, 1], BY_ID), number)
        else:
            change -= _hash(words, number, first_words)
        for place in range(put.shape[1]):
            words[number, place] = put[i, place]
        change += _hash(words, number, first_words)
    return change, count


@kernel
def enter_records(table: Table, first: int, after: int) -> None:
    """Index the records from ``first`` up to ``after``, whose ids are not there yet."""
    for number in range(first, after):
        record = table.ids[number]
        insert(table.slots, id_hash(record["id_high"], record["id_low"], BY_ID), number)


@kernel_part
def _slot_of(words: Records, field: int, slots: Records, high: Any, low: Any) -> Any:
    """Return the place in ``slots`` of the records that hold an id in a field, or the free one for it."""
    key_hash = id_hash(high, low, BY_ID)
    mask = np.uint64(len(slots) - 1)
    tag = key_hash >> _SHIFT
    place = key_hash & mask
    while slots[place] != _NOTHING:
        if slots[place] >> _SHIFT == tag:
            number = np.int64(slots[place] & _INDEX_MASK) - 1
            if words[number, field] == high and words[number, field + 1] == low:
                return place
        place = (place + _ONE) & mask
    return place


@kernel
def latest_record(words: Records, field: int, slots: Records, high: Any, low: Any) -> int:
    """Return the number of the latest record that holds an id in its words from ``field`` on, or -1."""
    place = _slot_of(words, field, slots, high, low)
    return int(slots[place] & _INDEX_MASK) - 1


@kernel
def latest_records(words: Records, field: int, slots: Records, ids: Records, numbers: Records) -> None:
    """Write the number of the latest record that holds each id (n, 2) into ``numbers`` (n,), -1 for none."""
    for place in range(len(ids)):
        slot = _slot_of(words, field, slots, ids[place, 0], ids[place, 1])
        numbers[place] = np.int64(slots[slot] & _INDEX_MASK) - 1


@kernel
def chain_records(
    words: Records, field: int, slots: Records, before: Records, first: int, after: int
) -> None:
    """Index the records from ``first`` up to ``after`` by the id in their words from ``field`` on.

    ``before`` (n,) gets the number of the one before with the same id, or -1; ``slots`` lead to the latest.
    """
    for number in range(first, after):
        high, low = words[number, field], words[number, field + 1]
        place = _slot_of(words, field, slots, high, low)
        before[number] = np.int64(slots[place] & _INDEX_MASK) - 1
        slots[place] = ((id_hash(high, low, BY_ID) >> _SHIFT) << _SHIFT) | (np.uint64(number) + _ONE)
