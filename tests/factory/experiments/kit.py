"""An engine with experiments on a journal in memory, and documents, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.clock import SimulatedClock
from formicary.base.lots import LOTS
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.experiments import (
    EXPERIMENTS_PRODUCT,
    NAME,
    Cause,
    DefineExperiment,
    StartExperiment,
    StopExperiment,
    experiment_id,
)
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import MemorySource, source_of

__all__ = ["DAY_NS", "START", "Lab", "define", "document_of", "ids", "start", "stop"]

START = 1_700_000_000 * 10**9
DAY_NS = 86_400 * 10**9

_GOAL = "{name: orders, kind: proportion, column: ordered, good: up}"


def document_of(name: str = "short_form", *, metrics: str = _GOAL, **changed: Any) -> str:
    """Return a document, but for the fields that are given; one that is None is not there."""
    fields: dict[str, Any] = {
        "experiment": name,
        "layer": "checkout",
        "hypothesis": "Fewer fields, more orders.",
        "lots": f"{{first: 0, count: {LOTS // 2}}}",
        "arms": "{control: 1, short: 1}",
        "planned_parties": 2_000,
        "metrics": f"[{metrics}]",
    }
    fields |= changed
    return "".join(f"{field}: {value}\n" for field, value in fields.items() if value is not None)


def define(name: str = "short_form", **changed: Any) -> DefineExperiment:
    """Return the command that defines an experiment."""
    document = document_of(name, **changed)
    return DefineExperiment(subject=experiment_id(name), experiment=name, document=document)


def start(name: str = "short_form") -> StartExperiment:
    """Return the command that starts it."""
    return StartExperiment(subject=experiment_id(name), reason="All is there.")


def stop(name: str = "short_form", cause: Cause = Cause.DECIDED) -> StopExperiment:
    """Return the command that stops it."""
    return StopExperiment(subject=experiment_id(name), cause=cause, reason="It is clear.")


def ids(count: int, seed: int = 0) -> npt.NDArray[np.uint64]:
    """Return ids of parties as two words, (count, 2)."""
    return np.random.default_rng(seed).integers(0, 2**64, (count, 2), np.uint64)


class Lab:
    """An engine with experiments, its journal and its clock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._commands = 0
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = Engine(self.journal, self.new_state, self.clock)
        self.engine.recover()

    def asks(self, command: Command, key: str | None = None) -> Receipt:
        """Carry out a command, an hour after the one before."""
        self._commands += 1
        self.clock.advance(3_600 * 10**9)
        key = key or f"command {self._commands}"
        receipt: Receipt = self.engine.execute([command_request(NAME, command, principal="house", key=key)])[
            0
        ]
        return receipt

    def done(self, *commands: Command) -> None:
        """Carry out commands."""
        for command in commands:
            assert self.asks(command).code == ""

    def tells(self, facts: RecordFacts) -> None:
        """Record facts."""
        request = command_request(FACTS_PRODUCT.name, facts, principal="house", key="facts")
        assert self.engine.execute([request])[0].code == ""

    def refused(self, command: Command) -> str:
        """Carry out a command that is refused; return the code."""
        code: str = self.asks(command).code
        assert code
        return code

    def source(self) -> MemorySource:
        """Return what the journal holds."""
        return source_of(self.journal)

    def entry(self, subject: int) -> Any:
        """Return what is known under an id."""
        return self.engine.state.aggregates[NAME].find(subject)

    def require_refolds(self) -> None:
        """Fold the journal alone: it gives the state that the engine has."""
        fresh = self.new_state()
        for block in self.journal.read(after=0, until=self.journal.take_over().position):
            fresh.fold(block.accounts, block.transfers, block.events, until=block.until)
        assert fresh.state_hash == self.engine.state.state_hash

    def new_state(self) -> FactoryState:
        """Return an empty state."""
        return FactoryState(self._folder, [EXPERIMENTS_PRODUCT, FACTS_PRODUCT])
