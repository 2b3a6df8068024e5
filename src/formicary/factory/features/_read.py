"""What asking events are told: the features of one view, from rows that are not changed."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import fixed, kernel_part, tail
from formicary.base.records import Table, opener
from formicary.factory.features._blocks import BLOCK, Block
from formicary.factory.features._deviation import deviation
from formicary.factory.features._entries import Ring
from formicary.factory.features._expressions import STACK_MAX, compute
from formicary.factory.features._layout import (
    CONSENT_TABLE,
    EMPTY,
    FEATURE_A,
    FEATURE_B,
    FEATURE_C,
    FEATURE_LOOKUP,
    FEATURE_READS,
    FEATURE_SPAN,
    FEATURE_WINDOW,
    HEADER_CONSENT,
    LOOKUP_TOUCH,
    NO_CONSENT_NEEDED,
    NO_ROW,
    READS_DISTINCT,
    READS_MAXIMUM,
    READS_MEAN,
    READS_REAL,
    READS_STD,
    READS_SUM,
    READS_VALUE,
    Events,
    Plan,
    Reals,
    State,
    View,
    Words,
)
from formicary.factory.features._rings import totals_of
from formicary.factory.features._rows import find_row, is_row_of, key_of, seen_row

__all__ = [
    "Reading",
    "compute_features",
    "find_rows",
    "new_reading",
    "open_reading",
    "tell_remembered",
    "tell_ring",
    "withhold",
]

_NANOSECONDS: Final = 1e9


class Reading(NamedTuple):
    """Room that a read writes to and forgets; the first axis is the asking event's number in its block."""

    items: Words
    """(``BLOCK``,): which events ask."""
    rows: Table
    """(``BLOCK``, look-ups)."""
    totals: Table
    """(``BLOCK``, totals of all windows)."""
    known: Annotated[npt.NDArray[np.bool_], 2]
    """(``BLOCK``, windows)."""
    lacking: Words
    """(``BLOCK``,): which ids lack consent, as bits."""
    stack: Reals


open_reading: Final = opener(Reading)


def new_reading(view: View) -> Reading:
    """Return room for reads of a view."""
    return Reading(
        np.zeros(BLOCK, np.int64),
        np.zeros((BLOCK, len(view.lookups) + 1), np.int64),
        np.zeros((BLOCK, view.totals + 1), np.int64),
        np.zeros((BLOCK, len(view.windows) + 1), np.bool_),
        np.zeros(BLOCK, np.int64),
        np.zeros(STACK_MAX),
    )


@kernel_part
def find_rows(
    state: State,
    view: View,
    events: Events,
    item: int,
    purpose: int,
    block: Block,
    place: int,
    reading: Reading,
    number: int,
) -> None:
    """Note where an asking event's rows are, and which of its ids lack consent to a purpose.

    ``purpose`` is the bit of a purpose that needs consent, or ``NO_CONSENT_NEEDED``; ``place`` is the event's
    place in the block, and ``number`` that among those that ask.
    """
    at = events.at[item]
    reading.items[number] = item
    for lookup in range(len(view.lookups)):
        touch = fixed(view.lookups, lookup, LOOKUP_TOUCH)
        table = fixed(view.lookups, lookup, 0)
        if touch >= 0:
            high = block.keys[place, touch, 0]
            low = block.keys[place, touch, 1]
            row = block.rows[place, touch]
        else:
            high, low = key_of(events, item, view.lookups[lookup])
            row = np.int64(NO_ROW)
        if not is_row_of(state, row, table, high, low):
            row = seen_row(state, table, high, low, at)
        reading.rows[number, lookup] = row
    reading.lacking[number] = 0
    if purpose != NO_CONSENT_NEEDED:
        reading.lacking[number] = _lacking(state, view, events, item, purpose)


@kernel_part
def _lacking(state: State, view: View, events: Events, item: int, purpose: int) -> int:
    """Return which of the event's ids are those of parties without consent, as bits."""
    asked = 0
    for feature in range(len(view.subjects)):
        asked |= fixed(view.subjects, 0, feature)
    lacking = 0
    column = 0
    while asked >> column:
        if (asked >> column) & 1:
            high = events.ids[item, column, 0]
            low = events.ids[item, column, 1]
            row = find_row(state, CONSENT_TABLE, high, low)
            # Nobody is told about where there is no party.
            is_nobody = high == 0 and low == 0
            if not is_nobody and (row < 0 or not (state.words[row + HEADER_CONSENT] >> purpose) & 1):
                lacking |= 1 << column
        column += 1
    return lacking


