"""The quality of what is told online, as it is told: a running report in bounded memory."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import OBSERVED_ROWS
from formicary.factory.features.compiler import CompiledView
from formicary.factory.features.durations import HOUR
from formicary.factory.features.quality.report import QualityReport, profile
from formicary.factory.features.store import Values

__all__ = ["OBSERVED_SPAN", "Observed"]

OBSERVED_SPAN: Final = HOUR
"""Nanoseconds of a span that is counted together: long enough for the quantiles of a quiet set, short enough
that an accident is seen the same hour."""


class Observed:
    """What a set was told as in this span of time and the one before.

    Spans go by the time of asking. Readings wait in an array until it is full, or until somebody asks, so
    that noting one costs the copy of a row.
    """

    def __init__(self, view: CompiledView) -> None:
        self._view = view
        self._values = np.empty((OBSERVED_ROWS, len(view.names)))
        self._seconds = np.empty((OBSERVED_ROWS, len(view.view.lookups)))
        self._withheld = np.empty(OBSERVED_ROWS, np.int64)
        self._waiting = 0
        self._span = 0
        self._current = self._before = self._none = self._profile()

    def note(self, values: Values, seconds: npt.NDArray[np.float64], *, at: int) -> None:
        """Count one reading (1, f) with the ages of its rows (1, look-ups), asked at a time in nanoseconds.

        A time before the latest span counts in that span.
        """
        span = at // OBSERVED_SPAN
        if span > self._span:
            self._fold()
            self._before = self._current if span == self._span + 1 else self._none
            self._current = self._none
            self._span = span
        elif self._waiting == OBSERVED_ROWS:
            self._fold()
        self._values[self._waiting] = values.values[0]
        self._seconds[self._waiting] = seconds[0]
        self._withheld[self._waiting] = values.withheld[0]
        self._waiting += 1

    def report(self) -> QualityReport:
        """Return the report of this span and the one before."""
        self._fold()
        return self._before.merge(self._current)

    def _fold(self) -> None:
        if self._waiting:
            self._current = self._current.merge(self._profile())
            self._waiting = 0

    def _profile(self) -> QualityReport:
        told = Values(
            names=self._view.names,
            values=self._values[: self._waiting],
            withheld=self._withheld[: self._waiting],
            subjects=self._view.subjects,
        )
        return profile(self._view, told, self._seconds[: self._waiting])
