"""What an asking event is told: the features of one view, from rows that are not changed."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import fixed, kernel_part
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
    READS_MEAN,
    READS_NOTHING,
    READS_REAL,
    READS_STD,
    READS_SUM,
    READS_VALUE,
    SQUARE_BITS,
    Events,
    Plan,
    Reals,
    State,
    View,
    Words,
)
from formicary.factory.features._rings import totals_of
from formicary.factory.features._rows import find_row, is_row_of, key_of, seen_row
from formicary.factory.features._update import Scratch

__all__ = ["Reading", "new_reading", "read_item"]

_NANOSECONDS: Final = 1e9
_TWO_64: Final = 2.0**64
_HALF: Final = np.uint64(32)
_HALF_MASK: Final = np.uint64(0xFFFFFFFF)
_EXACT_MAX: Final = 1 << 31


class Reading(NamedTuple):
    """Room that a read writes to and forgets."""

    rows: Words
    totals: Words
    known: npt.NDArray[np.bool_]
    stack: Reals


def new_reading(view: View) -> Reading:
    """Return room for reads of a view."""
    return Reading(
        np.zeros(len(view.lookups) + 1, np.int64),
        np.zeros(view.totals + 1, np.int64),
        np.zeros(len(view.windows) + 1, np.bool_),
        np.zeros(STACK_MAX),
    )


@kernel_part
def read_item(
    state: State,
    plan: Plan,
    view: View,
    events: Events,
    item: int,
    purpose: int,
    reading: Reading,
    scratch: Scratch,
    ahead: int,
    out: Reals,
) -> int:
    """Write every feature of the view at one event to ``out``; return which id columns lack consent, as bits.

    ``purpose`` is the bit of a purpose that needs consent, or ``NO_CONSENT_NEEDED``; ``ahead`` is the event's
    place among those that were looked at in advance.
    """
    words = state.words
    at = events.at[item]
    for lookup in range(len(view.lookups)):
        touch = fixed(view.lookups, lookup, LOOKUP_TOUCH)
        table = fixed(view.lookups, lookup, 0)
        if touch >= 0:
            high = scratch.keys[ahead, touch, 0]
            low = scratch.keys[ahead, touch, 1]
            row = scratch.rows[ahead, touch]
        else:
            high, low = key_of(events, item, view.lookups[lookup])
            row = np.int64(NO_ROW)
        if not is_row_of(state, row, table, high, low):
            row = seen_row(state, table, high, low, at)
        reading.rows[lookup] = row
    for place in range(len(view.windows)):
        ring = fixed(view.windows, place, 1)
        window = fixed(view.windows, place, 2)
        totals_at = fixed(view.windows, place, 3)
        row = reading.rows[fixed(view.windows, place, 0)]
        if row >= 0:
            known = totals_of(words, plan, row, ring, window, scratch.tiles[ahead], reading.totals, totals_at)
        else:
            known = row == NO_ROW
        reading.known[place] = known
    for feature in range(len(view.features)):
        if fixed(view.features, feature, FEATURE_READS) != READS_NOTHING:
            out[feature] = _value(words, view, feature, at, reading)
    for program in range(len(view.programs)):
        first = fixed(view.programs, program, 1)
        end = fixed(view.programs, program, 2)
        value = compute(view.code, view.constants, first, end, events, item, out, reading.stack)
        out[fixed(view.programs, program, 0)] = value
    if purpose == NO_CONSENT_NEEDED:
        return 0
    return _withhold(state, view, events, item, purpose, out)


@kernel_part
def _value(words: Words, view: View, feature: int, at: Any, reading: Reading) -> Any:
    features = view.features
    row = reading.rows[fixed(features, feature, FEATURE_LOOKUP)]
    place = fixed(features, feature, FEATURE_WINDOW)
    reads = fixed(features, feature, FEATURE_READS)
    if place < 0:
        if row < 0:
            # Of a key without events there are none to be told apart; all else is missing.
            return 0.0 if row == NO_ROW and reads == READS_DISTINCT else math.nan
        return _remembered(words, view, feature, row, at)
    if not reading.known[place]:
        return math.nan
    if row < 0:
        return 0.0 if reads == READS_SUM else math.nan
    totals = reading.totals
    if reads == READS_SUM:
        return np.float64(totals[fixed(features, feature, FEATURE_A)])
    events_in = totals[fixed(features, feature, FEATURE_B)]
    if events_in == 0:
        return math.nan
    if reads == READS_MEAN:
        return np.float64(totals[fixed(features, feature, FEATURE_A)]) / np.float64(events_in)
    if reads == READS_STD:
        squares = fixed(features, feature, FEATURE_C)
        return _deviation(totals, fixed(features, feature, FEATURE_A), squares, events_in)
    return np.float64(totals[fixed(features, feature, FEATURE_A)])


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
def _deviation(totals: Words, sum_at: Any, squares_at: Any, count: Any) -> Any:
    """Return the sample standard deviation, from exact sums of values and of squares.

    With m the mean rounded down and r = sum - n m, the squared distances from m are exactly
    R = squares - m (sum + r), and those from the mean R - r^2 / n: no digits cancel but those of integers.
    """
    if count < 2:  # noqa: PLR2004, one value does not vary
        return math.nan
    total = totals[sum_at]
    floor = total // count
    rest = total - floor * count
    # Three sums of 36 bits each become two words.
    bits = np.uint64(SQUARE_BITS)
    low_word = np.uint64(totals[squares_at])
    high_word = np.uint64(0)
    middle = np.uint64(totals[squares_at + 1])
    low_word, carry = _add(low_word, middle << bits)
    high_word += carry + (middle >> np.uint64(64 - SQUARE_BITS))
    high_word += np.uint64(totals[squares_at + 2]) << np.uint64(2 * SQUARE_BITS - 64)
    other = total + rest
    product_high, product_low = _product(np.uint64(abs(floor)), np.uint64(abs(other)))
    if (floor < 0) == (other < 0):
        borrow = np.uint64(1) if low_word < product_low else np.uint64(0)
        low_word -= product_low
        high_word -= product_high + borrow
    else:
        low_word, carry = _add(low_word, product_low)
        high_word += product_high + carry
    if high_word == np.uint64(0) and low_word < np.uint64(_EXACT_MAX) and count < _EXACT_MAX:
        scaled = np.int64(low_word) * count - rest * rest
        return math.sqrt(np.float64(scaled) / np.float64(count) / np.float64(count - 1))
    around_floor = np.float64(high_word) * _TWO_64 + np.float64(low_word)
    around_mean = around_floor - np.float64(rest) * np.float64(rest) / np.float64(count)
    return math.sqrt(around_mean / np.float64(count - 1))


@kernel_part
def _add(left: Any, right: Any) -> tuple[Any, Any]:
    total = left + right
    return total, np.uint64(1) if total < left else np.uint64(0)


@kernel_part
def _product(left: Any, right: Any) -> tuple[Any, Any]:
    """Return the product of two words as two words, high and low."""
    left_high = left >> _HALF
    left_low = left & _HALF_MASK
    right_high = right >> _HALF
    right_low = right & _HALF_MASK
    low = left_low * right_low
    first = left_high * right_low + (low >> _HALF)
    second = left_low * right_high + (first & _HALF_MASK)
    high = left_high * right_high + (first >> _HALF) + (second >> _HALF)
    return high, (second << _HALF) | (low & _HALF_MASK)


@kernel_part
def _withhold(state: State, view: View, events: Events, item: int, purpose: int, out: Reals) -> int:
    """Turn what is told of parties without consent into missing values; return their id columns, as bits."""
    lacking = 0
    asked = 0
    for feature in range(len(view.subjects)):
        asked |= fixed(view.subjects, 0, feature)
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
    if lacking:
        for feature in range(len(view.subjects)):
            if fixed(view.subjects, 0, feature) & lacking:
                out[feature] = math.nan
    return lacking
