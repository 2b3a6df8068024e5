"""Windows over a ring of a key's recent events, gathered into tiles.

::

    | length | start | head | lost | window, window, … | entry, entry, … |
    window:  | first | end | leaves | enters | sums | minima, maxima |
    entry:   | tile | sums | minima, maxima |

An entry holds all events of one tile; an exact window has tiles of a nanosecond. Entries are in the order of
their tiles, tiles without events take none. ``head`` is the latest tile. A window at tile T holds the tiles
``T - begin`` to ``T - end``; its running totals are those at the head, over the entries ``first`` to ``end``,
and ``leaves`` and ``enters`` are the tiles that would leave or enter it next: a read looks at entries only
where something did.

``lost`` is the latest tile whose entry gave way to a newer one. A ring of tiles has room for all that its
windows hold. Where an exact one has not, and where an earlier time than the latest is asked about, a window
that might still hold what is lost is missing, never wrong.
"""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import fixed, kernel_part, prefetch
from formicary.factory.features._layout import (
    EMPTY,
    LARGEST,
    LOST,
    RING_END_WINDOW,
    RING_ENTRIES,
    RING_EXTREMES,
    RING_FIRST_WINDOW,
    RING_HEAD,
    RING_LENGTH,
    RING_LOST,
    RING_MINIMA,
    RING_OFFSET,
    RING_ROOM,
    RING_START,
    RING_STRIDE,
    RING_SUMS,
    RING_TILE,
    RING_WINDOWS,
    TOO_LATE,
    WINDOW_BEGIN,
    WINDOW_END,
    WINDOW_ENDS,
    WINDOW_ENTERS,
    WINDOW_FIRST,
    WINDOW_LEAVES,
    WINDOW_TOTALS,
    Plan,
    State,
    Words,
)

__all__ = ["entry_of", "move_entries", "prefetch_entries", "put_into_ring", "totals_of"]


@kernel_part
def entry_of(words: Words, rings: Words, ring: int, row: int, number: Any) -> Any:
    """Return the place of the ``number``-th entry."""
    slot = words[row + fixed(rings, ring, RING_OFFSET) + RING_START] + number
    if slot >= fixed(rings, ring, RING_ROOM):
        slot -= fixed(rings, ring, RING_ROOM)
    return row + fixed(rings, ring, RING_ENTRIES) + slot * fixed(rings, ring, RING_STRIDE)


@kernel_part
def prefetch_entries(words: Words, plan: Plan, row: int, ring: int, tiles: Words) -> None:
    """Ask for the memory of the entries that an event at a time changes, or lets enter or leave."""
    rings = plan.rings
    base = row + fixed(rings, ring, RING_OFFSET)
    tile = tiles[fixed(rings, ring, RING_TILE)]
    prefetch(words, entry_of(words, rings, ring, row, words[base + RING_LENGTH]))
    kept = base + RING_WINDOWS
    for window in range(fixed(rings, ring, RING_FIRST_WINDOW), fixed(rings, ring, RING_END_WINDOW)):
        if words[kept + WINDOW_LEAVES] < tile - fixed(plan.windows, window, WINDOW_BEGIN):
            prefetch(words, entry_of(words, rings, ring, row, words[kept + WINDOW_FIRST]))
        if words[kept + WINDOW_ENTERS] <= tile - fixed(plan.windows, window, WINDOW_END):
            prefetch(words, entry_of(words, rings, ring, row, words[kept + WINDOW_ENDS]))
        kept += WINDOW_TOTALS + fixed(rings, ring, RING_SUMS) + fixed(rings, ring, RING_EXTREMES)


@kernel_part
def totals_of(
    words: Words, plan: Plan, row: int, ring: int, window: int, tiles: Words, totals: Words, place: int
) -> bool:
    """Write a window's sums and extremes to ``totals[place:]``; tell whether they are known.

    ``tiles`` are the numbers of each kind of tile at the asking time.
    """
    rings = plan.rings
    base = row + fixed(rings, ring, RING_OFFSET)
    tile = tiles[fixed(rings, ring, RING_TILE)]
    oldest = tile - fixed(plan.windows, window, WINDOW_BEGIN)
    newest = tile - fixed(plan.windows, window, WINDOW_END)
    if words[base + RING_LOST] >= oldest:
        return False
    sums = fixed(rings, ring, RING_SUMS)
    extremes = fixed(rings, ring, RING_EXTREMES)
    number = window - fixed(rings, ring, RING_FIRST_WINDOW)
    kept = base + RING_WINDOWS + number * (WINDOW_TOTALS + sums + extremes)
    first = 0
    end = 0
    if tile >= words[base + RING_HEAD]:
        for one in range(sums + extremes):
            totals[place + one] = words[kept + WINDOW_TOTALS + one]
        if words[kept + WINDOW_LEAVES] >= oldest and words[kept + WINDOW_ENTERS] > newest:
            return True
        first = words[kept + WINDOW_FIRST]
        end = words[kept + WINDOW_ENDS]
    else:
        for one in range(sums):
            totals[place + one] = 0
        _find_extremes(words, rings, ring, row, 0, 0, totals, place + sums)
    _walk(words, rings, ring, row, oldest, newest, first, end, totals, place)
    return True


