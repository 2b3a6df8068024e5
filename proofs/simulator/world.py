"""One simulated world: two engines, one journal, a few callers, and a seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from formicary.factory.engine.state import FactoryState
from proofs.simulator.auditor import Auditor
from proofs.simulator.callers import Callers
from proofs.simulator.dice import Dice, Fault
from proofs.simulator.model import Model
from proofs.simulator.network import Answer, Network
from proofs.simulator.node import Group, Node
from proofs.simulator.operations import Message, Operation
from proofs.simulator.parts import Parts
from proofs.simulator.snapshots import Snapshots
from proofs.simulator.store import Transaction
from proofs.simulator.violations import require
from tests.factory.engine.example_product import ESCROW_PRODUCT

__all__ = ["START", "World"]

START: Final = 1_700_000_000 * 10**9
"""When every world begins, in nanoseconds."""

_CALLERS: Final = 3
# Short histories end in many ways; long ones outlive what is kept in memory.
_OPERATIONS: Final = (5, 8, 36)
# The small one makes ids leave memory early, the large one never.
_GENERATION_ROWS: Final = (20, 20, 20, 1 << 10)
# Rows that are not committed must not leave memory; a real generation holds a hundred batches.
_UNCOMMITTED_TRANSFERS_MAX: Final = 12


class World:
    """Everything that there is, and what happens at its seams.

    Parameters
    ----------
    seed
        All that happens follows from it.
    folder
        For the ids that leave memory.
    parts
        The engine under test, or one with a bug planted in it.
    """

    def __init__(self, seed: int, folder: Path, parts: Parts) -> None:
        self.dice = Dice(seed)
        self._trace: list[tuple[str, tuple[object, ...]]] = []
        self.on_pause: Callable[[], None] = _go_on
        self._folder = folder
        self._parts = parts
        self.has_model = parts.has_model
        self._generation_rows = self.dice.random.choice(_GENERATION_ROWS)
        self.model = Model()
        self._decided: dict[int, Group] = {}
        self.store = parts.store(self._committed, lambda: self.dice.chance(0.5))
        self.auditor = Auditor(self.honest_state())
        self.snapshots: Snapshots = parts.snapshots(self._new_state, self.dice)
        self.network = Network(self.dice)
        self.callers = Callers(self.dice, count=_CALLERS, operations_max=self.dice.random.choice(_OPERATIONS))
        self.nodes = [self._new_node(name) for name in ("first", "second")]
        self.newest = self.nodes[0]

    def say(self, text: str, *values: object) -> None:
        """Add a line to the trace; it is put together only if someone reads it."""
        self._trace.append((text, values))

    def trace(self) -> list[str]:
        """Return what happened so far."""
        return [text % values for text, values in self._trace]

    def honest_state(self) -> FactoryState:
        """Return an empty state without any planted bug, for those who check."""
        return FactoryState(self._folder, [ESCROW_PRODUCT], generation_rows=self._generation_rows)

    # -- callers ---------------------------------------------------------------------------

    def send(self, operation: Operation) -> None:
        """Put an operation on its way to some engine."""
        self.say("caller sends: %s", operation.name)
        self.network.send(Message(operation, self.callers.acknowledged))

    def deliver(self) -> None:
        """Bring some request to an engine, if it is up."""
        message = self.network.next_request()
        node = self.newest if self.dice.chance(0.85) else self.dice.random.choice(self.nodes)
        if node.is_running:
            node.inbox.append(message)

    def receive(self) -> None:
        """Bring some answer to its caller."""
        answer = self.network.next_answer()
        self.say("caller learns: %s: %s", answer.operation.name, answer.content)
        self.callers.receive(answer.operation, answer.content, answer.position)

    # -- engines ---------------------------------------------------------------------------

    def start(self, node: Node) -> None:
        """Let an engine take over, unless it has to wait for an append in flight."""
        in_flight = self.store.in_flight
        if in_flight is not None and not in_flight.is_abandoned:
            if not self.dice.fault(Fault.APPEND_ENDED):
                return
            self.store.roll_back(in_flight)
        if node.start():
            self.newest = node
        self.say("%s takes over, epoch %s: running %s", node.name, self.store.epoch, node.is_running)

    def crash(self, node: Node) -> None:
        """Kill an engine."""
        self.say("%s is killed", node.name)
        node.crash()

    def set_clocks(self, now: int) -> None:
        """Set the clocks of all engines, in nanoseconds."""
        for node in self.nodes:
            node.clock.set(now)

    def _new_node(self, name: str) -> Node:
        return self._parts.node(
            name,
            journal=lambda: self._parts.journal(self.store, self.dice, self._pause),
            new_state=self.snapshots.recover,
            committed_model=lambda: self.model,
            decided=self._note_decided,
            answer=self.answer,
            has_model=self.has_model,
        )

    def _new_state(self) -> FactoryState:
        return self._parts.state(self._folder, [ESCROW_PRODUCT], generation_rows=self._generation_rows)

    def _pause(self) -> None:
        self.on_pause()

    # -- what is decided, committed, answered ----------------------------------------------

    def _note_decided(self, group: Group) -> None:
        batch = group.decided.batch
        if batch is not None:
            self._decided[id(batch)] = group

    def _committed(self, transaction: Transaction) -> None:
        batch = transaction.batch
        self.say("commit of %s to %s, epoch %s", batch.first, batch.last, transaction.lease.epoch)
        self.auditor.committed(batch)
        group = self._decided.get(id(transaction.source))
        if group is None:
            self.model = self.model.fork()
            self.model.activate(batch)
        else:
            self.model = group.model

    def answer(self, group: Group) -> None:
        """Give the answers of a group, which must be in the journal."""
        commit = self.store.commit_at(group.position)
        if group.decided.batch is not None:
            is_committed = commit is not None and commit.source is group.decided.batch
        else:
            is_committed = commit is None or commit.batch.state_hash == group.state_hash
        require(is_committed, "no answer before its commit", f"at position {group.position}")
        for message, content in zip(group.messages, group.decided.answers, strict=True):
            if message.operation.name == "read":
                fresh = group.position >= message.acknowledged
                require(
                    fresh, "a read sees what was acknowledged", f"{group.position} < {message.acknowledged}"
                )
            self.network.reply(Answer(message.operation, content, group.position))


def _go_on() -> None:
    """Do nothing in the middle of an append."""
