"""Windows over a ring of a key's recent events, gathered into tiles.

::

    | span | place | head | lost | sums | window, window, … |
    window:  | first | end | extremes |
    entry:   | tile | sums before it | extremes |

An entry holds all events of one tile; an exact window has tiles of a nanosecond. Entries are in the order of
their tiles, tiles without events take none. They lie in a chunk of their own, which is exchanged for one of
twice the length where it is full: ``place`` is where it begins and how many it has room for, ``span`` which of
them is the first and how many there are.

``head`` is the latest tile. A window at tile T holds the tiles ``T - begin`` to ``T - end``; at the head, they
are the entries ``first`` to before ``end``. Sums go on from the row's first event, in integers that wrap
around: those of a window are the difference of two prefixes, exactly, and an event adds to one place however
many windows hold it. Extremes cannot be taken back, so each window has its own, those at the head; one is the
smallest value, or the smallest of the values' opposites.

``lost`` is the latest tile whose entry gave way to a newer one. A ring of tiles has room for all that its
windows hold. Where an exact one has not, and where an earlier time than the latest is asked about, a window
that might still hold what is lost is missing, never wrong.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from formicary.base.kernels import fixed, kernel_part, prefetch, tail
from formicary.factory.features._layout import (
    LARGEST,
    LINE_WORDS,
    LOST,
    RING_END_WINDOW,
    RING_EXTREMES,
    RING_FIRST_WINDOW,
    RING_HEAD,
    RING_LOST,
    RING_NOW,
    RING_PLACE,
    RING_OFFSET,
    RING_ROOM,
    RING_SPAN,
    RING_STRIDE,
    RING_SUMS,
    RING_TILE,
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

__all__ = [
    "ROOM_MAX",
    "Ring",
    "advance",
    "entry_of",
    "free_entries",
    "length_of",
    "prefetch_entries",
    "put_into_ring",
    "ring_of",
    "totals_of",
]


_LENGTH_BITS: Final = 32
_LENGTH_MASK: Final = (1 << _LENGTH_BITS) - 1
_ROOM_BITS: Final = 24
_ROOM_MASK: Final = (1 << _ROOM_BITS) - 1
_ROOM_MIN: Final = 2

ROOM_MAX: Final = _ROOM_MASK
"""Entries of a ring at most."""


class Ring(NamedTuple):
    """What the plan says of a ring, read once for many rows."""

    offset: Any
    """Where it begins in a row, in words."""
    tile: Any
    """Which of the plan's tiles its tiles are."""
    room: Any
    """Entries at most."""
    sums: Any
    extremes: Any
    first_window: Any
    end_window: Any
    stride: Any
    """The words of an entry, or more, so that it lies in as few cache lines as it can."""
    windows: Any
    """Where the windows begin, from the ring's beginning."""
    window_stride: Any
    """The words of a window."""


@kernel_part
def ring_of(plan: Plan, ring: Any) -> Ring:
    """Return what the plan says of a ring."""
    sums = fixed(plan.rings, ring, RING_SUMS)
    extremes = fixed(plan.rings, ring, RING_EXTREMES)
    return Ring(
        fixed(plan.rings, ring, RING_OFFSET),
        fixed(plan.rings, ring, RING_TILE),
        fixed(plan.rings, ring, RING_ROOM),
        sums,
        extremes,
        fixed(plan.rings, ring, RING_FIRST_WINDOW),
        fixed(plan.rings, ring, RING_END_WINDOW),
        fixed(plan.rings, ring, RING_STRIDE),
        RING_NOW + sums,
        WINDOW_EXTREMES + extremes,
    )


@kernel_part
def length_of(held: Words) -> Any:
    """Return how many entries the ring ``held`` has."""
    return held[RING_SPAN] & _LENGTH_MASK


@kernel_part
def _room_of(held: Words) -> Any:
    return held[RING_PLACE] & _ROOM_MASK


@kernel_part
def entry_of(held: Words, ring: Ring, number: Any) -> Any:
    """Return the place of the ``number``-th entry of the ring ``held``."""
    slot = (held[RING_SPAN] >> _LENGTH_BITS) + number
    if slot >= _room_of(held):
        slot -= _room_of(held)
    return (held[RING_PLACE] >> _ROOM_BITS) + slot * ring.stride


@kernel_part
def _window_of(ring: Ring, window: Any) -> Any:
    return ring.windows + (window - ring.first_window) * ring.window_stride


@kernel_part
def prefetch_entries(entries: Words, held: Words, ring: Ring) -> None:
    """Ask for the memory of the entries that an event changes, and that windows begin with."""
    for window in range(ring.first_window, ring.end_window):
        first = held[_window_of(ring, window) + WINDOW_FIRST]
        prefetch(entries, entry_of(held, ring, first))
    prefetch(entries, entry_of(held, ring, length_of(held)))


@kernel_part
def totals_of(
    entries: Words, held: Words, plan: Plan, ring: Ring, window: Any, tile: Any, totals: Words
) -> bool:
    """Write a window's sums and extremes at an asking tile; tell whether they are known."""
    oldest = tile - fixed(plan.windows, window, WINDOW_BEGIN)
    newest = tile - fixed(plan.windows, window, WINDOW_END)
    if held[RING_LOST] >= oldest:
        return False
    kept = tail(held, _window_of(ring, window))
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
    for one in range(ring.sums):
        totals[one] = after[one] - before[one]
    return True


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
def _find_extremes(
    entries: Words, held: Words, ring: Ring, first: Any, end: Any, extremes: Words
) -> None:
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
        if length_of(held) == _room_of(held):
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
    for one in range(ring.sums):
        now[one] += added[one]
    for window in range(ring.first_window, ring.end_window):
        if fixed(plan.windows, window, WINDOW_END) == 0:
            kept = tail(held, _window_of(ring, window))
            _widen(tail(kept, WINDOW_EXTREMES), extremes, ring)
            kept[WINDOW_ENDS] = length_of(held)


