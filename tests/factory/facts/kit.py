"""A factory that takes facts down, on a journal in memory, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.reads import read_aggregates
from formicary.factory.engine.requests import ReadRequest, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.journal.events import Event
from tests.factory.engine.null_journal import NullJournal

__all__ = ["SOURCE", "START", "Archive", "hexed", "told"]

START = 1_700_000_000 * 10**9
SOURCE = 2**127 + 5


def hexed(value: int) -> str:
    """Return an id as commands hold it."""
    return f"{value:032x}"


def told(**columns: Any) -> RecordFacts:
    """Return a command that tells two labels, but for the columns that are given."""
    two: dict[str, Any] = {
        "kind": "label",
        "at": [5, 6],
        "ids": {"payment": [hexed(2**127 + 1), hexed(2)]},
        "numbers": {"is_fraud": [0, 1]},
        "reals": {"share": [0.5, -0.0]},
    }
    return RecordFacts(subject=SOURCE, **(two | columns))


class Archive:
    """An engine with the product of facts, its journal and its clock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = Engine(self.journal, self._new_state, self.clock)
        self.engine.recover()
        self._commands = 0

    def records(self, command: RecordFacts) -> str:
        """Carry out a command; return the code of its refusal, or nothing."""
        self._commands += 1
        request = command_request(
            FACTS_PRODUCT.name, command, principal="source", key=f"command {self._commands}"
        )
        receipt: Receipt = self.engine.execute([request])[0]
        return receipt.code

    def events(self) -> list[Event]:
        """Return the events of facts in the journal."""
        events = [event for batch in self.journal.batches for event in batch.events]
        return [event for event in events if event.kind == "facts.FactsRecorded"]

    def source(self) -> dict[str, Any] | None:
        """Return what is known of the source, or None."""
        found: dict[str, Any] | None = self.engine.execute(
            [ReadRequest(read_aggregates(FACTS_PRODUCT.name, [SOURCE]))]
        )[0][0]
        return found

    def require_refolds(self) -> None:
        """Fold the journal alone: it gives the state that the engine has."""
        fresh = self._new_state()
        for block in self.journal.read(after=0, until=self.journal.take_over().position):
            rows = (block.accounts, block.transfers, block.events)
            fresh.fold(*rows, until=block.until, decisions=block.decisions)
        assert fresh.state_hash == self.engine.state.state_hash

    def _new_state(self) -> FactoryState:
        return FactoryState(self._folder, [FACTS_PRODUCT])
