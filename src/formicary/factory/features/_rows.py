"""Rows of keys: found by hash, begun from a template, dropped when they tell nothing any more."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part, prefetch, tail
from formicary.factory.features._entries import free_entries, ring_of
from formicary.factory.features._layout import (
    EMPTY,
    HOLDER_WORDS,
    LINE_WORDS,
    NO_ID,
    NO_ROW,
    NOT_KNOWN,
    NOW,
    ROW_LATEST,
    ROW_TABLE,
    ROWS,
    SWEEP_AT,
    SWEPT_UNTIL,
    USED,
    Events,
    Plan,
    State,
    Words,
)
from formicary.factory.ledger._index import id_hash

__all__ = [
    "find_row",
    "index_rows",
    "is_row_of",
    "key_of",
    "likely_row",
    "row_for",
    "seen_row",
    "slot_of",
    "spread",
    "sweep",
    "sweep_is_due",
]

_PLACE_BITS: Final = np.uint64(40)
_PLACE_MASK: Final = np.uint64((1 << 40) - 1)
_ONE: Final = np.uint64(1)
_EMPTY_SLOT: Final = np.uint64(0)

SWEEP_WORDS_MIN: Final = 1 << 14
"""Words of rows below which nothing is swept."""


@kernel_part
def spread(high: Any, low: Any, seed: Any) -> Any:
    """Hash two words and a number."""
    return id_hash(np.uint64(high), np.uint64(low), np.uint64(seed))


@kernel_part
def key_of(events: Events, item: int, columns: Words) -> tuple[Any, Any]:
    """Return the two words of a key made of the ids in ``columns[1:]``; both 0 where one of them is 0."""
    high = events.ids[item, columns[1], 0]
    low = events.ids[item, columns[1], 1]
    for place in range(2, 5):
        column = columns[place]
        if column < 0 or (high == 0 and low == 0):
            break
        next_high = events.ids[item, column, 0]
        next_low = events.ids[item, column, 1]
        if next_high == 0 and next_low == 0:
            high = np.int64(0)
            low = np.int64(0)
        else:
            # Two hashes of all four words; by chance two keys meet about once in 2^64 pairs of them.
            first = spread(high, low, next_high)
            second = spread(low, high, next_low)
            high = np.int64(spread(first, second, next_low))
            low = np.int64(spread(second, first, next_high)) | np.int64(1)
    return high, low


@kernel_part
def find_row(state: State, table: int, high: Any, low: Any) -> int:
    """Return the place of a key's row in ``words``, ``NO_ROW`` or, for an absent id, ``NO_ID``."""
    if high == 0 and low == 0:
        return NO_ID
    slots = state.slots
    words = state.words
    key_hash = spread(high, low, table)
    mask = np.uint64(len(slots) - 1)
    place = key_hash & mask
    while slots[place] != _EMPTY_SLOT:
        if slots[place] >> _PLACE_BITS == key_hash >> _PLACE_BITS:
            row = np.int64(slots[place] & _PLACE_MASK) - 1
            if words[row] == high and words[row + 1] == low and words[row + ROW_TABLE] == table:
                return int(row)
        place = (place + _ONE) & mask
    return NO_ROW


@kernel_part
def slot_of(state: State, key_hash: Any) -> Any:
    """Return where the search for a key begins in the index."""
    return np.int64(key_hash & np.uint64(len(state.slots) - 1))


@kernel_part
def likely_row(state: State, key_hash: Any) -> int:
    """Return the row of the first slot with the key's hash bits, without a look at the row, or ``NO_ROW``."""
    slots = state.slots
    mask = np.uint64(len(slots) - 1)
    place = key_hash & mask
    while slots[place] != _EMPTY_SLOT:
        if slots[place] >> _PLACE_BITS == key_hash >> _PLACE_BITS:
            return int(np.int64(slots[place] & _PLACE_MASK) - 1)
        place = (place + _ONE) & mask
    return NO_ROW


