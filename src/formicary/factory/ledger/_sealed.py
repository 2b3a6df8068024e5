"""Ids of long ago: a filter in memory, the keys themselves in a file.

When a generation of rows leaves memory its ids stay known: a register-blocked Bloom filter
(Putze, Sanders, Singler 2007: one 64-bit word a key, here five bits of it at sixteen bits a key)
says "surely not here" at the price of one cache miss; only what passes is looked up in the file.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._index import BY_ID, BY_RESOLVED_HOLD, id_hash, resolves_hold
from formicary.factory.ledger._layout import WORD_ZERO, Generation, Records
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["SEALED_KEY", "count_keys", "find_sealed", "seal"]

SEALED_KEY: Final = np.dtype([("high", "<u8"), ("low", "<u8"), ("position", "<i8"), ("kind", "<u8")])
"""One key and the position of its row; position 0 marks an empty place."""

_ONE: Final = np.uint64(1)
_SIX_BITS: Final = np.uint64(63)
_SHIFTS: Final = (np.uint64(0), np.uint64(6), np.uint64(12), np.uint64(18), np.uint64(24))
_HALF: Final = np.uint64(32)


@kernel_part
def _pattern(key_hash: Any) -> Any:
    """Return the five bits of a key in its word; they come from the hash's low half."""
    bits = WORD_ZERO
    for shift in _SHIFTS:
        bits |= _ONE << ((key_hash >> shift) & _SIX_BITS)
    return bits


@kernel_part
def _place(key_hash: Any, size: int) -> Any:
    """Spread the hash's high half evenly over ``size`` places."""
    return ((key_hash >> _HALF) * np.uint64(size)) >> _HALF


@kernel_part
def _seal_key(words: Records, keys: Records, kind: Any, high: Any, low: Any, position: int) -> None:
    key_hash = id_hash(high, low, kind)
    words[_place(key_hash, len(words))] |= _pattern(key_hash)
    place: Any = np.int64(_place(key_hash, len(keys)))
    while keys[place]["position"] != 0:
        place = place + 1 if place + 1 < len(keys) else 0
    keys[place]["high"] = high
    keys[place]["low"] = low
    keys[place]["kind"] = kind
    keys[place]["position"] = position


@kernel
def count_keys(generation: Generation, count: int) -> int:
    """Count the keys of the first ``count`` rows: ids, and holds that they resolved."""
    keys = 0
    for index in range(count):
        row = generation.rows[index]
        if row["status"] != Status.EXPIRED:
            keys += 1
        if resolves_hold(row):
            keys += 1
    return keys


@kernel
def seal(generation: Generation, count: int, words: Records, keys: Records) -> None:
    """Enter every key of a generation into a filter and a table of keys, both zeroed."""
    for index in range(count):
        row = generation.rows[index]
        if row["status"] != Status.EXPIRED:
            _seal_key(words, keys, BY_ID, row["id_high"], row["id_low"], row["position"])
        if resolves_hold(row):
            _seal_key(
                words, keys, BY_RESOLVED_HOLD, row["pending_id_high"], row["pending_id_low"], row["position"]
            )


@kernel_part
def _look_up(words: Records, keys: Records, kind: Any, high: Any, low: Any) -> int:
    """Return the position of a key's row in one sealed generation, or 0."""
    key_hash = id_hash(high, low, kind)
    bits = _pattern(key_hash)
    if words[_place(key_hash, len(words))] & bits != bits:
        return 0
    place: Any = np.int64(_place(key_hash, len(keys)))
    while keys[place]["position"] != 0:
        key = keys[place]
        if key["high"] == high and key["low"] == low and key["kind"] == kind:
            return int(key["position"])
        place = place + 1 if place + 1 < len(keys) else 0
    return 0


@kernel_part
def _note(positions: Records, count: int, position: int) -> int:
    if position == 0:
        return count
    positions[count] = position
    return count + 1


@kernel
def find_sealed(words: Records, keys: Records, items: Records, positions: Records) -> int:
    """Note the positions of the rows of one sealed generation that a batch may need, at most three an event.

    Those are the row that has an event's id, the hold it resolves, and what resolved that hold.
    """
    count = 0
    for i in range(len(items)):
        item = items[i]
        count = _note(positions, count, _look_up(words, keys, BY_ID, item["id_high"], item["id_low"]))
        high, low = item["pending_id_high"], item["pending_id_low"]
        if high != WORD_ZERO or low != WORD_ZERO:
            count = _note(positions, count, _look_up(words, keys, BY_ID, high, low))
            count = _note(positions, count, _look_up(words, keys, BY_RESOLVED_HOLD, high, low))
    return count
