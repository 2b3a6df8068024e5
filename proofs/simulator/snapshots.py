"""Snapshots in memory: what the follower has written whole, and recovery from one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formicary.factory.engine.state import FactoryState
from proofs.simulator.dice import Dice, Fault

__all__ = ["Snapshot", "Snapshots"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The sections of a state, copied, and the files of ids that belong to it."""

    position: int
    sections: dict[str, Any]
    sealed: tuple[Path, ...]


class Snapshots:
    """Those that were written.

    Parameters
    ----------
    new_state
        Makes an empty state.
    dice
        Says which are lost, and which one a recovery finds.
    """

    def __init__(self, new_state: Callable[[], FactoryState], dice: Dice) -> None:
        self._new_state = new_state
        self._dice = dice
        self._written: list[Snapshot] = []
        self.restored = 0

    def write(self, state: FactoryState) -> None:
        """Write a snapshot, unless the writer dies over it: half a snapshot is none."""
        snapshot = self.take(state)
        if not self._dice.fault(Fault.SNAPSHOT_LOST):
            self._written.append(snapshot)

    def take(self, state: FactoryState) -> Snapshot:
        """Copy what a snapshot of a state holds."""
        sections = {name: array.copy() for name, array in state.sections().items()}
        return Snapshot(state.position, sections, tuple(state.machine.sealed.files))

    def recover(self) -> FactoryState:
        """Return a state to recover into: of any snapshot, often the latest, or empty."""
        state = self._new_state()
        choices = [None, *self._written[-3:]]
        snapshot = choices[-1] if self._dice.chance(0.6) else self._dice.random.choice(choices)
        if snapshot is not None:
            self.restored += 1
            state.restore(snapshot.sections, snapshot.sealed)
        return state
