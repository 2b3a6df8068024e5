"""The hash of all rows that still tell something, the same wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import fixed, kernel
from formicary.factory.features._layout import NOW, ROW_LATEST, ROW_TABLE, USED, Plan, State
from formicary.factory.features._rows import spread

__all__ = ["rows_hash"]


@kernel
def rows_hash(state: State, plan: Plan) -> Any:
    """Return the sum of the rows' hashes; one that tells nothing any more counts as dropped."""
    words = state.words
    total = np.uint64(0)
    row = 0
    while row < state.numbers[USED]:
        table = words[row + ROW_TABLE]
        end = row + fixed(plan.template_bounds, 0, table + 1) - fixed(plan.template_bounds, 0, table)
        horizon = fixed(plan.horizons, 0, table)
        if horizon < 0 or words[row + ROW_LATEST] + horizon >= state.numbers[NOW]:
            row_hash = np.uint64(0)
            for word in range(row, end):
                row_hash = spread(row_hash, words[word], 0)
            total += row_hash
        row = end
    return total