@kernel_part
def _walk(
    words: Words,
    rings: Words,
    ring: int,
    row: int,
    oldest: Any,
    newest: Any,
    first: Any,
    end: Any,
    totals: Words,
    place: Any,
) -> tuple[Any, Any, Any, Any]:
    """Let entries up to the tile ``newest`` enter a window and those before ``oldest`` leave it.

    Its sums and extremes, at ``totals[place:]``, were those of the entries ``first`` to ``end``. Returns the
    new ``first`` and ``end``, and the tiles that would leave and enter next.
    """
    length = words[row + fixed(rings, ring, RING_OFFSET) + RING_LENGTH]
    sums = fixed(rings, ring, RING_SUMS)
    extremes = fixed(rings, ring, RING_EXTREMES)
    minima = fixed(rings, ring, RING_MINIMA)
    enters = LARGEST
    while end < length:
        entry = entry_of(words, rings, ring, row, end)
        if words[entry] > newest:
            enters = words[entry]
            break
        for one in range(sums):
            totals[place + one] += words[entry + 1 + one]
        for one in range(sums, sums + extremes):
            _widen(totals, place + one, words[entry + 1 + one], one - sums < minima)
        end += 1
    leaves = enters
    lost_extreme = False
    while first < end:
        entry = entry_of(words, rings, ring, row, first)
        if words[entry] >= oldest:
            leaves = words[entry]
            break
        for one in range(sums):
            totals[place + one] -= words[entry + 1 + one]
        for one in range(sums, sums + extremes):
            lost_extreme |= words[entry + 1 + one] == totals[place + one]
        first += 1
    if lost_extreme:
        _find_extremes(words, rings, ring, row, first, end, totals, place + sums)
    return first, end, leaves, enters


@kernel_part
def _find_extremes(
    words: Words, rings: Words, ring: int, row: int, first: Any, end: Any, target: Words, place: Any
) -> None:
    """Write the extremes of the entries from ``first`` to before ``end``."""
    extremes = fixed(rings, ring, RING_EXTREMES)
    minima = fixed(rings, ring, RING_MINIMA)
    for one in range(extremes):
        target[place + one] = LARGEST if one < minima else -LARGEST
    for number in range(first, end):
        column = entry_of(words, rings, ring, row, number) + 1 + fixed(rings, ring, RING_SUMS)
        for one in range(extremes):
            _widen(target, place + one, words[column + one], one < minima)


@kernel_part
def _widen(target: Words, place: Any, value: Any, is_minimum: bool) -> None:
    if is_minimum:
        target[place] = min(target[place], value)
    else:
        target[place] = max(target[place], value)


@kernel_part
def put_into_ring(
    state: State, plan: Plan, row: int, ring: int, tiles: Words, sums_of: Words, extremes_of: Words
) -> None:
    """Add an event's parts to the entry of its tile and to the windows that hold it at the head."""
    words = state.words
    rings = plan.rings
    base = row + fixed(rings, ring, RING_OFFSET)
    tile = tiles[fixed(rings, ring, RING_TILE)]
    if tile <= words[base + RING_LOST]:
        # No window that holds it is known any more.
        state.numbers[TOO_LATE] += 1
        return
    head = words[base + RING_HEAD]
    if tile < head:
        _put_late(state, plan, row, ring, tile, sums_of, extremes_of)
        return
    if tile > head:
        words[base + RING_HEAD] = tile
        _move_windows(words, plan, row, ring)
        if words[base + RING_LENGTH] == fixed(rings, ring, RING_ROOM):
            _make_room(state, plan, row, ring)
        words[base + RING_LENGTH] += 1
    number = words[base + RING_LENGTH] - 1
    entry = entry_of(words, rings, ring, row, number)
    if tile > head:
        _begin_entry(words, rings, ring, entry, tile)
    _add_to_entry(words, rings, ring, entry, sums_of, extremes_of)
    sums = fixed(rings, ring, RING_SUMS)
    extremes = fixed(rings, ring, RING_EXTREMES)
    kept = base + RING_WINDOWS
    for window in range(fixed(rings, ring, RING_FIRST_WINDOW), fixed(rings, ring, RING_END_WINDOW)):
        if fixed(plan.windows, window, WINDOW_END) == 0:
            for one in range(sums):
                words[kept + WINDOW_TOTALS + one] += sums_of[one]
            for one in range(extremes):
                is_minimum = one < fixed(rings, ring, RING_MINIMA)
                _widen(words, kept + WINDOW_TOTALS + sums + one, extremes_of[one], is_minimum)
            words[kept + WINDOW_ENDS] = number + 1
        elif words[kept + WINDOW_ENDS] == number:
            words[kept + WINDOW_ENTERS] = tile
        if words[kept + WINDOW_FIRST] == number:
            words[kept + WINDOW_LEAVES] = tile
        kept += WINDOW_TOTALS + sums + extremes


