"""A block of events that are passed through the rows together: what is worked out for all of them at once.

Rows lie at random places of a large memory, each hundreds of nanoseconds away, but a dozen can be on their
way at once; so the rows of a block are asked for before the first of them is looked at. And what the plan
says of a part of a row is read once for a block: parts are passed one after the other, each by all events in
their order. Parts of rows do not depend on each other, so every event is told what was known before it.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import fixed, kernel_part, prefetch, tail
from formicary.base.records import Table, opener
from formicary.factory.features._entries import prefetch_entries, ring_of
from formicary.factory.features._expressions import STACK_MAX, compute
from formicary.factory.features._layout import (
    LINE_WORDS,
    RING,
    UPDATE_AT,
    UPDATE_KIND,
    UPDATE_OF,
    UPDATE_TOUCH,
    Events,
    Plan,
    Reals,
    State,
    Words,
)
from formicary.factory.features._rows import key_of, likely_row, slot_of, spread

__all__ = ["BLOCK", "PARTS_MAX", "Block", "look_ahead", "new_block", "open_block"]

BLOCK: Final = 32
"""Events in a block at most: what more of them touch would not fit the caches nearest to the processor."""

PARTS_MAX: Final = 64
"""Sums and extremes of one ring at most."""


class Block(NamedTuple):
    """Room that a kernel writes to and forgets; the first axis of most arrays is the event's place."""

    keys: Annotated[Words, 3]
    """(``BLOCK``, touches, 3): the words of the keys, and their hashes."""
    rows: Table
    """(``BLOCK``, touches): the places of their rows."""
    tiles: Table
    """(tiles, ``BLOCK``): the number of each kind of tile at the events' times."""
    conditions: Annotated[npt.NDArray[np.bool_], 2]
    """(conditions, ``BLOCK``)."""
    added: Table
    """(``BLOCK``, parts): what the events add to the sums and extremes of a ring."""
    asks: npt.NDArray[np.bool_]
    """(``BLOCK``,): the events that are told the features of a view."""
    stack: Reals


open_block: Final = opener(Block)


def new_block(plan: Plan) -> Block:
    """Return room for events of any kind."""
    touches = int(np.diff(plan.kind_touches).max())
    return Block(
        np.zeros((BLOCK, touches, 3), np.int64),
        np.zeros((BLOCK, touches), np.int64),
        np.zeros((len(plan.tiles) + 1, BLOCK), np.int64),
        np.zeros((len(plan.condition_bounds), BLOCK), np.bool_),
        np.zeros((BLOCK, PARTS_MAX), np.int64),
        np.zeros(BLOCK, np.bool_),
        np.zeros(STACK_MAX),
    )


@kernel_part
def look_ahead(state: State, plan: Plan, events: Events, first: int, count: int, block: Block) -> None:
    """Work out keys, tiles and conditions of up to ``BLOCK`` events, and ask for the memory of their rows."""
    for tile in range(len(plan.tiles)):
        length = fixed(plan.tiles, 0, tile)
        for place in range(count):
            block.tiles[tile, place] = events.at[first + place] // length
    _find_keys(state, plan, events, first, count, block)
    _find_rows(state, plan, events, first, count, block)
    for update in range(len(plan.updates)):
        if fixed(plan.updates, update, UPDATE_KIND) == RING:
            ring = ring_of(plan, fixed(plan.updates, update, UPDATE_AT))
            touch = fixed(plan.updates, update, UPDATE_TOUCH)
            kind = fixed(plan.updates, update, UPDATE_OF)
            for place in range(count):
                if events.kinds[first + place] == kind and block.rows[place, touch] >= 0:
                    held = tail(state.words, block.rows[place, touch] + ring.offset)
                    prefetch_entries(state.entries, held, ring)
    _find_conditions(plan, events, first, count, block)


@kernel_part
def _find_keys(state: State, plan: Plan, events: Events, first: int, count: int, block: Block) -> None:
    for place in range(count):
        kind = events.kinds[first + place]
        first_touch = fixed(plan.kind_touches, 0, kind)
        for number in range(fixed(plan.kind_touches, 0, kind + 1) - first_touch):
            high, low = key_of(events, first + place, plan.touches[first_touch + number])
            key_hash = spread(high, low, fixed(plan.touches, first_touch + number, 0))
            block.keys[place, number, 0] = high
            block.keys[place, number, 1] = low
            block.keys[place, number, 2] = np.int64(key_hash)
            prefetch(state.slots, slot_of(state, key_hash))


@kernel_part
def _find_rows(state: State, plan: Plan, events: Events, first: int, count: int, block: Block) -> None:
    for place in range(count):
        kind = events.kinds[first + place]
        first_touch = fixed(plan.kind_touches, 0, kind)
        for number in range(fixed(plan.kind_touches, 0, kind + 1) - first_touch):
            row = likely_row(state, np.uint64(block.keys[place, number, 2]))
            block.rows[place, number] = row
            if row >= 0:
                hot = fixed(plan.hot_words, 0, fixed(plan.touches, first_touch + number, 0))
                for word in range(0, hot, LINE_WORDS):
                    prefetch(state.words, row + word)


@kernel_part
def _find_conditions(plan: Plan, events: Events, first: int, count: int, block: Block) -> None:
    for place in range(count):
        kind = events.kinds[first + place]
        for condition in range(
            fixed(plan.kind_conditions, 0, kind), fixed(plan.kind_conditions, 0, kind + 1)
        ):
            begin = fixed(plan.condition_bounds, 0, condition)
            end = fixed(plan.condition_bounds, 0, condition + 1)
            value = compute(
                plan.code, plan.constants, begin, end, events, first + place, block.stack, block.stack
            )
            # What cannot be told, NaN, does not hold.
            block.conditions[condition, place] = value == value and value != 0.0  # noqa: PLR0124