@kernel_part
def _move_windows(entries: Words, held: Words, plan: Plan, ring: Ring) -> None:
    """Let entries enter and leave every window until it is that at the head."""
    for window in range(ring.first_window, ring.end_window):
        oldest = held[RING_HEAD] - fixed(plan.windows, window, WINDOW_BEGIN)
        newest = held[RING_HEAD] - fixed(plan.windows, window, WINDOW_END)
        kept = tail(held, _window_of(ring, window))
        extremes = tail(kept, WINDOW_EXTREMES)
        first, end = _move(entries, held, ring, oldest, newest, kept[WINDOW_FIRST], kept[WINDOW_ENDS], extremes)
        kept[WINDOW_FIRST] = first
        kept[WINDOW_ENDS] = end


@kernel_part
def _make_room(state: State, held: Words, ring: Ring) -> None:
    """Make room for an entry in a chunk that is full: if it cannot grow, drop what every window has left.

    Where there is nothing of that kind, the earliest entry gives way and is lost.
    """
    if _room_of(held) < ring.room:
        _grow(state, held, ring)
        return
    entries = state.entries
    dropped = length_of(held)
    for window in range(ring.first_window, ring.end_window):
        dropped = min(dropped, held[_window_of(ring, window) + WINDOW_FIRST])
    if dropped == 0:
        dropped = 1
        state.numbers[LOST] += 1
        for window in range(ring.first_window, ring.end_window):
            kept = tail(held, _window_of(ring, window))
            if kept[WINDOW_FIRST] == 0:
                _find_extremes(entries, held, ring, 1, kept[WINDOW_ENDS], tail(kept, WINDOW_EXTREMES))
    held[RING_LOST] = entries[entry_of(held, ring, dropped - 1)]
    start = (held[RING_SPAN] >> _LENGTH_BITS) + dropped
    start = start - ring.room if start >= ring.room else start
    held[RING_SPAN] = (start << _LENGTH_BITS) | (length_of(held) - dropped)
    for window in range(ring.first_window, ring.end_window):
        kept = tail(held, _window_of(ring, window))
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
        if length_of(held) == _room_of(held):
            before = length_of(held)
            _make_room(state, held, ring)
            number -= before - length_of(held)
            if number < 0 or tile <= held[RING_LOST]:
                state.numbers[TOO_LATE] += 1
                return
        # The sums before it are those before the entry that was at its place.
        _shift(entries, held, ring, number)
        entry = tail(entries, entry_of(held, ring, number))
        entry[0] = tile
        for one in range(ring.extremes):
            entry[1 + ring.sums + one] = extremes[one]
    for one in range(ring.sums):
        held[RING_NOW + one] += added[one]
    for later in range(number + 1, length_of(held)):
        entry = tail(entries, entry_of(held, ring, later))
        for one in range(ring.sums):
            entry[1 + one] += added[one]
    for window in range(ring.first_window, ring.end_window):
        kept = tail(held, _window_of(ring, window))
        kept[WINDOW_FIRST] = 0
        kept[WINDOW_ENDS] = 0
        _find_extremes(entries, held, ring, 0, 0, tail(kept, WINDOW_EXTREMES))
    _move_windows(entries, held, plan, ring)


@kernel_part
def _shift(entries: Words, held: Words, ring: Ring, number: Any) -> None:
    """Move the entries from ``number`` on one place further, and leave a copy of the first of them."""
    last = length_of(held)
    held[RING_SPAN] += 1
    while last > number:
        to = tail(entries, entry_of(held, ring, last))
        source = tail(entries, entry_of(held, ring, last - 1))
        for word in range(1 + ring.sums + ring.extremes):
            to[word] = source[word]
        last -= 1


@kernel_part
def _grow(state: State, held: Words, ring: Ring) -> None:
    """Move the entries to a chunk that has room for twice as many."""
    length = length_of(held)
    room = min(max(2 * _room_of(held), _ROOM_MIN), ring.room)
    lines = _lines_of(ring, room)
    place = state.free[lines]
    if place == 0:
        place = state.free[0]
        state.free[0] += lines * LINE_WORDS
        prefetch(state.entries, state.free[0])
    else:
        state.free[lines] = state.entries[place]
        prefetch(state.entries, state.free[lines])
    for number in range(length):
        to = tail(state.entries, place + number * ring.stride)
        source = tail(state.entries, entry_of(held, ring, number))
        for word in range(1 + ring.sums + ring.extremes):
            to[word] = source[word]
    free_entries(state, held, ring)
    held[RING_SPAN] = length
    held[RING_PLACE] = (place << _ROOM_BITS) | room


@kernel_part
def free_entries(state: State, held: Words, ring: Ring) -> None:
    """Give back the chunk of a ring; its entries are not looked at any more."""
    if _room_of(held) > 0:
        lines = _lines_of(ring, _room_of(held))
        place = held[RING_PLACE] >> _ROOM_BITS
        state.entries[place] = state.free[lines]
        state.free[lines] = place


@kernel_part
def _lines_of(ring: Ring, room: Any) -> Any:
    return (room * ring.stride + LINE_WORDS - 1) // LINE_WORDS
