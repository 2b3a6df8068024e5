"""Weeks as early warning counts them: from Monday to Sunday in UTC."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["monday_of", "week_of"]

Week = TypeVar("Week", int, npt.NDArray[np.int64])

_WEEK_DAYS: Final = 7
# 1970-01-01 was a Thursday.
_THURSDAY: Final = 3


def week_of(day: int) -> int:
    """Return the week of a day, both since 1970-01-01; weeks begin on Mondays."""
    return (day + _THURSDAY) // _WEEK_DAYS


def monday_of(week: Week) -> Week:
    """Return the first day of a week, or of weeks (n,)."""
    return week * _WEEK_DAYS - _THURSDAY
