"""Time as an argument: whoever needs it is given a clock.

All times are nanoseconds since the Unix epoch, as integers. ``LiveClock`` is the only place
that reads the wall clock; everything below the surfaces is handed a ``Clock``, so that a
run can be repeated to the nanosecond.
"""

from __future__ import annotations

import time
from typing import Protocol

from formicary.base.errors import ProgrammingError

__all__ = ["Clock", "LiveClock", "SimulatedClock"]


class Clock(Protocol):
    """Tells the time; it may stand still or go back, as wall clocks do."""

    def now(self) -> int:
        """Return the time in nanoseconds since the Unix epoch."""
        ...


class LiveClock:
    """The machine's wall clock."""

    __slots__ = ()

    def now(self) -> int:
        """Return the wall time in nanoseconds since the Unix epoch."""
        return time.time_ns()


class SimulatedClock:
    """A clock that moves only when told to.

    Parameters
    ----------
    start_ns
        The first time it tells, in nanoseconds since the Unix epoch.
    """

    __slots__ = ("_now_ns",)

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now(self) -> int:
        """Return the simulated time in nanoseconds since the Unix epoch."""
        return self._now_ns

    def advance(self, duration_ns: int) -> None:
        """Go forward by ``duration_ns`` nanoseconds; a negative duration is a ``ProgrammingError``."""
        if duration_ns < 0:
            message = f"a clock cannot advance by {duration_ns} ns; set() simulates one that goes back"
            raise ProgrammingError(message)
        self._now_ns += duration_ns

    def set(self, time_ns: int) -> None:
        """Jump to ``time_ns``, also back: faults of real clocks are simulated with it."""
        self._now_ns = time_ns
