"""What forests take, measured beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.models.forest import Forest

__all__ = ["Nanoseconds", "best_times"]

Reals: TypeAlias = npt.NDArray[np.float64]
Nanoseconds: TypeAlias = Callable[[], int]
"""Returns the time by some clock."""

_TURNS: Final = 9
_END: Final = 2**63 - 1


def best_times(forests: Sequence[Forest], values: Reals, clock: Nanoseconds) -> list[int]:
    """Return what each forest takes for rows (n, f) at best, in nanoseconds.

    By turns, as a machine's pace varies.
    """
    best = [_END] * len(forests)
    for _ in range(_TURNS):
        for place, forest in enumerate(forests):
            began = clock()
            forest.raw_scores(values)
            best[place] = min(best[place], clock() - began)
    return best
