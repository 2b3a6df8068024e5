"""One engine's process: an inbox, the engine, and at most one group decided ahead of the commit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.core import Decided
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.errors import Fenced, JournalUnavailable
from proofs.simulator.comparison import compare_answers, compare_rows
from proofs.simulator.journal import Crashed, SimulatedJournal
from proofs.simulator.model import Model
from proofs.simulator.operations import Message
from proofs.simulator.violations import require, violate

__all__ = ["Group", "Node"]

_GROUPS_MAX: Final = 2
# Generations are tiny here, and rows must not leave memory uncommitted; a real one holds a hundred batches.
_UNCOMMITTED_MAX: Final = 12
_ROOM_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Group:
    """A decided group that waits for its commit; ``model`` is the model after it."""

    decided: Decided
    messages: tuple[Message, ...]
    model: Model
    position: int
    state_hash: int


class Node:
    """An engine that callers can reach.

    Parameters
    ----------
    name
        What the trace calls it.
    journal
        Makes a connection to the journal.
    new_state
        Makes the state to recover into.
    committed_model
        Returns the model as of the last commit.
    decided
        Told of every group that was decided.
    answer
        Gives the answers of a group that was committed.
    has_model
        Whether everything is compared with the model.
    """

    def __init__(
        self,
        name: str,
        *,
        journal: Callable[[], SimulatedJournal],
        new_state: Callable[[], FactoryState],
        committed_model: Callable[[], Model],
        decided: Callable[[Group], None],
        answer: Callable[[Group], None],
        has_model: bool,
    ) -> None:
        self.name = name
        self.clock = SimulatedClock(0)
        self.inbox: deque[Message] = deque()
        self.groups: deque[Group] = deque()
        self.is_running = False
        self._connect = journal
        self._new_state = new_state
        self._committed_model = committed_model
        self._decided = decided
        self._answer = answer
        self._has_model = has_model
        self._engine: Engine | None = None
        self._model = Model()

    @property
    def state(self) -> FactoryState:
        """The engine's state."""
        return self._process().state

    # -- life and death --------------------------------------------------------------------

    def start(self) -> bool:
        """Take the journal over, as a new process or after a fault; tell whether it went well."""
        self.groups.clear()
        if self._engine is None:
            self._engine = Engine(self._connect(), self._new_state, self.clock)
        try:
            position = self._engine.recover()
        except JournalUnavailable:
            return False
        except (Fenced, Crashed):
            self.crash()
            return False
        self._model = self._committed_model().fork(recovered=True)
        if self._has_model:
            require(position == self._model.position, "recovery reads the whole journal", f"{position} rows")
        self.is_running = True
        return True

    def crash(self) -> None:
        """Lose everything that is in memory."""
        self._engine = None
        self._stop()
        self.inbox.clear()

    def _stop(self) -> None:
        self.is_running = False
        self.groups.clear()

    # -- steps -----------------------------------------------------------------------------

    @property
    def can_decide(self) -> bool:
        """Whether it may decide: at most one group is ahead of the one that is being committed."""
        has_room = len(self.groups) < _GROUPS_MAX and self._uncommitted_transfers <= _ROOM_AHEAD
        return self.is_running and has_room

    @property
    def _uncommitted_transfers(self) -> int:
        batches = [group.decided.batch for group in self.groups]
        return sum(len(batch.transfers) for batch in batches if batch is not None)

    def run_timers(self) -> bool:
        """Run one batch of what is due; tell whether there was anything."""
        now = self.clock.now()
        try:
            decided = self._process().run_timers()
        except JournalUnavailable:
            self._stop()
            return False
        model = self._model.fork()
        if decided is None:
            due = model.next_due()
            require(
                not self._has_model or due is None or due > now, "what is due runs", f"{due} is due at {now}"
            )
            return False
        if self._has_model:
            model.run_timers(0 if decided.batch is None else len(decided.batch))
        self._keep(decided, (), model)
        return True

    def decide(self, requests_max: int) -> None:
        """Decide what has come in, up to so many requests."""
        messages = tuple(self.inbox.popleft() for _ in range(min(requests_max, len(self.inbox))))
        now = self.clock.now()
        try:
            decided = self._process().decide([message.operation.request for message in messages])
        except JournalUnavailable:
            self._stop()
            return
        model = self._model.fork()
        if self._has_model:
            # The answers of commands are also looked up in the journal, where a newer engine may write.
            model.receipts = self._committed_model().receipts | model.receipts
            expected = model.decide([message.operation.question for message in messages], now)
            compare_answers(decided.answers, expected)
        self._keep(decided, messages, model)

    def _keep(self, decided: Decided, messages: tuple[Message, ...], model: Model) -> None:
        if self._has_model:
            compare_rows(decided.batch, model.books.rows[self._model.position :])
        self._model = model
        state = self.state
        group = Group(decided, messages, model, state.position, state.state_hash)
        self._decided(group)
        self.groups.append(group)
        waiting = self._uncommitted_transfers
        require(waiting <= _UNCOMMITTED_MAX, "the simulated world itself has room", f"for {waiting} rows")

    def commit(self) -> None:
        """Commit the first of the decided groups, then give its answers."""
        group = self.groups[0]
        try:
            self._commit(group)
        except (Fenced, Crashed):
            # A deposed engine must not go on: its process ends.
            self.crash()
        except JournalUnavailable:
            self._stop()
        else:
            self.groups.popleft()
            self._answer(group)

    def _commit(self, group: Group) -> None:
        self._process().commit(group.decided)

    def _process(self) -> Engine:
        if self._engine is None:
            violate("only an engine that runs is asked", self.name)
        return self._engine
