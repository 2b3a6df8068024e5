"""What events change: the rows that they have keys for, part by part."""

from __future__ import annotations

import numpy as np

from formicary.base.kernels import fixed, kernel_part
from formicary.factory.features._blocks import Block
from formicary.factory.features._deviation import product
from formicary.factory.features._layout import (
    CONSENT,
    CONSENT_EVENT,
    CONSENT_UPDATE,
    EMPTY,
    FIRST,
    LARGEST,
    LAST,
    MAXIMUM,
    MINIMUM,
    NO_ROW,
    NOW,
    ONE,
    PART_COLUMN,
    PART_CONDITION,
    PART_OF,
    PART_PLACE,
    ROW_LATEST,
    SLOTS_OF_ID,
    SQUARE_HIGH,
    SQUARE_LOW,
    UPDATE_AT,
    UPDATE_COLUMN,
    UPDATE_CONDITION,
    UPDATE_END,
    UPDATE_KIND,
    UPDATE_MASK,
    UPDATE_OF,
    UPDATE_TOUCH,
    Events,
    Plan,
    State,
)
from formicary.factory.features._rows import is_row_of, row_for, spread

__all__ = ["begin_rows", "gather", "remember", "row_to_change"]


@kernel_part
def begin_rows(state: State, plan: Plan, events: Events, item: int, place: int, block: Block) -> None:
    """Find the rows of all keys of an event, or begin them; the caller made room for new ones.

    ``place`` is the event's place in the block.
    """
    at = events.at[item]
    state.numbers[NOW] = max(state.numbers[NOW], at)
    kind = events.kinds[item]
    first_touch = fixed(plan.kind_touches, 0, kind)
    for number in range(fixed(plan.kind_touches, 0, kind + 1) - first_touch):
        high = block.keys[place, number, 0]
        low = block.keys[place, number, 1]
        if high == 0 and low == 0:
            block.rows[place, number] = NO_ROW
            continue
        row = block.rows[place, number]
        table = fixed(plan.touches, first_touch + number, 0)
        if not is_row_of(state, row, table, high, low):
            row = row_for(state, plan, table, high, low)
            block.rows[place, number] = row
        state.words[row + ROW_LATEST] = max(state.words[row + ROW_LATEST], at)
    if kind == CONSENT_EVENT:
        # Before the next event asks.
        remember(state, plan, CONSENT_UPDATE, events, item, place, block)


@kernel_part
def gather(plan: Plan, update: int, events: Events, first: int, begin: int, end: int, block: Block) -> None:
    """Write what the events at the places ``begin`` to ``end`` of the block add to a ring."""
    for part in range(fixed(plan.updates, update, UPDATE_COLUMN), fixed(plan.updates, update, UPDATE_END)):
        of = fixed(plan.parts, part, PART_OF)
        to = fixed(plan.parts, part, PART_PLACE)
        column = fixed(plan.parts, part, PART_COLUMN)
        condition = fixed(plan.parts, part, PART_CONDITION)
        for place in range(begin, end):
            if of == ONE:
                value = np.int64(1)
            else:
                value = events.numbers[first + place, column]
                if of == MAXIMUM:
                    value = -value
                elif of in (SQUARE_LOW, SQUARE_HIGH):
                    magnitude = np.uint64(abs(value))
                    high, low = product(magnitude, magnitude)
                    value = np.int64(low) if of == SQUARE_LOW else np.int64(high)
            block.added[place, to] = value
        if condition >= 0:
            nothing = LARGEST if of in (MINIMUM, MAXIMUM) else 0
            for place in range(begin, end):
                if not block.conditions[condition, place]:
                    block.added[place, to] = nothing


@kernel_part
def row_to_change(plan: Plan, update: int, events: Events, item: int, place: int, block: Block) -> int:
    """Return the row that an event changes with an update, ``NO_ROW`` where it is of another kind or key."""
    if events.kinds[item] != fixed(plan.updates, update, UPDATE_OF):
        return NO_ROW
    return int(block.rows[place, fixed(plan.updates, update, UPDATE_TOUCH)])


@kernel_part
def remember(
    state: State, plan: Plan, update: int, events: Events, item: int, place: int, block: Block
) -> None:
    """Let one event change what is remembered of its key."""
    updates = plan.updates
    row = row_to_change(plan, update, events, item, place, block)
    condition = fixed(updates, update, UPDATE_CONDITION)
    if row < 0 or (condition >= 0 and not block.conditions[condition, place]):
        return
    words = state.words
    kind = fixed(updates, update, UPDATE_KIND)
    column = fixed(updates, update, UPDATE_COLUMN)
    to = row + fixed(updates, update, UPDATE_AT)
    at = events.at[item]
    if kind == LAST:
        if at >= words[to]:
            words[to] = at
            words[to + 1] = events.numbers[item, column] if column >= 0 else 0
    elif kind == FIRST:
        if words[to] == EMPTY or at < words[to]:
            words[to] = at
            words[to + 1] = events.numbers[item, column] if column >= 0 else 0
    elif kind == CONSENT:
        bit = np.int64(1) << events.numbers[item, column]
        words[to] = words[to] | bit if events.numbers[item, column + 1] else words[to] & ~bit
    else:
        if kind == SLOTS_OF_ID:
            value_hash = spread(events.ids[item, column, 0], events.ids[item, column, 1], 1)
        else:
            value_hash = spread(0, events.numbers[item, column], 2)
        slot = to + np.int64(value_hash & np.uint64(fixed(updates, update, UPDATE_MASK)))
        words[slot] = max(words[slot], at)
