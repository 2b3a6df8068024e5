"""A registry on a journal in memory or a real one, for the tests of this folder."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from formicary.base.clock import SimulatedClock
from formicary.base.limits import MODEL_PART_BYTES_MAX
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.journal.events import Event
from formicary.factory.models.model import identity_of
from formicary.factory.registry import (
    NAME,
    Alias,
    ArmPolicy,
    MoveAlias,
    RegisterModel,
    SetTrial,
    StoreModelPart,
    registry_product,
)
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import MemorySource, source_of

__all__ = ["START", "Registry", "arm", "bytes_of", "hash_of", "move", "part_of", "register", "trial"]

START = 1_700_000_000 * 10**9


def bytes_of(seed: int, length: int = 100_000) -> bytes:
    """Return bytes as a model's might be: three parts, unless told otherwise."""
    return Random(seed).randbytes(length)


@functools.cache
def hash_of(stored: bytes) -> str:
    """Return the identity of a model."""
    return identity_of(stored)


def part_of(stored: bytes, part: int, **other: Any) -> StoreModelPart:
    """Return the command that keeps a part of a model, but for the fields that are given."""
    first = part * MODEL_PART_BYTES_MAX
    fields: dict[str, Any] = {
        "subject": int(hash_of(stored), 16),
        "part": part,
        "parts": -(-len(stored) // MODEL_PART_BYTES_MAX),
        "content": base64.b64encode(stored[first : first + MODEL_PART_BYTES_MAX]).decode(),
    }
    return StoreModelPart(**(fields | other))


def register(stored: bytes, model: str = "repayment", **other: Any) -> RegisterModel:
    """Return the command that makes a version of it, but for the fields that are given."""
    fields: dict[str, Any] = {"spec_hash": "a" * 32, "columns": ["debt", "income"]}
    return RegisterModel(subject=int(hash_of(stored), 16), model=model, **(fields | other))


def move(stored: bytes | None, alias: Alias = Alias.CHAMPION, **other: Any) -> MoveAlias:
    """Return the command that gives an alias to a model, or to none, but for the fields that are given."""
    fields: dict[str, Any] = {
        "model": "repayment",
        "hash": "" if stored is None else hash_of(stored),
        "reason": "It orders more pairs rightly.",
    }
    fields |= other
    return MoveAlias(**({"subject": text_id(fields["model"])} | fields), alias=alias)


def trial(share: int, model: str = "repayment", **other: Any) -> SetTrial:
    """Return the command that tries a challenger out, but for the fields that are given."""
    fields: dict[str, Any] = {"subject": text_id(model), "reason": "A week of it."}
    return SetTrial(model=model, share=share, **(fields | other))


def arm(version: int, point: str = "card_use", **other: Any) -> ArmPolicy:
    """Return the command that arms a policy, but for the fields that are given."""
    fields: dict[str, Any] = {"policy": "score: 0.5", "rules": "rules: []", "reason": "Fewer are told no."}
    fields |= {"subject": text_id(point), "point": point, "version": version}
    return ArmPolicy(**(fields | other))


class Registry:
    """An engine with the registry, its journal and its clock; ``findings`` is what is wrong with policies."""

    def __init__(self, folder: Path, journal: Any = None) -> None:
        self._folder = folder
        self._commands = 0
        self.findings: Sequence[str] = ()
        self.looked_at: list[tuple[str, str, str]] = []
        self.product = registry_product(self._validated)
        self.journal = journal or NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = Engine(self.journal, self.new_state, self.clock)
        self.engine.recover()

    def asks(self, command: Command) -> Receipt:
        """Carry out a command, an hour after the one before."""
        self._commands += 1
        self.clock.advance(3_600 * 10**9)
        request = command_request(NAME, command, principal="house", key=f"command {self._commands}")
        receipt: Receipt = self.engine.execute([request])[0]
        return receipt

    def done(self, command: Command) -> dict[str, Any]:
        """Carry out a command; return its answer."""
        receipt = self.asks(command)
        assert receipt.code == ""
        return receipt.answer

    def refused(self, command: Command) -> str:
        """Carry out a command that is refused; return the code."""
        receipt = self.asks(command)
        assert receipt.code
        return receipt.code

    def stores(self, stored: bytes) -> None:
        """Keep all parts of a model."""
        for part in range(-(-len(stored) // MODEL_PART_BYTES_MAX)):
            self.done(part_of(stored, part))

    def registers(self, stored: bytes, model: str = "repayment", **fields: Any) -> int:
        """Make a version of a model; return its number."""
        self.stores(stored)
        return int(self.done(register(stored, model, **fields))["version"])

    def source(self) -> MemorySource:
        """Return what the journal in memory holds."""
        return source_of(self.journal)

    def events(self) -> list[Event]:
        """Return the registry's events in the journal in memory."""
        return [event for event in self.source().whole.events if event.kind.startswith("registry.")]

    def require_refolds(self) -> None:
        """Fold the journal alone: it gives the state that the engine has."""
        fresh = self.new_state()
        for block in self.journal.read(after=0, until=self.journal.take_over().position):
            fresh.fold(block.accounts, block.transfers, block.events, until=block.until)
        assert fresh.state_hash == self.engine.state.state_hash

    def new_state(self) -> FactoryState:
        """Return an empty state."""
        return FactoryState(self._folder, [self.product])

    def _validated(self, point: str, policy: str, rules: str) -> Sequence[str]:
        self.looked_at.append((point, policy, rules))
        return self.findings
