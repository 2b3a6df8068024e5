"""The hash of all rows that still tell something, the same wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import fixed, kernel, kernel_part
from formicary.factory.features._layout import (
    NOW,
    RING_LENGTH,
    RING_OFFSET,
    RING_STRIDE,
    ROW_LATEST,
    ROW_TABLE,
    USED,
    Plan,
    State,
)
from formicary.factory.features._rings import entry_of
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
    for word in range(length):
        row_hash = spread(row_hash, words[row + word], 0)
    for ring in range(fixed(plan.table_rings, 0, table), fixed(plan.table_rings, 0, table + 1)):
        entries = words[row + fixed(plan.rings, ring, RING_OFFSET) + RING_LENGTH]
        for number in range(entries):
            entry = entry_of(words, plan.rings, ring, row, number)
            for word in range(fixed(plan.rings, ring, RING_STRIDE)):
                row_hash = spread(row_hash, words[entry + word], 0)
    return row_hash
