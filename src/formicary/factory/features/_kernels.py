"""The kernels that are called from Python: events in, features out.

A decision point composes the same parts: it reads a block of one event before its decision, and follows it
after.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import fixed, kernel, kernel_part, tail
from formicary.base.records import Note, words_of
from formicary.factory.features._blocks import BLOCK, Block, look_ahead, open_block
from formicary.factory.features._entries import ring_of
from formicary.factory.features._layout import (
    FIRST_UPDATE,
    NO_ROW,
    RING,
    UPDATE_AT,
    UPDATE_KIND,
    Events,
    Plan,
    Reals,
    State,
    View,
    Words,
    open_plan,
    open_state,
    open_view,
)
from formicary.factory.features._read import (
    Reading,
    compute_features,
    find_rows,
    open_reading,
    tell_remembered,
    tell_ring,
    withhold,
)
from formicary.factory.features._rings import advance, put_into_ring
from formicary.factory.features._rows import sweep, sweep_is_due
from formicary.factory.features._update import begin_rows, gather, remember, row_to_change

__all__ = ["follow_events", "read_events", "replay_events"]


_PLAN_AT: Final = words_of(State)
_BLOCK_AT: Final = words_of(State, Plan)
_VIEW_AT: Final = words_of(State, Plan, Block)
_READING_AT: Final = words_of(State, Plan, Block, View)


@kernel
def follow_events(note: Note, events: Events) -> None:
    """Let events change the rows of their keys, one after the other.

    ``note`` is that of a state, a plan and a block.
    """
    state = open_state(note, 0)
    plan = open_plan(note, _PLAN_AT)
    block = open_block(note, _BLOCK_AT)
    total = len(events.kinds)
    for first in range(0, total, BLOCK):
        count = min(BLOCK, total - first)
        look_ahead(state, plan, events, first, count, block)
        begin = 0
        while begin < count:
            end = begin
            is_due = False
            while end < count and not is_due:
                begin_rows(state, plan, events, first + end, end, block)
                is_due = sweep_is_due(state)
                end += 1
            for update in range(FIRST_UPDATE, len(plan.updates)):
                _change(state, plan, update, events, first, begin, end, block)
            if is_due:
                sweep(state, plan)
                block.rows[end:] = NO_ROW
            begin = end


@kernel_part
def _change(
    state: State, plan: Plan, update: int, events: Events, first: int, begin: int, end: int, block: Block
) -> None:
    if fixed(plan.updates, update, UPDATE_KIND) == RING:
        ring = ring_of(plan, fixed(plan.updates, update, UPDATE_AT))
        gather(plan, update, events, first, begin, end, block)
        for place in range(begin, end):
            row = row_to_change(plan, update, events, first + place, place, block)
            if row >= 0:
                held = tail(state.words, row + ring.offset)
                tile = block.tiles[ring.tile, place]
                is_new = advance(state.entries, held, plan, ring, tile)
                put_into_ring(state, held, plan, ring, tile, is_new, block.added[place])
    else:
        for place in range(begin, end):
            remember(state, plan, update, events, first + place, place, block)


@kernel
def read_events(note: Note, events: Events, purpose: int, out: Reals, withheld: Words) -> None:
    """Read a view at each event, (n, features), and which ids lacked consent, (n,); change nothing.

    ``note`` is that of a state, a plan, a block, the view and a reading.
    """
    state = open_state(note, 0)
    plan = open_plan(note, _PLAN_AT)
    block = open_block(note, _BLOCK_AT)
    view = open_view(note, _VIEW_AT)
    reading = open_reading(note, _READING_AT)
    total = len(events.kinds)
    for first in range(0, total, BLOCK):
        count = min(BLOCK, total - first)
        look_ahead(state, plan, events, first, count, block)
        for place in range(count):
            find_rows(state, view, events, first + place, purpose, block, place, reading, place)
        for update in range(FIRST_UPDATE, len(plan.updates)):
            _read(state, plan, view, update, events, first, count, reading, block, out)
        compute_features(view, events, reading, count, out[first:])
        withhold(view, reading, count, out[first:], withheld[first:])


@kernel_part
def _read(
    state: State,
    plan: Plan,
    view: View,
    update: int,
    events: Events,
    first: int,
    count: int,
    reading: Reading,
    block: Block,
    out: Reals,
) -> None:
    if fixed(plan.updates, update, UPDATE_KIND) == RING:
        ring = ring_of(plan, fixed(plan.updates, update, UPDATE_AT))
        for place in range(count):
            tile = block.tiles[ring.tile, place]
            tell_ring(state, plan, view, ring, update, tile, reading, place)
    else:
        for place in range(count):
            at = events.at[first + place]
            tell_remembered(state.words, view, update, at, reading, place, out[first + place])


@kernel
def replay_events(
    note: Note,
    events: Events,
    purpose: int,
    asked: npt.NDArray[np.bool_],
    out: Reals,
    withheld: Words,
) -> int:
    """Read a view at each event of its kind that is ``asked`` (n,), then let the event change its rows.

    ``note`` is that of a state, a plan, a block, the view and a reading.

    Returns
    -------
    How many rows of ``out`` were written.
    """
    state = open_state(note, 0)
    plan = open_plan(note, _PLAN_AT)
    block = open_block(note, _BLOCK_AT)
    view = open_view(note, _VIEW_AT)
    reading = open_reading(note, _READING_AT)
    row = 0
    total = len(events.kinds)
    for first in range(0, total, BLOCK):
        count = min(BLOCK, total - first)
        look_ahead(state, plan, events, first, count, block)
        begin = 0
        while begin < count:
            end = begin
            asking = 0
            is_due = False
            while end < count and not is_due:
                item = first + end
                block.asks[end] = events.kinds[item] == view.kind and asked[item]
                if block.asks[end]:
                    find_rows(state, view, events, item, purpose, block, end, reading, asking)
                    asking += 1
                begin_rows(state, plan, events, item, end, block)
                is_due = sweep_is_due(state)
                end += 1
            for update in range(FIRST_UPDATE, len(plan.updates)):
                _read_and_change(
                    state, plan, view, update, events, first, begin, end, reading, block, out[row:]
                )
            compute_features(view, events, reading, asking, out[row:])
            withhold(view, reading, asking, out[row:], withheld[row:])
            row += asking
            if is_due:
                sweep(state, plan)
                block.rows[end:] = NO_ROW
            begin = end
    return row


@kernel_part
def _read_and_change(
    state: State,
    plan: Plan,
    view: View,
    update: int,
    events: Events,
    first: int,
    begin: int,
    end: int,
    reading: Reading,
    block: Block,
    out: Reals,
) -> None:
    asking = 0
    if fixed(plan.updates, update, UPDATE_KIND) == RING:
        ring = ring_of(plan, fixed(plan.updates, update, UPDATE_AT))
        gather(plan, update, events, first, begin, end, block)
        for place in range(begin, end):
            row = row_to_change(plan, update, events, first + place, place, block)
            held = tail(state.words, max(row, 0) + ring.offset)
            tile = block.tiles[ring.tile, place]
            # The windows that are read are then those at the head, and are moved there once.
            is_new = row >= 0 and advance(state.entries, held, plan, ring, tile)
            if block.asks[place]:
                tell_ring(state, plan, view, ring, update, tile, reading, asking)
                asking += 1
            if row >= 0:
                put_into_ring(state, held, plan, ring, tile, is_new, block.added[place])
    else:
        for place in range(begin, end):
            if block.asks[place]:
                at = events.at[first + place]
                tell_remembered(state.words, view, update, at, reading, asking, out[asking])
                asking += 1
            remember(state, plan, update, events, first + place, place, block)
