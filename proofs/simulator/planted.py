"""Bugs to plant: each takes away one thing that the engine or its journal is careful about.

A simulator that never failed proves nothing; every one of these has to be found within a few seeds.
They are put in from outside, so nothing of them is in the product.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from formicary.factory.engine.state import TIMER_FIRED, FactoryState
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.errors import Fenced
from formicary.factory.journal.events import Event
from formicary.factory.journal.takeover import Lease
from formicary.factory.ledger import LedgerMachine
from proofs.simulator.journal import SimulatedJournal
from proofs.simulator.node import Group, Node
from proofs.simulator.parts import Parts
from proofs.simulator.planted_machines import FloorlessMachine, StaleIdsMachine
from proofs.simulator.snapshots import Snapshot, Snapshots
from proofs.simulator.store import Store, Transaction

__all__ = ["PLANTED"]


class _HastyNode(Node):
    """Answers what it has decided, then commits it."""

    def _keep(self, *arguments: Any) -> None:
        super()._keep(*arguments)
        self._answer(self.groups[-1])


class _DefiantNode(Node):
    """Answers although it was fenced: the answer looks the same to the caller."""

    def _commit(self, group: Group) -> None:
        try:
            super()._commit(group)
        except Fenced:
            self._answer(group)
            raise


class _UnlockedJournal(SimulatedJournal):
    """Reads the epoch, finds it unchanged, and writes: a take-over fits between the two."""

    def append(self, batch: Batch) -> None:
        """Append behind a fence that nobody holds."""
        if self._lease is not None and self._lease.epoch != self._store.epoch:
            raise Fenced
        super().append(batch)

    def _begin(self, lease: Lease, batch: Batch) -> Transaction:
        self._store.settle()
        return self._store.open(lease, batch)


class _TrustingJournal(SimulatedJournal):
    """Lets reads be answered without looking whether a newer engine owns the journal."""

    def confirm(self) -> None:
        """Confirm whatever is so."""


class _ForgetfulJournal(SimulatedJournal):
    """Does not find the answers that left the engine's memory."""

    def caused_by(self, *_: Any, **__: Any) -> dict[int, Event]:
        """Find nothing."""
        return {}


class _TailFirstStore(Store):
    """Reads the tail, then adds to the epoch: an append in flight lands between the two."""

    def take_over(self) -> Lease:
        """Return a lease that may lack the last batch."""
        position = self.position
        return Lease(epoch=super().take_over().epoch, position=position)


class _MachineOf:
    """Gives a state another machine."""

    machine_type: type[LedgerMachine]

    def __init__(self, folder: Path, *arguments: Any, generation_rows: int) -> None:
        super().__init__(folder, *arguments, generation_rows=generation_rows)  # type: ignore[call-arg]
        self.machine = self.machine_type(folder, generation_rows=generation_rows)


class _FloorlessState(_MachineOf, FactoryState):
    machine_type = FloorlessMachine


class _StaleIdsState(_MachineOf, FactoryState):
    machine_type = StaleIdsMachine


class _ForgetfulTimers(FactoryState):
    """Forgets in recovery which timers have fired."""

    _is_folding = False

    def fold(self, *arguments: Any, **options: Any) -> None:
        """Fold, but leave every timer set."""
        self._is_folding = True
        super().fold(*arguments, **options)
        self._is_folding = False

    def _apply_own(self, event: Event) -> None:
        if not (self._is_folding and event.kind == TIMER_FIRED):
            super()._apply_own(event)


class _OffByOneSnapshots(Snapshots):
    """Writes snapshots that claim one row less than they hold."""

    def take(self, state: FactoryState) -> Snapshot:
        """Copy a state under the position before its own."""
        snapshot = super().take(state)
        snapshot.sections["ledger.scalars"]["position"] -= 1
        return snapshot


class _SnapshotsWithoutIds(Snapshots):
    """Recovers without the files of the ids that left memory."""

    def take(self, state: FactoryState) -> Snapshot:
        """Copy a state, but not the files that belong to it."""
        snapshot = super().take(state)
        return Snapshot(snapshot.position, snapshot.sections, ())


PLANTED: Final[dict[str, Parts]] = {
    "answer_before_commit": Parts(node=_HastyNode),
    "missing_floor_check": Parts(state=_FloorlessState),
    "epoch_read_without_lock": Parts(journal=_UnlockedJournal),
    "id_checked_outside_step": Parts(state=_StaleIdsState),
    "timer_fired_twice": Parts(state=_ForgetfulTimers),
    "tail_read_before_epoch": Parts(store=_TailFirstStore),
    "answer_after_fenced": Parts(node=_DefiantNode),
    "read_without_fence": Parts(journal=_TrustingJournal),
    "receipt_lost": Parts(journal=_ForgetfulJournal),
    "snapshot_one_row_off": Parts(snapshots=_OffByOneSnapshots),
    "sealed_ids_lost": Parts(snapshots=_SnapshotsWithoutIds),
}
"""Every planted bug by its name."""
