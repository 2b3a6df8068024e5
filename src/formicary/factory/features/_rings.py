"""Windows over a ring of a key's recent events, gathered into tiles.

::

    | length | start | head | lost | sums | window, window, … | entry, entry, … |
    window:  | first | end | extremes |
    entry:   | tile | sums before it | extremes |

An entry holds all events of one tile; an exact window has tiles of a nanosecond. Entries are in the order of
their tiles, tiles without events take none. ``head`` is the latest tile. A window at tile T holds the tiles
``T - begin`` to ``T - end``; at the head, they are the entries ``first`` to before ``end``. Sums go on from the
row's first event, in integers that wrap around: those of a window are the difference of two prefixes, exactly,
and an event adds to one place however many windows hold it. Extremes cannot be taken back, so each window has
its own, those at the head; one is the smallest value, or the smallest of the values' opposites.

``lost`` is the latest tile whose entry gave way to a newer one. A ring of tiles has room for all that its
windows hold. Where an exact one has not, and where an earlier time than the latest is asked about, a window
that might still hold what is lost is missing, never wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from formicary.base.kernels import fixed, kernel_part, prefetch, tail
from formicary.factory.features._layout import (
    LARGEST,
    LOST,
    RING_END_WINDOW,
    RING_ENTRIES,
    RING_EXTREMES,
    RING_FIRST_WINDOW,
    RING_HEAD,
    RING_LENGTH,
    RING_LOST,
    RING_NOW,
    RING_OFFSET,
    RING_ROOM,
    RING_START,
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
    Words,
)

__all__ = [
    "Ring",
    "advance",
    "entry_of",
    "move_entries",
    "prefetch_entries",
    "put_into_ring",
    "ring_of",
    "totals_of",
]


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
    entries: Any
    """Where the entries begin, from the ring's beginning."""
    stride: Any
    """The words of an entry, or more, so that it lies in as few cache lines as it can."""
    windows: Any
    """Where the windows begin, as well."""
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
        fixed(plan.rings, ring, RING_ENTRIES) - fixed(plan.rings, ring, RING_OFFSET),
        fixed(plan.rings, ring, RING_STRIDE),
        RING_NOW + sums,
        WINDOW_EXTREMES + extremes,
    )


@kernel_part
def entry_of(held: Words, ring: Ring, number: Any) -> Any:
    """Return the place of the ``number``-th entry in the ring ``held``."""
    slot = held[RING_START] + number
    if slot >= ring.room:
        slot -= ring.room
    return ring.entries + slot * ring.stride


@kernel_part
def _window_of(ring: Ring, window: Any) -> Any:
    return ring.windows + (window - ring.first_window) * ring.window_stride


@kernel_part
def _sums_before(held: Words, ring: Ring, number: Any) -> Any:
    """Return the place of the sums of all events before the ``number``-th entry."""
    return entry_of(held, ring, number) + 1 if number < held[RING_LENGTH] else RING_NOW


@kernel_part
def prefetch_entries(held: Words, ring: Ring) -> None:
    """Ask for the memory of the entries that an event changes, and that windows begin with."""
    for window in range(ring.first_window, ring.end_window):
        first = held[_window_of(ring, window) + WINDOW_FIRST]
        prefetch(held, entry_of(held, ring, first))
    prefetch(held, entry_of(held, ring, held[RING_LENGTH]))


@kernel_part
def totals_of(held: Words, plan: Plan, ring: Ring, window: Any, tile: Any, totals: Words) -> bool:
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
        first, end = _move(held, ring, oldest, newest, first, end, extremes)
    else:
        while end > 0 and held[entry_of(held, ring, end - 1)] > newest:
            end -= 1
        first = min(first, end)
        while first > 0 and held[entry_of(held, ring, first - 1)] >= oldest:
            first -= 1
        _find_extremes(held, ring, first, end, extremes)
    before = tail(held, _sums_before(held, ring, first))
    after = tail(held, _sums_before(held, ring, end))
    for one in range(ring.sums):
        totals[one] = after[one] - before[one]
    return True


