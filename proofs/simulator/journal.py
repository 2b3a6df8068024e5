"""The simulated journal: what one engine's connection to the database is like on a bad day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.state import ANSWERED
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.errors import BatchRejected, Fenced, JournalUnavailable
from formicary.factory.journal.events import Event
from formicary.factory.journal.takeover import Lease
from proofs.simulator.dice import Dice, Fault
from proofs.simulator.store import Store, Transaction
from proofs.simulator.violations import require

__all__ = ["Crashed", "SimulatedJournal"]


class Crashed(Exception):
    """The engine's process was killed at this point."""


class SimulatedJournal:
    """An ``EngineJournal`` in memory that fails as real ones do.

    Parameters
    ----------
    store
        The database, shared by all engines.
    dice
        Says what fails.
    pause
        Lets others run in the middle of an append.
    """

    def __init__(self, store: Store, dice: Dice, pause: Callable[[], None]) -> None:
        self._store = store
        self._dice = dice
        self._pause = pause
        self._lease: Lease | None = None

    def take_over(self) -> Lease:
        """Become the one writer; the answer may be lost after the epoch was raised."""
        lease = self._store.take_over()
        self._may_fail(Fault.READ_FAILED)
        self._lease = lease
        return lease

    def append(self, batch: Batch) -> None:
        """Commit a batch, or raise with the outcome known or unknown, or die."""
        lease = self._require_lease(batch)
        self._lease = None
        self._pause()
        self._may_fail(Fault.APPEND_NOT_SENT)
        transaction = self._begin(lease, batch)
        self._pause()
        self._end(transaction)
        self._lease = Lease(epoch=lease.epoch, position=batch.last)

    def confirm(self) -> None:
        """Raise ``Fenced`` unless this engine still owns the journal: asked before reads are answered."""
        self._may_fail(Fault.READ_FAILED)
        if self._lease is None or self._lease.epoch != self._store.epoch:
            raise Fenced

    def read(self, *, after: int, until: int) -> Iterator[Block]:
        """Yield the rows in blocks that are cut anywhere."""
        cuts = [after]
        while cuts[-1] < until:
            cuts.append(min(until, cuts[-1] + self._dice.random.choice((1, 3, 10, 100))))
        for block in self._store.blocks(cuts):
            self._may_fail(Fault.READ_FAILED)
            yield block

    def transfers_at(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return committed transfers."""
        self._may_fail(Fault.READ_FAILED)
        return self._store.transfers_at(positions)

    def caused_by(self, command_ids: Sequence[int], *, kind: str) -> Mapping[int, Event]:
        """Return the committed events of a kind by the commands that caused them."""
        self._may_fail(Fault.READ_FAILED)
        require(kind == ANSWERED, "the engine looks up answers only", kind)
        return self._store.receipts(command_ids)

    def _begin(self, lease: Lease, batch: Batch) -> Transaction:
        return self._store.begin(lease, batch)

    def _require_lease(self, batch: Batch) -> Lease:
        if self._lease is None or batch.first != self._lease.position + 1:
            message = f"no lease to append from position {batch.first}"
            raise BatchRejected(message)
        return self._lease

    def _may_fail(self, fault: Fault) -> None:
        if self._dice.fault(fault):
            raise JournalUnavailable(fault)

    def _end(self, transaction: Transaction) -> None:
        if transaction.is_ended:
            raise JournalUnavailable(Fault.APPEND_ENDED)
        if self._dice.fault(Fault.CRASH_IN_APPEND):
            transaction.is_abandoned = True
            raise Crashed
        if self._dice.fault(Fault.APPEND_LEFT_IN_FLIGHT):
            transaction.is_abandoned = True
            raise JournalUnavailable(Fault.APPEND_LEFT_IN_FLIGHT)
        if self._dice.fault(Fault.APPEND_ROLLED_BACK):
            self._store.roll_back(transaction)
            raise JournalUnavailable(Fault.APPEND_ROLLED_BACK)
        self._store.commit(transaction)
        if self._dice.fault(Fault.CRASH_AFTER_APPEND):
            raise Crashed
        self._may_fail(Fault.APPEND_ANSWER_LOST)