@kernel_part
def _begin_entry(words: Words, rings: Words, ring: int, entry: Any, tile: Any) -> None:
    words[entry] = tile
    sums = fixed(rings, ring, RING_SUMS)
    for one in range(sums):
        words[entry + 1 + one] = 0
    for one in range(fixed(rings, ring, RING_EXTREMES)):
        words[entry + 1 + sums + one] = LARGEST if one < fixed(rings, ring, RING_MINIMA) else -LARGEST


@kernel_part
def _add_to_entry(
    words: Words, rings: Words, ring: int, entry: Any, sums_of: Words, extremes_of: Words
) -> None:
    sums = fixed(rings, ring, RING_SUMS)
    for one in range(sums):
        words[entry + 1 + one] += sums_of[one]
    for one in range(fixed(rings, ring, RING_EXTREMES)):
        _widen(words, entry + 1 + sums + one, extremes_of[one], one < fixed(rings, ring, RING_MINIMA))


@kernel_part
def _move_windows(words: Words, plan: Plan, row: int, ring: int) -> None:
    """Let entries enter and leave every window until it is that at the head."""
    rings = plan.rings
    base = row + fixed(rings, ring, RING_OFFSET)
    sums = fixed(rings, ring, RING_SUMS)
    extremes = fixed(rings, ring, RING_EXTREMES)
    head = words[base + RING_HEAD]
    kept = base + RING_WINDOWS
    for window in range(fixed(rings, ring, RING_FIRST_WINDOW), fixed(rings, ring, RING_END_WINDOW)):
        oldest = head - fixed(plan.windows, window, WINDOW_BEGIN)
        newest = head - fixed(plan.windows, window, WINDOW_END)
        if words[kept + WINDOW_LEAVES] < oldest or words[kept + WINDOW_ENTERS] <= newest:
            first, end, leaves, enters = _walk(
                words,
                rings,
                ring,
                row,
                oldest,
                newest,
                words[kept + WINDOW_FIRST],
                words[kept + WINDOW_ENDS],
                words,
                kept + WINDOW_TOTALS,
            )
            words[kept + WINDOW_FIRST] = first
            words[kept + WINDOW_ENDS] = end
            words[kept + WINDOW_LEAVES] = leaves
            words[kept + WINDOW_ENTERS] = enters
        kept += WINDOW_TOTALS + sums + extremes


