"""The entries of a ring: in a chunk of their own, exchanged for one of twice the length where it is full.

So a key with few events takes few lines of memory, and those of many keys lie close together. Chunks that
were given back are found again by their length.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from formicary.base.kernels import fixed, kernel_part, prefetch, tail
from formicary.factory.features._layout import (
    LINE_WORDS,
    RING_END_WINDOW,
    RING_EXTREMES,
    RING_FIRST_WINDOW,
    RING_NOW,
    RING_OFFSET,
    RING_PLACE,
    RING_ROOM,
    RING_SPAN,
    RING_STRIDE,
    RING_SUMS,
    RING_TILE,
    RING_WIDE_SUMS,
    WINDOW_EXTREMES,
    WINDOW_FIRST,
    Plan,
    State,
    Words,
)

__all__ = [
    "ROOM_MAX",
    "Ring",
    "drop_entries",
    "entry_of",
    "free_entries",
    "grow",
    "length_of",
    "prefetch_entries",
    "ring_of",
    "room_of",
    "shift",
    "window_of",
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
    narrow: Any
    """Sums of one word each."""
    sums: Any
    """The words of all sums: behind the narrow ones those of two words, the low one first."""
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
    narrow = fixed(plan.rings, ring, RING_SUMS)
    sums = narrow + 2 * fixed(plan.rings, ring, RING_WIDE_SUMS)
    extremes = fixed(plan.rings, ring, RING_EXTREMES)
    return Ring(
        fixed(plan.rings, ring, RING_OFFSET),
        fixed(plan.rings, ring, RING_TILE),
        fixed(plan.rings, ring, RING_ROOM),
        narrow,
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
def room_of(held: Words) -> Any:
    """Return how many entries the chunk of the ring ``held`` has room for."""
    return held[RING_PLACE] & _ROOM_MASK


@kernel_part
def entry_of(held: Words, ring: Ring, number: Any) -> Any:
    """Return the place of the ``number``-th entry of the ring ``held``."""
    slot = (held[RING_SPAN] >> _LENGTH_BITS) + number
    if slot >= room_of(held):
        slot -= room_of(held)
    return (held[RING_PLACE] >> _ROOM_BITS) + slot * ring.stride


@kernel_part
def window_of(ring: Ring, window: Any) -> Any:
    """Return the place of a window of the plan in its ring."""
    return ring.windows + (window - ring.first_window) * ring.window_stride


@kernel_part
def prefetch_entries(entries: Words, held: Words, ring: Ring) -> None:
    """Ask for the memory of the entries that an event changes, and that windows begin with."""
    for window in range(ring.first_window, ring.end_window):
        first = held[window_of(ring, window) + WINDOW_FIRST]
        entry = entry_of(held, ring, first)
        prefetch(entries, entry)
        # The next, too, or the end of this one.
        prefetch(entries, entry + LINE_WORDS)
    prefetch(entries, entry_of(held, ring, length_of(held)))


@kernel_part
def shift(entries: Words, held: Words, ring: Ring, number: Any) -> None:
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
def drop_entries(held: Words, count: Any) -> None:
    """Leave out the first entries."""
    start = (held[RING_SPAN] >> _LENGTH_BITS) + count
    if start >= room_of(held):
        start -= room_of(held)
    held[RING_SPAN] = (start << _LENGTH_BITS) | (length_of(held) - count)


@kernel_part
def grow(state: State, held: Words, ring: Ring) -> None:
    """Move the entries to a chunk that has room for twice as many."""
    length = length_of(held)
    room = min(max(2 * room_of(held), _ROOM_MIN), ring.room)
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
    if room_of(held) > 0:
        lines = _lines_of(ring, room_of(held))
        place = held[RING_PLACE] >> _ROOM_BITS
        state.entries[place] = state.free[lines]
        state.free[lines] = place


@kernel_part
def _lines_of(ring: Ring, room: Any) -> Any:
    return (room * ring.stride + LINE_WORDS - 1) // LINE_WORDS
