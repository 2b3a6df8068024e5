"""Walking an account's entries back along the positions that each names, compiled."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._index import BY_ID, find_row
from formicary.factory.ledger._layout import Records, State
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["WANTED", "pick", "rows_by_id", "walk_memory"]

WANTED: Final = np.dtype(
    [
        ("account_high", "<u8"),
        ("account_low", "<u8"),
        ("user_data_128_high", "<u8"),
        ("user_data_128_low", "<u8"),
        ("user_data_64", "<u8"),
        ("timestamp_min", "<i8"),
        ("timestamp_max", "<i8"),
        ("user_data_32", "<u4"),
        ("code", "<u2"),
        ("debits", "u1"),
        ("credits", "u1"),
        ("expiries", "u1"),
    ]
)
"""What a walk is looking for; zero is no condition. ``expiries``: whether an expired hold counts."""

_ZERO: Final = np.uint64(0)


@kernel_part
def _is_debit(row: Any, wanted: Any) -> bool:
    high, low = row["debit_account_id_high"], row["debit_account_id_low"]
    return bool(high == wanted["account_high"] and low == wanted["account_low"])


@kernel_part
def _has_fields(row: Any, wanted: Any) -> bool:
    if wanted["user_data_128_high"] != _ZERO or wanted["user_data_128_low"] != _ZERO:
        if row["user_data_128_high"] != wanted["user_data_128_high"]:
            return False
        if row["user_data_128_low"] != wanted["user_data_128_low"]:
            return False
    if wanted["user_data_64"] != _ZERO and row["user_data_64"] != wanted["user_data_64"]:
        return False
    if wanted["user_data_32"] != 0 and row["user_data_32"] != wanted["user_data_32"]:
        return False
    return bool(wanted["code"] == 0 or row["code"] == wanted["code"])


@kernel_part
def _is_wanted(row: Any, wanted: Any) -> bool:
    if wanted["timestamp_max"] != 0 and row["timestamp"] > wanted["timestamp_max"]:
        return False
    if row["status"] == Status.EXPIRED and wanted["expiries"] == 0:
        return False
    side = wanted["debits"] if _is_debit(row, wanted) else wanted["credits"]
    return bool(side != 0 and _has_fields(row, wanted))


@kernel_part
def _take(row: Any, wanted: Any, found: Records, count: int) -> tuple[int, int]:
    """Keep an entry if it is wanted; return how many are kept, and the position of the one before it.

    The account's times never go back, so one that is too early ends the walk: position 0.
    """
    if row["timestamp"] < wanted["timestamp_min"]:
        return count, 0
    if _is_wanted(row, wanted):
        found[count] = row
        count += 1
    return count, row["previous_debit"] if _is_debit(row, wanted) else row["previous_credit"]


@kernel_part
def _index_of(rows: Records, position: int, hint: int) -> int:
    """Return the number of the row at a position, or -1; ``hint`` is the number of a later one.

    Positions without a transfer are rare, so the row is as far before the hint as its position, or
    a little nearer: the search doubles its step from there, then halves the span.
    """
    low = min(max(hint - (rows[hint]["position"] - position), 0), hint)
    step, high = 1, low
    while rows[high]["position"] < position:
        if high == hint:
            return -1
        low = high + 1
        high = min(high + step, hint)
        step *= 2
    while low < high:
        middle = (low + high) // 2
        if rows[middle]["position"] < position:
            low = middle + 1
        else:
            high = middle
    return low if rows[low]["position"] == position else -1


@kernel
def walk_memory(
    older: Records, recent: Records, wanted: Any, position: int, floor: int, steps_max: int, found: Records
) -> tuple[int, int, int]:
    """Walk back from the entry at ``position`` to the one after ``floor``, through two generations of rows.

    Ends when ``found`` is full, after ``steps_max`` entries, or at a position that is not in memory.

    Returns
    -------
    How many were found, newest first; the position to go on from, 0 at the end; the entries passed.
    """
    count, steps = 0, 0
    hint_older, hint_recent = len(older) - 1, len(recent) - 1
    while position > floor and count < len(found) and steps < steps_max:
        if hint_recent >= 0 and position >= recent[0]["position"]:
            hint_recent = _index_of(recent, position, hint_recent)
            if hint_recent < 0:
                return count, position, steps
            count, position = _take(recent[hint_recent], wanted, found, count)
        elif hint_older >= 0 and position >= older[0]["position"]:
            hint_older = _index_of(older, position, hint_older)
            if hint_older < 0:
                return count, position, steps
            count, position = _take(older[hint_older], wanted, found, count)
        else:
            return count, position, steps
        steps += 1
    return count, position if position > floor else 0, steps


@kernel
def pick(rows: Records, wanted: Any, floor: int, found: Records) -> tuple[int, int]:
    """Keep what is wanted of consecutive entries (n,), newest first.

    Returns how many, and the position to go on from, 0 at the end; stops when ``found`` is full.
    """
    count, position = 0, 0
    for i in range(len(rows)):
        count, position = _take(rows[i], wanted, found, count)
        if position <= floor:
            return count, 0
        if count == len(found):
            return count, position
    return count, position


@kernel
def rows_by_id(state: State, keys: Records, found: Records) -> int:
    """Copy the rows in memory whose id is one of ``keys`` (n, 2), high and low; return how many."""
    count = 0
    for i in range(len(keys)):
        index = find_row(state.recent, BY_ID, keys[i, 0], keys[i, 1])
        if index >= 0:
            found[count] = state.recent.rows[index]
            count += 1
            continue
        index = find_row(state.older, BY_ID, keys[i, 0], keys[i, 1])
        if index >= 0:
            found[count] = state.older.rows[index]
            count += 1
    return count