@kernel_part
def _move(
    held: Words, ring: Ring, oldest: Any, newest: Any, first: Any, end: Any, extremes: Words
) -> tuple[Any, Any]:
    """Let entries up to the tile ``newest`` enter a window and those before ``oldest`` leave it.

    Its extremes were those of the entries ``first`` to ``end``. Returns the new ones.
    """
    while end < held[RING_LENGTH]:
        entry = tail(held, entry_of(held, ring, end))
        if entry[0] > newest:
            break
        _widen(extremes, tail(entry, 1 + ring.sums), ring)
        end += 1
    lost_extreme = False
    while first < end:
        entry = tail(held, entry_of(held, ring, first))
        if entry[0] >= oldest:
            break
        for one in range(ring.extremes):
            lost_extreme |= entry[1 + ring.sums + one] == extremes[one]
        first += 1
    if lost_extreme:
        _find_extremes(held, ring, first, end, extremes)
    return first, end


@kernel_part
def _widen(extremes: Words, others: Words, ring: Ring) -> None:
    """Let extremes be those of further events, too."""
    for one in range(ring.extremes):
        extremes[one] = min(extremes[one], others[one])


@kernel_part
def _find_extremes(held: Words, ring: Ring, first: Any, end: Any, extremes: Words) -> None:
    """Write the extremes of the entries from ``first`` to before ``end``."""
    for one in range(ring.extremes):
        extremes[one] = LARGEST
    if ring.extremes > 0:
        for number in range(first, end):
            _widen(extremes, tail(held, entry_of(held, ring, number) + 1 + ring.sums), ring)


@kernel_part
def advance(held: Words, plan: Plan, ring: Ring, tile: Any) -> bool:
    """Move the head and all windows on to a tile whose event is put next; tell whether it is a new one."""
    if tile <= held[RING_HEAD]:
        return False
    held[RING_HEAD] = tile
    _move_windows(held, plan, ring)
    return True


@kernel_part
def put_into_ring(
    numbers: Words, held: Words, plan: Plan, ring: Ring, tile: Any, is_new: bool, added: Words
) -> None:
    """Add an event's parts to the sums, to the entry of its tile and to the windows that hold it at the head.

    ``numbers`` are the state's. ``is_new`` is what ``advance`` told; ``added`` are the parts for sums, then
    those for extremes.
    """
    if tile <= held[RING_LOST]:
        # No window that holds it is known any more.
        numbers[TOO_LATE] += 1
        return
    if tile < held[RING_HEAD]:
        _put_late(numbers, held, plan, ring, tile, added)
        return
    now = tail(held, RING_NOW)
    extremes = tail(added, ring.sums)
    if is_new:
        if held[RING_LENGTH] == ring.room:
            _make_room(numbers, held, ring)
        entry = tail(held, entry_of(held, ring, held[RING_LENGTH]))
        held[RING_LENGTH] += 1
        entry[0] = tile
        for one in range(ring.sums):
            entry[1 + one] = now[one]
        for one in range(ring.extremes):
            entry[1 + ring.sums + one] = extremes[one]
    elif ring.extremes > 0:
        _widen(tail(held, entry_of(held, ring, held[RING_LENGTH] - 1) + 1 + ring.sums), extremes, ring)
    for one in range(ring.sums):
        now[one] += added[one]
    for window in range(ring.first_window, ring.end_window):
        if fixed(plan.windows, window, WINDOW_END) == 0:
            kept = tail(held, _window_of(ring, window))
            _widen(tail(kept, WINDOW_EXTREMES), extremes, ring)
            kept[WINDOW_ENDS] = held[RING_LENGTH]


@kernel_part
def _move_windows(held: Words, plan: Plan, ring: Ring) -> None:
    """Let entries enter and leave every window until it is that at the head."""
    for window in range(ring.first_window, ring.end_window):
        oldest = held[RING_HEAD] - fixed(plan.windows, window, WINDOW_BEGIN)
        newest = held[RING_HEAD] - fixed(plan.windows, window, WINDOW_END)
        kept = tail(held, _window_of(ring, window))
        extremes = tail(kept, WINDOW_EXTREMES)
        first, end = _move(held, ring, oldest, newest, kept[WINDOW_FIRST], kept[WINDOW_ENDS], extremes)
        kept[WINDOW_FIRST] = first
        kept[WINDOW_ENDS] = end


