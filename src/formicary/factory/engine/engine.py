"""The engine: one writer, one step at a time, an answer only after its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from formicary.base.clock import Clock
from formicary.factory.engine.context import OldRows
from formicary.factory.engine.core import Core, Decided
from formicary.factory.engine.requests import EngineStopped, Request
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.batch import Batch

__all__ = ["Engine", "EngineJournal"]


class EngineJournal(OldRows, Protocol):
    """What the engine needs of a journal."""

    def take_over(self) -> Any:
        """Become the one writer; return the lease, whose ``position`` is the tail."""

    def append(self, batch: Batch) -> None:
        """Commit a batch, or raise."""

    def confirm(self) -> None:
        """Return if this is still the one writer, or raise."""

    def read(self, *, after: int, until: int) -> Iterable[Any]:
        """Return the blocks of rows in ``(after, until]``."""


class Engine:
    """One writer over one journal.

    ``execute`` is the whole step: timers, decide, append, answers. ``decide`` and ``release`` are
    its two halves for a caller that appends elsewhere (the engine's process, with a commit thread).

    Parameters
    ----------
    journal
        Where decided rows go, and where state comes from.
    new_state
        Makes the state to recover into: empty, or that of a snapshot.
    clock
        Stamps what is decided.
    """

    def __init__(self, journal: EngineJournal, new_state: Callable[[], FactoryState], clock: Clock) -> None:
        self._journal = journal
        self._new_state = new_state
        self._clock = clock
        self._core: Core | None = None

    @property
    def state(self) -> FactoryState:
        """The state; it is ahead of the journal while a batch is being committed.

        Raises
        ------
        EngineStopped
            Not recovered yet, or failed: ``recover`` first.
        """
        return self._running().state

    @property
    def clock(self) -> Clock:
        """The clock that stamps."""
        return self._clock

    def recover(self) -> int:
        """Take the journal over and rebuild the state from it; return its position.

        Recorded outcomes are applied, nothing is decided again.
        """
        self._core = None
        lease = self._journal.take_over()
        state = self._new_state()
        for block in self._journal.read(after=state.position, until=lease.position):
            rows = (block.accounts, block.transfers, block.events)
            state.fold(*rows, until=block.until, decisions=block.decisions)
            state.fold_features(*rows, until=block.until)
        self._core = core = Core(state, self._journal)
        for activate in (core.activate_semantics, core.activate_features):
            with self._fail_stop():
                activation = activate(self._clock.now())
            if activation is not None:
                self.commit(activation)
        return state.position

    def execute(self, requests: Sequence[Request]) -> list[Any]:
        """Run what is due, decide requests, commit, and return their answers in order.

        Raises
        ------
        OperationalFault
            The commit failed: the outcome is unknown, the state is dropped, ``recover`` is next.
        """
        while (timers := self.run_timers()) is not None:
            self.commit(timers)
        decided = self.decide(requests)
        self.commit(decided)
        return decided.answers

    def run_timers(self) -> Decided | None:
        """Run one batch of the timers that are due; None if none is."""
        core = self._running()
        with self._fail_stop():
            return core.run_timers(self._clock.now())

    def decide(self, requests: Sequence[Request]) -> Decided:
        """Decide requests on the state ahead of the journal; nobody may see the answers yet."""
        core = self._running()
        with self._fail_stop():
            return core.decide(requests, self._clock.now())

    def commit(self, decided: Decided) -> None:
        """Append what was decided; on any error stop, since state is ahead of a journal that may lack it."""
        if decided.batch is None and not decided.answers:
            return
        with self._fail_stop():
            if decided.batch is None:
                # A deposed engine would answer reads from a state that others have gone on from.
                self._journal.confirm()
            else:
                self._journal.append(decided.batch)

    def stop(self) -> None:
        """Drop the state; only ``recover`` brings the engine back."""
        self._core = None

    @contextmanager
    def _fail_stop(self) -> Iterator[None]:
        # Whatever interrupts a step leaves state that no journal vouches for.
        core, self._core = self._core, None
        yield
        self._core = core

    def _running(self) -> Core:
        if self._core is None:
            raise EngineStopped
        return self._core
