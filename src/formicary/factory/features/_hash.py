"""The hash of all rows that still tell something, the same wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part, tail
from formicary.factory.features._entries import entry_of, length_of, ring_of
from formicary.factory.features._layout import (
    NOW,
    RING_OFFSET,
    RING_PLACE,
    ROW_LATEST,
    ROW_TABLE,
    USED,
    Plan,
    State,
)
from formicary.factory.features._rows import spread

__all__ = ["rows_hash"]


@kernel
def rows_hash(state: State, plan: Plan) -> Any:
    """Return the sum of the rows' hashes; a row that tells nothing any more counts like one dropped."""
    words = state.words
    total = np.uint64(0)
    row = 0
    while row < state.numbers[USED]:
        table = words[row + ROW_TABLE]
        horizon = fixed(plan.horizons, 0, table)
        if horizon < 0 or words[row + ROW_LATEST] + horizon >= state.numbers[NOW]:
            total += _row_hash(state, plan, row, table)
        row += fixed(plan.row_words, 0, table)
    return total


@kernel_part
def _row_hash(state: State, plan: Plan, row: int, table: int) -> Any:
    words = state.words
    row_hash = np.uint64(0)
    length = fixed(plan.template_bounds, 0, table + 1) - fixed(plan.template_bounds, 0, table)
    number_of_ring = fixed(plan.table_rings, 0, table)
    end = fixed(plan.table_rings, 0, table + 1)
    for word in range(length):
        if number_of_ring < end and word == fixed(plan.rings, number_of_ring, RING_OFFSET) + RING_PLACE:
            # Where the entries are is not what they are.
            number_of_ring += 1
        else:
            row_hash = spread(row_hash, words[row + word], 0)
    for number_of_ring in range(fixed(plan.table_rings, 0, table), end):
        ring = ring_of(plan, number_of_ring)
        held = tail(words, row + ring.offset)
        for number in range(length_of(held)):
            entry = tail(state.entries, entry_of(held, ring, number))
            for word in range(1 + ring.sums + ring.extremes):
                row_hash = spread(row_hash, entry[word], 0)
    return row_hash
