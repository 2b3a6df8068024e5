"""Windows over a ring of a key's recent events, gathered into tiles.

::

    | span | place | head | lost | sums | window, window, … |
    window:  | first | end | extremes |
    entry:   | tile | sums before it | extremes |

An entry holds all events of one tile; an exact window has tiles of a nanosecond. Entries are in the order of
their tiles, tiles without events take none. They lie in a chunk of their own: ``place`` is where it begins
and how many it has room for, ``span`` which of them is the first and how many there are.

``head`` is the latest tile. A window at tile T holds the tiles ``T - begin`` to ``T - end``; at the head,
these are the entries ``first`` to before ``end``. Sums go on from the row's first event, in integers that
wrap around: those of a window are the difference of two prefixes, exactly, and an event adds to one place
however many windows hold it. Extremes cannot be taken back, so each window has its own, those at the head;
one is the smallest value, or the smallest of the values' opposites.

``lost`` is the latest tile whose entry gave way to a newer one. A ring of tiles has room for all that its
windows hold. Where an exact one has not, and where an earlier time than the latest is asked about, a window
that might still hold what is lost is missing, never wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import fixed, kernel_part, tail
from formicary.factory.features._entries import (
    Ring,
    drop_entries,
    entry_of,
    grow,
    length_of,
    room_of,
    shift,
    window_of,
)
from formicary.factory.features._layout import (
    LARGEST,
    LOST,
    RING_HEAD,
    RING_LOST,
    RING_NOW,
    RING_SPAN,
    TOO_LATE,
    WINDOW_BEGIN,
    WINDOW_END,
    WINDOW_ENDS,
    WINDOW_EXTREMES,
    WINDOW_FIRST,
    Plan,
    State,
    Words,
)

__all__ = ["advance", "put_into_ring", "totals_of"]


@kernel_part
def totals_of(
    entries: Words, held: Words, plan: Plan, ring: Ring, window: Any, tile: Any, totals: Words
) -> bool:
    """Write a window's sums and extremes at an asking tile; tell whether they are known."""
    oldest = tile - fixed(plan.windows, window, WINDOW_BEGIN)
    newest = tile - fixed(plan.windows, window, WINDOW_END)
    if held[RING_LOST] >= oldest:
        return False
    kept = tail(held, window_of(ring, window))
    first = kept[WINDOW_FIRST]
    end = kept[WINDOW_ENDS]
    extremes = tail(totals, ring.sums)
    if tile >= held[RING_HEAD]:
        for one in range(ring.extremes):
            extremes[one] = kept[WINDOW_EXTREMES + one]
        first, end = _move(entries, held, ring, oldest, newest, first, end, extremes)
    else:
        while end > 0 and entries[entry_of(held, ring, end - 1)] > newest:
            end -= 1
        first = min(first, end)
        while first > 0 and entries[entry_of(held, ring, first - 1)] >= oldest:
            first -= 1
        _find_extremes(entries, held, ring, first, end, extremes)
    now = tail(held, RING_NOW)
    before = tail(entries, entry_of(held, ring, first) + 1) if first < length_of(held) else now
    after = tail(entries, entry_of(held, ring, end) + 1) if end < length_of(held) else now
    for one in range(ring.narrow):
        totals[one] = after[one] - before[one]
    for low in range(ring.narrow, ring.sums, 2):
        borrow = np.uint64(after[low]) < np.uint64(before[low])
        totals[low] = after[low] - before[low]
        totals[low + 1] = after[low + 1] - before[low + 1] - np.int64(borrow)
    return True


@kernel_part
def _add(sums: Words, added: Words, ring: Ring) -> None:
    for one in range(ring.narrow):
        sums[one] += added[one]
    for low in range(ring.narrow, ring.sums, 2):
        sums[low] += added[low]
        carry = np.uint64(sums[low]) < np.uint64(added[low])
        sums[low + 1] += added[low + 1] + np.int64(carry)


@kernel_part
def _move(
    entries: Words, held: Words, ring: Ring, oldest: Any, newest: Any, first: Any, end: Any, extremes: Words
) -> tuple[Any, Any]:
    """Let entries up to the tile ``newest`` enter a window and those before ``oldest`` leave it.

    Its extremes were those of the entries ``first`` to ``end``. Returns the new ones.
    """
    while end < length_of(held):
        entry = tail(entries, entry_of(held, ring, end))
        if entry[0] > newest:
            break
        _widen(extremes, tail(entry, 1 + ring.sums), ring)
        end += 1
    lost_extreme = False
    while first < end:
        entry = tail(entries, entry_of(held, ring, first))
        if entry[0] >= oldest:
            break
        for one in range(ring.extremes):
            lost_extreme |= entry[1 + ring.sums + one] == extremes[one]
        first += 1
    if lost_extreme:
        _find_extremes(entries, held, ring, first, end, extremes)
    return first, end


@kernel_part
def _widen(extremes: Words, others: Words, ring: Ring) -> None:
    """Let extremes be those of further events, too."""
    for one in range(ring.extremes):
        extremes[one] = min(extremes[one], others[one])


@kernel_part
def _find_extremes(entries: Words, held: Words, ring: Ring, first: Any, end: Any, extremes: Words) -> None:
    """Write the extremes of the entries from ``first`` to before ``end``."""
    for one in range(ring.extremes):
        extremes[one] = LARGEST
    if ring.extremes > 0:
        for number in range(first, end):
            _widen(extremes, tail(entries, entry_of(held, ring, number) + 1 + ring.sums), ring)


