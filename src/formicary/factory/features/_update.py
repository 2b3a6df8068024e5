"""What an event changes: every row that it has a key for, ring by ring."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import fixed, kernel_part, prefetch
from formicary.factory.features._expressions import STACK_MAX, compute
from formicary.factory.features._layout import (
    CONSENT,
    EMPTY,
    FIRST,
    LARGEST,
    LAST,
    LINE_WORDS,
    MAXIMUM,
    MINIMUM,
    NO_ROW,
    NOW,
    ONE,
    PART_COLUMN,
    PART_CONDITION,
    PART_OF,
    PART_PLACE,
    RING,
    ROW_LATEST,
    SLOTS_OF_ID,
    SQUARE_BITS,
    SWEEP_AT,
    UPDATE_AT,
    UPDATE_COLUMN,
    UPDATE_CONDITION,
    UPDATE_END,
    UPDATE_KIND,
    UPDATE_MASK,
    USED,
    VALUE,
    Events,
    Plan,
    Reals,
    State,
    Words,
)
from formicary.factory.features._rings import prefetch_entries, put_into_ring
from formicary.factory.features._rows import is_row_of, key_of, likely_row, row_for, slot_of, spread, sweep

__all__ = ["AHEAD", "PARTS_MAX", "Scratch", "look_ahead", "new_scratch", "update_item"]

AHEAD: Final = 16
"""Events whose rows are asked for together: more would not fit the caches nearest to the processor."""

PARTS_MAX: Final = 64
"""Sums, or extremes, of one ring at most."""
_CONDITIONS_MAX: Final = 256
_LIMB: Final = np.uint64((1 << SQUARE_BITS) - 1)
_LIMB_BITS: Final = np.uint64(SQUARE_BITS)
_HALF: Final = np.uint64(32)
_HALF_MASK: Final = np.uint64(0xFFFFFFFF)


class Scratch(NamedTuple):
    """Room that a kernel writes to and forgets."""

    keys: Words
    """(``AHEAD``, touches, 2): the keys of the events that are looked at in advance."""
    rows: Words
    """(``AHEAD``, touches): their rows."""
    sums: Words
    extremes: Words
    conditions: npt.NDArray[np.bool_]
    stack: Reals


def new_scratch(plan: Plan) -> Scratch:
    """Return room for events of any kind."""
    touches = int(np.diff(plan.kind_touches).max())
    return Scratch(
        np.zeros((AHEAD, touches, 2), np.int64),
        np.zeros((AHEAD, touches), np.int64),
        np.zeros(PARTS_MAX, np.int64),
        np.zeros(PARTS_MAX, np.int64),
        np.zeros(_CONDITIONS_MAX, np.bool_),
        np.zeros(STACK_MAX),
    )


@kernel_part
def look_ahead(state: State, plan: Plan, events: Events, first: int, end: int, scratch: Scratch) -> None:
    """Find the rows of up to ``AHEAD`` events and ask for their memory, all at once instead of one by one."""
    slots = state.slots
    words = state.words
    for item in range(first, end):
        kind = events.kinds[item]
        for touch in range(fixed(plan.kind_touches, 0, kind), fixed(plan.kind_touches, 0, kind + 1)):
            high, low = key_of(events, item, plan.touches[touch])
            number = touch - fixed(plan.kind_touches, 0, kind)
            scratch.keys[item - first, number, 0] = high
            scratch.keys[item - first, number, 1] = low
            prefetch(slots, slot_of(state, fixed(plan.touches, touch, 0), high, low))
    for item in range(first, end):
        kind = events.kinds[item]
        for touch in range(fixed(plan.kind_touches, 0, kind), fixed(plan.kind_touches, 0, kind + 1)):
            number = touch - fixed(plan.kind_touches, 0, kind)
            table = fixed(plan.touches, touch, 0)
            keys = scratch.keys[item - first, number]
            row = likely_row(state, table, keys[0], keys[1])
            scratch.rows[item - first, number] = row
            if row >= 0:
                for word in range(0, fixed(plan.hot_words, 0, table), LINE_WORDS):
                    prefetch(words, row + word)
    for item in range(first, end):
        kind = events.kinds[item]
        for touch in range(fixed(plan.kind_touches, 0, kind), fixed(plan.kind_touches, 0, kind + 1)):
            row = scratch.rows[item - first, touch - fixed(plan.kind_touches, 0, kind)]
            if row >= 0:
                for update in range(
                    fixed(plan.touch_updates, 0, touch), fixed(plan.touch_updates, 0, touch + 1)
                ):
                    if fixed(plan.updates, update, UPDATE_KIND) == RING:
                        prefetch_entries(words, plan, row, fixed(plan.updates, update, UPDATE_AT))


@kernel_part
def update_item(state: State, plan: Plan, events: Events, item: int, scratch: Scratch, ahead: int) -> None:
    """Let one event change the rows of all its keys; the caller made room for new ones.

    ``ahead`` is its place among those that were looked at in advance.
    """
    numbers = state.numbers
    at = events.at[item]
    numbers[NOW] = max(numbers[NOW], at)
    if numbers[USED] > numbers[SWEEP_AT]:
        sweep(state, plan)
        scratch.rows[:] = NO_ROW
    kind = events.kinds[item]
    for condition in range(fixed(plan.kind_conditions, 0, kind), fixed(plan.kind_conditions, 0, kind + 1)):
        first = fixed(plan.condition_bounds, 0, condition)
        end = fixed(plan.condition_bounds, 0, condition + 1)
        value = compute(plan.code, plan.constants, first, end, events, item, scratch.stack, scratch.stack)
        # What cannot be told, NaN, does not hold.
        scratch.conditions[condition] = value == value and value != 0.0  # noqa: PLR0124
    for touch in range(fixed(plan.kind_touches, 0, kind), fixed(plan.kind_touches, 0, kind + 1)):
        number = touch - fixed(plan.kind_touches, 0, kind)
        high = scratch.keys[ahead, number, 0]
        low = scratch.keys[ahead, number, 1]
        if high == 0 and low == 0:
            continue
        row = scratch.rows[ahead, number]
        table = fixed(plan.touches, touch, 0)
        if not is_row_of(state, row, table, high, low):
            row = row_for(state, plan, table, high, low)
        state.words[row + ROW_LATEST] = max(state.words[row + ROW_LATEST], at)
        for update in range(fixed(plan.touch_updates, 0, touch), fixed(plan.touch_updates, 0, touch + 1)):
            _update_row(state, plan, row, update, events, item, scratch)


@kernel_part
def _update_row(
    state: State, plan: Plan, row: int, update: int, events: Events, item: int, scratch: Scratch
) -> None:
    updates = plan.updates
    kind = fixed(updates, update, UPDATE_KIND)
    at = events.at[item]
    if kind == RING:
        _gather(plan, update, events, item, scratch)
        put_into_ring(state, plan, row, fixed(updates, update, UPDATE_AT), at, scratch.sums, scratch.extremes)
    elif kind == CONSENT:
        bit = np.int64(1) << events.numbers[item, fixed(updates, update, UPDATE_COLUMN)]
        granted = events.numbers[item, fixed(updates, update, UPDATE_COLUMN) + 1]
        place = row + fixed(updates, update, UPDATE_AT)
        state.words[place] = state.words[place] | bit if granted else state.words[place] & ~bit
    else:
        condition = fixed(updates, update, UPDATE_CONDITION)
        if condition < 0 or scratch.conditions[condition]:
            _remember(state, plan, row, update, events, item)


@kernel_part
def _remember(state: State, plan: Plan, row: int, update: int, events: Events, item: int) -> None:
    words = state.words
    updates = plan.updates
    kind = fixed(updates, update, UPDATE_KIND)
    column = fixed(updates, update, UPDATE_COLUMN)
    place = row + fixed(updates, update, UPDATE_AT)
    at = events.at[item]
    if kind == LAST:
        if at >= words[place]:
            words[place] = at
            words[place + 1] = events.numbers[item, column] if column >= 0 else 0
    elif kind == FIRST:
        if words[place] == EMPTY or at < words[place]:
            words[place] = at
            words[place + 1] = events.numbers[item, column] if column >= 0 else 0
    else:
        if kind == SLOTS_OF_ID:
            value_hash = spread(events.ids[item, column, 0], events.ids[item, column, 1], 1)
        else:
            value_hash = spread(0, events.numbers[item, column], 2)
        slot = place + np.int64(value_hash & np.uint64(fixed(updates, update, UPDATE_MASK)))
        words[slot] = max(words[slot], at)


@kernel_part
def _gather(plan: Plan, update: int, events: Events, item: int, scratch: Scratch) -> None:
    """Write what the event adds to each sum and extreme of a ring."""
    parts = plan.parts
    for part in range(fixed(plan.updates, update, UPDATE_COLUMN), fixed(plan.updates, update, UPDATE_END)):
        of = fixed(parts, part, PART_OF)
        place = fixed(parts, part, PART_PLACE)
        condition = fixed(parts, part, PART_CONDITION)
        holds = condition < 0 or scratch.conditions[condition]
        value = np.int64(1) if of == ONE else events.numbers[item, fixed(parts, part, PART_COLUMN)]
        if of == MINIMUM:
            scratch.extremes[place] = value if holds else LARGEST
        elif of == MAXIMUM:
            scratch.extremes[place] = value if holds else -LARGEST
        elif not holds:
            scratch.sums[place] = 0
        elif of in (ONE, VALUE):
            scratch.sums[place] = value
        else:
            scratch.sums[place] = _limb_of_square(value, of - VALUE - 1)


@kernel_part
def _limb_of_square(value: Any, limb: Any) -> Any:
    """Return 36 bits of the square of a value of at most 53 bits, the lowest for ``limb`` 0."""
    magnitude = np.uint64(abs(value))
    low = magnitude & _HALF_MASK
    high = magnitude >> _HALF
    # (high 2^32 + low)^2 in two words.
    middle = high * low
    low_square = low * low
    word = low_square + (middle << np.uint64(33))
    carry = np.uint64(1) if word < low_square else np.uint64(0)
    top = high * high + (middle >> np.uint64(31)) + carry
    if limb == 0:
        return np.int64(word & _LIMB)
    if limb == 1:
        return np.int64(((word >> _LIMB_BITS) | (top << np.uint64(64 - SQUARE_BITS))) & _LIMB)
    return np.int64(top >> np.uint64(2 * SQUARE_BITS - 64))
