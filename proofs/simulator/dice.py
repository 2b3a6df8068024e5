"""Chance and mischief, all of it from one seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Final

__all__ = ["Dice", "Fault"]

# Each seed takes only some of the kinds, often: all of them at once hide one another.
_SHARE_OF_KINDS: Final = 0.5
_RATES: Final = (0.02, 0.05, 0.1, 0.2)
# The journal is read far more often than anything else is tried.
_READ_RATE: Final = 0.3


class Fault(StrEnum):
    """What can happen to an engine, its journal, its clock and its callers."""

    APPEND_NOT_SENT = "append failed before it reached the journal"
    APPEND_ROLLED_BACK = "append rolled back"
    APPEND_ANSWER_LOST = "append committed, its answer lost"
    APPEND_LEFT_IN_FLIGHT = "append left in flight by a lost connection"
    APPEND_ENDED = "append in flight ended by a take-over"
    READ_FAILED = "read of the journal failed"
    CRASH_IN_APPEND = "engine killed in the middle of an append"
    CRASH_AFTER_APPEND = "engine killed after a commit, before its answers"
    CRASH = "engine killed between two steps"
    TAKE_OVER = "take-over by a second engine"
    CLOCK_FORWARD = "clock ten days forward"
    CLOCK_BACK = "clock back"
    REQUEST_LOST = "request lost"
    REQUEST_DOUBLED = "request delivered twice"
    ANSWER_LOST = "answer lost"
    LATE_RETRY = "retry of what was answered long ago"
    KEY_REUSED = "key reused with another body"
    SNAPSHOT_LOST = "killed while writing a snapshot"


class Dice:
    """One stream of chance; the same seed gives the same run.

    ``injected`` counts the faults by kind. While ``quiet`` is set there are none.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.injected: Counter[Fault] = Counter()
        self.quiet = False
        self._rates = {
            fault: self.random.choice(_RATES) if self.chance(_SHARE_OF_KINDS) else 0.0 for fault in Fault
        }
        self._rates[Fault.READ_FAILED] *= _READ_RATE

    def chance(self, probability: float) -> bool:
        """Tell whether something of this probability happens."""
        return self.random.random() < probability

    def fault(self, kind: Fault) -> bool:
        """Tell whether a fault happens now, and count it."""
        if self.quiet or not self.chance(self._rates[kind]):
            return False
        self.injected[kind] += 1
        return True

    def one_of(self, kinds: Sequence[Fault]) -> Fault | None:
        """Choose and count one of the kinds that this seed takes; None if it takes none of them."""
        taken = [kind for kind in kinds if self._rates[kind]]
        if self.quiet or not taken:
            return None
        chosen = self.random.choice(taken)
        self.injected[chosen] += 1
        return chosen