@kernel_part
def advance(entries: Words, held: Words, plan: Plan, ring: Ring, tile: Any) -> bool:
    """Move the head and all windows on to a tile whose event is put next; tell whether it is a new one."""
    if tile <= held[RING_HEAD]:
        return False
    held[RING_HEAD] = tile
    _move_windows(entries, held, plan, ring)
    return True


@kernel_part
def put_into_ring(
    state: State, held: Words, plan: Plan, ring: Ring, tile: Any, is_new: bool, added: Words
) -> None:
    """Add an event's parts to the sums, to the entry of its tile and to the windows that hold it at the head.

    ``is_new`` is what ``advance`` told; ``added`` are the parts for sums, then those for extremes.
    """
    if tile <= held[RING_LOST]:
        # No window that holds it is known any more.
        state.numbers[TOO_LATE] += 1
        return
    if tile < held[RING_HEAD]:
        _put_late(state, held, plan, ring, tile, added)
        return
    entries = state.entries
    now = tail(held, RING_NOW)
    extremes = tail(added, ring.sums)
    if is_new:
        if length_of(held) == room_of(held):
            _make_room(state, held, ring)
        entry = tail(entries, entry_of(held, ring, length_of(held)))
        held[RING_SPAN] += 1
        entry[0] = tile
        for one in range(ring.sums):
            entry[1 + one] = now[one]
        for one in range(ring.extremes):
            entry[1 + ring.sums + one] = extremes[one]
    elif ring.extremes > 0:
        _widen(tail(entries, entry_of(held, ring, length_of(held) - 1) + 1 + ring.sums), extremes, ring)
    _add(now, added, ring)
    for window in range(ring.first_window, ring.end_window):
        if fixed(plan.windows, window, WINDOW_END) == 0:
            kept = tail(held, window_of(ring, window))
            _widen(tail(kept, WINDOW_EXTREMES), extremes, ring)
            kept[WINDOW_ENDS] = length_of(held)


@kernel_part
def _move_windows(entries: Words, held: Words, plan: Plan, ring: Ring) -> None:
    """Let entries enter and leave every window until it is that at the head."""
    for window in range(ring.first_window, ring.end_window):
        oldest = held[RING_HEAD] - fixed(plan.windows, window, WINDOW_BEGIN)
        newest = held[RING_HEAD] - fixed(plan.windows, window, WINDOW_END)
        kept = tail(held, window_of(ring, window))
        extremes = tail(kept, WINDOW_EXTREMES)
        first, end = _move(
            entries, held, ring, oldest, newest, kept[WINDOW_FIRST], kept[WINDOW_ENDS], extremes
        )
        kept[WINDOW_FIRST] = first
        kept[WINDOW_ENDS] = end


@kernel_part
def _make_room(state: State, held: Words, ring: Ring) -> None:
    """Make room for an entry in a chunk that is full: if it cannot grow, drop what every window has left.

    Where there is nothing of that kind, the earliest entry gives way and is lost.
    """
    if room_of(held) < ring.room:
        grow(state, held, ring)
        return
    entries = state.entries
    dropped = length_of(held)
    for window in range(ring.first_window, ring.end_window):
        dropped = min(dropped, held[window_of(ring, window) + WINDOW_FIRST])
    if dropped == 0:
        dropped = 1
        state.numbers[LOST] += 1
        for window in range(ring.first_window, ring.end_window):
            kept = tail(held, window_of(ring, window))
            if kept[WINDOW_FIRST] == 0:
                _find_extremes(entries, held, ring, 1, kept[WINDOW_ENDS], tail(kept, WINDOW_EXTREMES))
    held[RING_LOST] = entries[entry_of(held, ring, dropped - 1)]
    drop_entries(held, dropped)
    for window in range(ring.first_window, ring.end_window):
        kept = tail(held, window_of(ring, window))
        kept[WINDOW_FIRST] = max(kept[WINDOW_FIRST] - dropped, 0)
        kept[WINDOW_ENDS] = max(kept[WINDOW_ENDS] - dropped, 0)


@kernel_part
def _put_late(state: State, held: Words, plan: Plan, ring: Ring, tile: Any, added: Words) -> None:
    """Put an event where its tile belongs, and look at every window anew."""
    entries = state.entries
    extremes = tail(added, ring.sums)
    number = length_of(held)
    while number > 0 and entries[entry_of(held, ring, number - 1)] > tile:
        number -= 1
    if number > 0 and entries[entry_of(held, ring, number - 1)] == tile:
        number -= 1
        _widen(tail(entries, entry_of(held, ring, number) + 1 + ring.sums), extremes, ring)
    else:
        if length_of(held) == room_of(held):
            before = length_of(held)
            _make_room(state, held, ring)
            number -= before - length_of(held)
            if number < 0 or tile <= held[RING_LOST]:
                state.numbers[TOO_LATE] += 1
                return
        # The sums before it are those before the entry that was at its place.
        shift(entries, held, ring, number)
        entry = tail(entries, entry_of(held, ring, number))
        entry[0] = tile
        for one in range(ring.extremes):
            entry[1 + ring.sums + one] = extremes[one]
    _add(tail(held, RING_NOW), added, ring)
    for later in range(number + 1, length_of(held)):
        _add(tail(entries, entry_of(held, ring, later) + 1), added, ring)
    for window in range(ring.first_window, ring.end_window):
        kept = tail(held, window_of(ring, window))
        kept[WINDOW_FIRST] = 0
        kept[WINDOW_ENDS] = 0
        _find_extremes(entries, held, ring, 0, 0, tail(kept, WINDOW_EXTREMES))
    _move_windows(entries, held, plan, ring)
