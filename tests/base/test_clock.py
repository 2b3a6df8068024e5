"""Clocks: live and simulated."""

from __future__ import annotations

import time

import pytest

from formicary.base.clock import Clock, LiveClock, SimulatedClock
from formicary.base.errors import ProgrammingError


def test_live_clock_tells_wall_time() -> None:
    """The live clock tells nanoseconds since the Unix epoch."""
    clock: Clock = LiveClock()
    before = time.time_ns()
    assert before <= clock.now() <= time.time_ns()


def test_simulated_clock_stands_still() -> None:
    """A simulated clock tells the same time until it is moved."""
    clock: Clock = SimulatedClock(5)
    assert [clock.now(), clock.now()] == [5, 5]


def test_simulated_clock_advances() -> None:
    """Advancing adds nanoseconds; by zero it may."""
    clock = SimulatedClock(5)
    clock.advance(7)
    clock.advance(0)
    assert clock.now() == 12


def test_simulated_clock_refuses_to_go_back_by_accident() -> None:
    """A negative duration is a bug and leaves the clock where it was."""
    clock = SimulatedClock(5)
    with pytest.raises(ProgrammingError, match="cannot advance by -1 ns"):
        clock.advance(-1)
    assert clock.now() == 5


def test_simulated_clock_can_be_set_back() -> None:
    """A clock that goes back is a fault one can ask for."""
    clock = SimulatedClock(5)
    clock.set(3)
    assert clock.now() == 3