@kernel_part
def is_row_of(state: State, row: int, table: int, high: Any, low: Any) -> bool:
    """Tell whether a place that was found in advance holds the row of a key."""
    words = state.words
    return row >= 0 and words[row] == high and words[row + 1] == low and words[row + ROW_TABLE] == table


@kernel_part
def seen_row(state: State, table: int, high: Any, low: Any, at: Any) -> int:
    """Return the same for a read at a time; ``NOT_KNOWN`` where a row that was dropped might have told."""
    row = find_row(state, table, high, low)
    if row == NO_ROW and at <= state.numbers[SWEPT_UNTIL]:
        return NOT_KNOWN
    return row


@kernel_part
def row_for(state: State, plan: Plan, table: int, high: Any, low: Any) -> int:
    """Return the place of a key's row, begun if there was none; the caller made room for it."""
    row = find_row(state, table, high, low)
    if row != NO_ROW:
        return row
    words = state.words
    row = state.numbers[USED]
    begin = fixed(plan.template_bounds, 0, table)
    length = fixed(plan.template_bounds, 0, table + 1) - begin
    for word in range(length):
        words[row + word] = plan.templates[begin + word]
    words[row] = high
    words[row + 1] = low
    words[row + ROW_TABLE] = table
    words[row + ROW_LATEST] = EMPTY
    _enter(state.slots, spread(high, low, table), row)
    state.numbers[USED] = row + fixed(plan.row_words, 0, table)
    state.numbers[ROWS] += 1
    # The next to begin is likely one of the same table.
    for word in range(0, length, LINE_WORDS):
        prefetch(words, state.numbers[USED] + word)
    return int(row)


@kernel_part
def _enter(slots: Any, key_hash: Any, row: int) -> None:
    mask = np.uint64(len(slots) - 1)
    place = key_hash & mask
    while slots[place] != _EMPTY_SLOT:
        place = (place + _ONE) & mask
    slots[place] = ((key_hash >> _PLACE_BITS) << _PLACE_BITS) | (np.uint64(row) + _ONE)


@kernel_part
def sweep_is_due(state: State) -> bool:
    """Tell whether rows take so much more memory than after the last sweep that another is worth it."""
    numbers = state.numbers
    return bool(numbers[USED] - numbers[HOLDER_WORDS] > numbers[SWEEP_AT])


@kernel_part
def sweep(state: State, plan: Plan) -> None:
    """Drop the rows that tell nothing any more, and move the others together.

    When it happens depends on the words in use by what events began alone, and what is dropped on the time of
    events alone, so that the same events leave the same rows however they were cut. Whose accounts are is
    noted ahead of a block's events, so those rows do not count.
    """
    words = state.words
    numbers = state.numbers
    used = numbers[USED]
    now = numbers[NOW]
    read = 0
    written = 0
    while read < used:
        table = words[read + ROW_TABLE]
        length = fixed(plan.row_words, 0, table)
        horizon = fixed(plan.horizons, 0, table)
        told_until = words[read + ROW_LATEST] + horizon
        if horizon >= 0 and told_until < now:
            numbers[SWEPT_UNTIL] = max(numbers[SWEPT_UNTIL], told_until)
            numbers[ROWS] -= 1
            for number in range(fixed(plan.table_rings, 0, table), fixed(plan.table_rings, 0, table + 1)):
                ring = ring_of(plan, number)
                free_entries(state, tail(words, read + ring.offset), ring)
        else:
            for word in range(length if written != read else 0):
                words[written + word] = words[read + word]
            written += length
        read += length
    numbers[USED] = written
    numbers[SWEEP_AT] = max(2 * (written - numbers[HOLDER_WORDS]), SWEEP_WORDS_MIN)
    if written != used:
        index_rows(state, plan)


@kernel
def index_rows(state: State, plan: Plan) -> None:
    """Build the index of all rows again, in slots that may be more than before."""
    state.slots[:] = _EMPTY_SLOT
    words = state.words
    row = 0
    while row < state.numbers[USED]:
        table = words[row + ROW_TABLE]
        _enter(state.slots, spread(words[row], words[row + 1], table), row)
        row += fixed(plan.row_words, 0, table)
