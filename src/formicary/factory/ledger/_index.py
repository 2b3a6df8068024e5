"""Hashing, and open-addressing tables from 128-bit ids to rows of an array.

A slot is a word: 32 bits of the hash above 32 bits of row number plus one; zero is empty. The
hash bits spare most visits to the row itself. Tables are kept at most half full and entries
are only ever taken out in the reverse order of their insertion, so that linear probing needs no
tombstones.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._layout import RESOLVES, Generation, Records, State
from formicary.factory.ledger.statuses import CreateTransferStatus

__all__ = [
    "BY_ID",
    "BY_RESOLVED_HOLD",
    "absorb",
    "account_number",
    "account_numbers",
    "enter_ids",
    "find_account",
    "find_hold",
    "find_id",
    "find_row",
    "finish",
    "id_hash",
    "insert",
]

BY_ID: Final = np.uint64(0)
BY_RESOLVED_HOLD: Final = np.uint64(1)

_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER: Final = np.uint64(0xD6E8FEB86659FD93)
_SHIFT: Final = np.uint64(32)
_INDEX_MASK: Final = np.uint64(0xFFFFFFFF)
_ONE: Final = np.uint64(1)
_EMPTY: Final = np.uint64(0)


@kernel_part
def absorb(hash_so_far: Any, word: Any) -> Any:
    """Fold one more word into a hash: a round of multiply and xor-shift."""
    value = (hash_so_far ^ np.uint64(word)) * _MULTIPLIER
    return value ^ (value >> _SHIFT)


@kernel_part
def finish(hash_so_far: Any) -> Any:
    """Spread the last word's bits over the whole hash."""
    value = hash_so_far * _SEED
    return value ^ (value >> _SHIFT)


@kernel_part
def id_hash(high: Any, low: Any, kind: Any) -> Any:
    """Hash a 128-bit id as a key of the given kind (``BY_ID``, ``BY_RESOLVED_HOLD``)."""
    return finish(absorb(absorb(_SEED ^ kind, high), low))


@kernel_part
def insert(slots: Records, key_hash: Any, index: int) -> None:
    """Enter row ``index`` under a hash; the caller knows that the key is not there yet."""
    mask = np.uint64(len(slots) - 1)
    place = key_hash & mask
    while slots[place] != _EMPTY:
        place = (place + _ONE) & mask
    slots[place] = ((key_hash >> _SHIFT) << _SHIFT) | (np.uint64(index) + _ONE)


@kernel_part
def remove_last(slots: Records, key_hash: Any, index: int) -> None:
    """Take out the entry that was inserted last: row ``index`` under a hash."""
    mask = np.uint64(len(slots) - 1)
    wanted = ((key_hash >> _SHIFT) << _SHIFT) | (np.uint64(index) + _ONE)
    place = key_hash & mask
    while slots[place] != wanted:
        place = (place + _ONE) & mask
    slots[place] = _EMPTY


@kernel_part
def find_id(slots: Records, records: Records, high: Any, low: Any) -> int:
    """Return the number of the record with an id, by an index over the ids of ``records``, or -1."""
    key_hash = id_hash(high, low, BY_ID)
    mask = np.uint64(len(slots) - 1)
    tag = key_hash >> _SHIFT
    place = key_hash & mask
    while slots[place] != _EMPTY:
        if slots[place] >> _SHIFT == tag:
            index = np.int64(slots[place] & _INDEX_MASK) - 1
            record = records[index]
            if record["id_high"] == high and record["id_low"] == low:
                return int(index)
        place = (place + _ONE) & mask
    return -1


@kernel_part
def find_account(state: State, high: Any, low: Any) -> int:
    """Return the number of an account, or -1."""
    return find_id(state.account_slots, state.accounts, high, low)


@kernel
def account_number(state: State, high: Any, low: Any) -> int:
    """Return the number of an account, or -1; for callers outside the kernels."""
    return find_account(state, high, low)


@kernel
def account_numbers(state: State, ids: Records, numbers: Records) -> None:
    """Fill ``numbers`` (n,) with those of the accounts with ids (n, 2), high word first, or -1."""
    for i in range(len(ids)):
        numbers[i] = find_account(state, ids[i, 0], ids[i, 1])


@kernel_part
def find_hold(state: State, high: Any, low: Any) -> int:
    """Return the number of a hold that is open or was resolved a short while ago, or -1."""
    return find_id(state.hold_slots, state.hold_rows, high, low)


@kernel_part
def resolves_hold(row: Any) -> bool:
    """Tell whether a row ended a hold: a post or void that was created, or an expiry."""
    if row["status"] == CreateTransferStatus.EXPIRED:
        return True
    return bool(row["status"] == CreateTransferStatus.CREATED and row["flags"] & RESOLVES != 0)


@kernel_part
def _is_row(row: Any, kind: Any, high: Any, low: Any) -> bool:
    if kind == BY_ID:
        return bool(row["id_high"] == high and row["id_low"] == low)
    return bool(row["pending_id_high"] == high and row["pending_id_low"] == low and resolves_hold(row))


@kernel_part
def find_row(generation: Generation, kind: Any, high: Any, low: Any) -> int:
    """Return the number of the row with an id, or of the one that resolved a hold, or -1."""
    slots = generation.slots
    key_hash = id_hash(high, low, kind)
    mask = np.uint64(len(slots) - 1)
    tag = key_hash >> _SHIFT
    place = key_hash & mask
    while slots[place] != _EMPTY:
        if slots[place] >> _SHIFT == tag:
            index = np.int64(slots[place] & _INDEX_MASK) - 1
            if _is_row(generation.rows[index], kind, high, low):
                return int(index)
        place = (place + _ONE) & mask
    return -1


@kernel_part
def enter_row(generation: Generation, index: int) -> None:
    """Index a row under its id and, where it resolved a hold, under that hold's id."""
    row = generation.rows[index]
    if row["status"] != CreateTransferStatus.EXPIRED:
        insert(generation.slots, id_hash(row["id_high"], row["id_low"], BY_ID), index)
    if resolves_hold(row):
        key = id_hash(row["pending_id_high"], row["pending_id_low"], BY_RESOLVED_HOLD)
        insert(generation.slots, key, index)


@kernel_part
def remove_last_row(generation: Generation, index: int) -> None:
    """Undo ``enter_row`` of the row that was entered last."""
    row = generation.rows[index]
    if resolves_hold(row):
        key = id_hash(row["pending_id_high"], row["pending_id_low"], BY_RESOLVED_HOLD)
        remove_last(generation.slots, key, index)
    if row["status"] != CreateTransferStatus.EXPIRED:
        remove_last(generation.slots, id_hash(row["id_high"], row["id_low"], BY_ID), index)


@kernel
def enter_rows(generation: Generation, count: int) -> None:
    """Index the first ``count`` rows of a generation whose slots are empty."""
    for index in range(count):
        enter_row(generation, index)


@kernel
def enter_ids(rows: Records, slots: Records, count: int) -> None:
    """Index the first ``count`` records of any array by their id, into empty slots."""
    for index in range(count):
        insert(slots, id_hash(rows[index]["id_high"], rows[index]["id_low"], BY_ID), index)