@kernel_part
def _make_room(state: State, plan: Plan, row: int, ring: int) -> None:
    """Drop the entries that every window has left; if there is none, the earliest gives way and is lost."""
    words = state.words
    rings = plan.rings
    base = row + fixed(rings, ring, RING_OFFSET)
    sums = fixed(rings, ring, RING_SUMS)
    stride = WINDOW_TOTALS + sums + fixed(rings, ring, RING_EXTREMES)
    windows = fixed(rings, ring, RING_END_WINDOW) - fixed(rings, ring, RING_FIRST_WINDOW)
    dropped = words[base + RING_LENGTH]
    for window in range(windows):
        dropped = min(dropped, words[base + RING_WINDOWS + window * stride + WINDOW_FIRST])
    if dropped == 0:
        dropped = 1
        state.numbers[LOST] += 1
        earliest = entry_of(words, rings, ring, row, 0)
        for window in range(windows):
            kept = base + RING_WINDOWS + window * stride
            if words[kept + WINDOW_FIRST] == 0 and words[kept + WINDOW_ENDS] > 0:
                for one in range(sums):
                    words[kept + WINDOW_TOTALS + one] -= words[earliest + 1 + one]
                end = words[kept + WINDOW_ENDS]
                _find_extremes(words, rings, ring, row, 1, end, words, kept + WINDOW_TOTALS + sums)
    words[base + RING_LOST] = words[entry_of(words, rings, ring, row, dropped - 1)]
    start = words[base + RING_START] + dropped
    words[base + RING_START] = (
        start - fixed(rings, ring, RING_ROOM) if start >= fixed(rings, ring, RING_ROOM) else start
    )
    words[base + RING_LENGTH] -= dropped
    for window in range(windows):
        kept = base + RING_WINDOWS + window * stride
        first = max(words[kept + WINDOW_FIRST] - dropped, 0)
        end = max(words[kept + WINDOW_ENDS] - dropped, 0)
        words[kept + WINDOW_FIRST] = first
        words[kept + WINDOW_ENDS] = end
        length = words[base + RING_LENGTH]
        words[kept + WINDOW_LEAVES] = (
            words[entry_of(words, rings, ring, row, first)] if first < length else LARGEST
        )
        words[kept + WINDOW_ENTERS] = (
            words[entry_of(words, rings, ring, row, end)] if end < length else LARGEST
        )


@kernel_part
def _put_late(
    state: State, plan: Plan, row: int, ring: int, tile: Any, sums_of: Words, extremes_of: Words
) -> None:
    """Put an event where its tile belongs, and add up every window anew."""
    words = state.words
    rings = plan.rings
    base = row + fixed(rings, ring, RING_OFFSET)
    number = words[base + RING_LENGTH]
    while number > 0 and words[entry_of(words, rings, ring, row, number - 1)] > tile:
        number -= 1
    if number > 0 and words[entry_of(words, rings, ring, row, number - 1)] == tile:
        number -= 1
    else:
        if words[base + RING_LENGTH] == fixed(rings, ring, RING_ROOM):
            before = words[base + RING_LENGTH]
            _make_room(state, plan, row, ring)
            number -= before - words[base + RING_LENGTH]
            if number < 0 or tile <= words[base + RING_LOST]:
                state.numbers[TOO_LATE] += 1
                return
        _shift(words, rings, ring, row, number)
        _begin_entry(words, rings, ring, entry_of(words, rings, ring, row, number), tile)
    _add_to_entry(words, rings, ring, entry_of(words, rings, ring, row, number), sums_of, extremes_of)
    kept = base + RING_WINDOWS
    for _ in range(fixed(rings, ring, RING_FIRST_WINDOW), fixed(rings, ring, RING_END_WINDOW)):
        words[kept + WINDOW_FIRST] = 0
        words[kept + WINDOW_ENDS] = 0
        # So that the next move looks at it.
        words[kept + WINDOW_LEAVES] = EMPTY
        words[kept + WINDOW_ENTERS] = EMPTY
        for one in range(fixed(rings, ring, RING_SUMS)):
            words[kept + WINDOW_TOTALS + one] = 0
        extremes_at = kept + WINDOW_TOTALS + fixed(rings, ring, RING_SUMS)
        _find_extremes(words, rings, ring, row, 0, 0, words, extremes_at)
        kept += WINDOW_TOTALS + fixed(rings, ring, RING_SUMS) + fixed(rings, ring, RING_EXTREMES)
    _move_windows(words, plan, row, ring)


@kernel_part
def move_entries(words: Words, plan: Plan, row: int, ring: int, to: int) -> None:
    """Copy the entries of a ring to the same places of another row, whose beginning is that of this one."""
    rings = plan.rings
    for number in range(words[row + fixed(rings, ring, RING_OFFSET) + RING_LENGTH]):
        source = entry_of(words, rings, ring, row, number)
        for word in range(fixed(rings, ring, RING_STRIDE)):
            words[source - row + to + word] = words[source + word]


@kernel_part
def _shift(words: Words, rings: Words, ring: int, row: int, number: Any) -> None:
    """Move the entries from ``number`` on one place further."""
    base = row + fixed(rings, ring, RING_OFFSET)
    last = words[base + RING_LENGTH]
    words[base + RING_LENGTH] = last + 1
    while last > number:
        to = entry_of(words, rings, ring, row, last)
        source = entry_of(words, rings, ring, row, last - 1)
        for word in range(fixed(rings, ring, RING_STRIDE)):
            words[to + word] = words[source + word]
        last -= 1