@kernel_part
def _make_room(numbers: Words, held: Words, ring: Ring) -> None:
    """Drop the entries that every window has left; if there is none, the earliest gives way and is lost."""
    dropped = held[RING_LENGTH]
    for window in range(ring.first_window, ring.end_window):
        dropped = min(dropped, held[_window_of(ring, window) + WINDOW_FIRST])
    if dropped == 0:
        dropped = 1
        numbers[LOST] += 1
        for window in range(ring.first_window, ring.end_window):
            kept = tail(held, _window_of(ring, window))
            if kept[WINDOW_FIRST] == 0:
                _find_extremes(held, ring, 1, kept[WINDOW_ENDS], tail(kept, WINDOW_EXTREMES))
    held[RING_LOST] = held[entry_of(held, ring, dropped - 1)]
    start = held[RING_START] + dropped
    held[RING_START] = start - ring.room if start >= ring.room else start
    held[RING_LENGTH] -= dropped
    for window in range(ring.first_window, ring.end_window):
        kept = tail(held, _window_of(ring, window))
        kept[WINDOW_FIRST] = max(kept[WINDOW_FIRST] - dropped, 0)
        kept[WINDOW_ENDS] = max(kept[WINDOW_ENDS] - dropped, 0)


@kernel_part
def _put_late(numbers: Words, held: Words, plan: Plan, ring: Ring, tile: Any, added: Words) -> None:
    """Put an event where its tile belongs, and look at every window anew."""
    extremes = tail(added, ring.sums)
    number = held[RING_LENGTH]
    while number > 0 and held[entry_of(held, ring, number - 1)] > tile:
        number -= 1
    if number > 0 and held[entry_of(held, ring, number - 1)] == tile:
        number -= 1
        _widen(tail(held, entry_of(held, ring, number) + 1 + ring.sums), extremes, ring)
    else:
        if held[RING_LENGTH] == ring.room:
            before = held[RING_LENGTH]
            _make_room(numbers, held, ring)
            number -= before - held[RING_LENGTH]
            if number < 0 or tile <= held[RING_LOST]:
                numbers[TOO_LATE] += 1
                return
        # The sums before it are those before the entry that was at its place.
        _shift(held, ring, number)
        entry = tail(held, entry_of(held, ring, number))
        entry[0] = tile
        for one in range(ring.extremes):
            entry[1 + ring.sums + one] = extremes[one]
    for later in range(number + 1, held[RING_LENGTH] + 1):
        sums = tail(held, _sums_before(held, ring, later))
        for one in range(ring.sums):
            sums[one] += added[one]
    for window in range(ring.first_window, ring.end_window):
        kept = tail(held, _window_of(ring, window))
        kept[WINDOW_FIRST] = 0
        kept[WINDOW_ENDS] = 0
        _find_extremes(held, ring, 0, 0, tail(kept, WINDOW_EXTREMES))
    _move_windows(held, plan, ring)


@kernel_part
def _shift(held: Words, ring: Ring, number: Any) -> None:
    """Move the entries from ``number`` on one place further, and leave a copy of the first of them."""
    last = held[RING_LENGTH]
    held[RING_LENGTH] = last + 1
    while last > number:
        to = tail(held, entry_of(held, ring, last))
        source = tail(held, entry_of(held, ring, last - 1))
        for word in range(1 + ring.sums + ring.extremes):
            to[word] = source[word]
        last -= 1


@kernel_part
def move_entries(held: Words, ring: Ring, to: Words) -> None:
    """Copy the entries of a ring to the same places of another row, whose beginning is that of this one."""
    for number in range(held[RING_LENGTH]):
        source = tail(held, entry_of(held, ring, number))
        copy = tail(to, entry_of(to, ring, number))
        for word in range(1 + ring.sums + ring.extremes):
            copy[word] = source[word]