@kernel_part
def tell_ring(
    state: State, plan: Plan, view: View, ring: Ring, update: int, tile: Any, reading: Reading, number: int
) -> None:
    """Note the totals of a ring's windows at one asking event."""
    for place in range(fixed(view.update_windows, 0, update), fixed(view.update_windows, 0, update + 1)):
        row = reading.rows[number, fixed(view.windows, place, 0)]
        to = fixed(view.windows, place, 2)
        if row >= 0:
            window = fixed(view.windows, place, 1)
            totals = tail(reading.totals[number], to)
            held = tail(state.words, row + ring.offset)
            known = totals_of(state.entries, held, plan, ring, window, tile, totals)
        else:
            known = row == NO_ROW
            for one in range(ring.sums + ring.extremes):
                reading.totals[number, to + one] = 0
        reading.known[number, place] = known


@kernel_part
def tell_remembered(
    words: Words, view: View, update: int, at: Any, reading: Reading, number: int, out: Reals
) -> None:
    """Write the features that are told from what is remembered to ``out`` at one asking event."""
    for place in range(
        fixed(view.update_remembered, 0, update), fixed(view.update_remembered, 0, update + 1)
    ):
        feature = fixed(view.remembered, 0, place)
        row = reading.rows[number, fixed(view.features, feature, FEATURE_LOOKUP)]
        reads = fixed(view.features, feature, FEATURE_READS)
        if row >= 0:
            out[feature] = _remembered(words, view, feature, row, at)
        else:
            # Of a key without events there are none to be told apart; all else is missing.
            out[feature] = 0.0 if row == NO_ROW and reads == READS_DISTINCT else math.nan


@kernel_part
def _remembered(words: Words, view: View, feature: int, row: Any, at: Any) -> Any:
    """Return what one remembered event, or the slots of a count of different values, tell."""
    features = view.features
    reads = fixed(features, feature, FEATURE_READS)
    place = row + fixed(features, feature, FEATURE_A)
    span = fixed(features, feature, FEATURE_SPAN)
    if reads == READS_DISTINCT:
        return _distinct(words, place, fixed(features, feature, FEATURE_B), at, span)
    when = words[place]
    # What a later event has replaced is not kept.
    if when == EMPTY or when > at or (span > 0 and when <= at - span):
        return math.nan
    if reads == READS_VALUE:
        return np.float64(words[place + 1])
    if reads == READS_REAL:
        return words[place + 1 : place + 2].view(np.float64)[0]
    return np.float64(at - when) / _NANOSECONDS


@kernel_part
def _distinct(words: Words, place: Any, slots: Any, at: Any, span: Any) -> Any:
    hit = 0
    latest = EMPTY
    for slot in range(slots):
        when = words[place + slot]
        latest = max(latest, when)
        if when > at - span:
            hit += 1
    if latest > at:
        return math.nan
    if hit <= 1:
        return np.float64(hit)
    # Where every slot was hit, the estimate is that of half a slot left.
    empty = np.float64(slots - hit) if hit < slots else 0.5
    return np.float64(slots) * math.log(np.float64(slots) / empty)


@kernel_part
def compute_features(view: View, events: Events, reading: Reading, count: int, out: Reals) -> None:
    """Write the features that are told from windows and from other features, (``count``, features)."""
    for feature in range(len(view.features)):
        if fixed(view.features, feature, FEATURE_WINDOW) >= 0:
            _tell_windowed(view, feature, reading, count, out)
    for program in range(len(view.programs)):
        feature = fixed(view.programs, program, 0)
        first = fixed(view.programs, program, 1)
        end = fixed(view.programs, program, 2)
        for number in range(count):
            item = reading.items[number]
            out[number, feature] = compute(
                view.code, view.constants, first, end, events, item, out[number], reading.stack
            )


@kernel_part
def _tell_windowed(view: View, feature: int, reading: Reading, count: int, out: Reals) -> None:
    reads = fixed(view.features, feature, FEATURE_READS)
    window = fixed(view.features, feature, FEATURE_WINDOW)
    value_at = fixed(view.features, feature, FEATURE_A)
    count_at = fixed(view.features, feature, FEATURE_B)
    squares_at = fixed(view.features, feature, FEATURE_C)
    for number in range(count):
        totals = reading.totals[number]
        events_in = totals[count_at]
        if not reading.known[number, window] or (events_in == 0 and reads != READS_SUM):
            told = math.nan
        elif reads == READS_MEAN:
            told = np.float64(totals[value_at]) / np.float64(events_in)
        elif reads == READS_STD:
            told = deviation(totals, value_at, squares_at, events_in)
        elif reads == READS_MAXIMUM:
            told = np.float64(-totals[value_at])
        else:
            told = np.float64(totals[value_at])
        out[number, feature] = told


@kernel_part
def withhold(view: View, reading: Reading, count: int, out: Reals, withheld: Words) -> None:
    """Turn what is told of parties without consent into missing values, and write whose that was, as bits."""
    for number in range(count):
        lacking = reading.lacking[number]
        withheld[number] = lacking
        if lacking:
            for feature in range(len(view.subjects)):
                if fixed(view.subjects, 0, feature) & lacking:
                    out[number, feature] = math.nan
