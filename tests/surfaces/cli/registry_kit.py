"""A registry in memory for the command line, and a model to register."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from formicary.base.clock import SimulatedClock
from formicary.base.errors import Refusal
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.reads import read_aggregates
from formicary.factory.engine.requests import ReadRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.models.model import Model
from formicary.factory.models.training import train_model
from formicary.factory.registry import registry_product
from formicary.factory.registry.errors import RegistryRefused
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import MemorySource, source_of
from tests.factory.models.kit import made_spec, made_table

__all__ = ["SPEC", "MemoryRegistry", "stored_model", "trained_model"]

SPEC = made_spec(trials=1)


@functools.cache
def trained_model() -> Model:
    """Return a small model that was trained once for all tests."""
    return train_model(SPEC, made_table(300))


def stored_model(folder: Path, name: str = "repayment", **changed: Any) -> Path:
    """Write a model to a file of its own, changed as wanted; return the file."""
    path = folder / f"{name}.model"
    path.write_bytes(replace(trained_model(), name=name, **changed).to_bytes())
    return path


class MemoryRegistry:
    """An engine with a registry over a journal in memory, as the command line reaches it.

    It is that of models and policies unless given a product and what it refuses by.
    """

    def __init__(
        self,
        clock: SimulatedClock,
        product: Product | None = None,
        refused: type[Refusal] = RegistryRefused,
    ) -> None:
        self._clock = clock
        self._product = product or registry_product(lambda *_: ())
        self._refused = refused
        self._journal = NullJournal()
        self._engine: Engine | None = None
        self.commands = 0

    @property
    def source(self) -> MemorySource:
        """The rows of the journal."""
        self._running()
        return source_of(self._journal)

    def entry(self, subject: int) -> dict[str, Any] | None:
        """Return what is known under an id."""
        found: dict[str, Any] | None
        found = self._running().execute([ReadRequest(read_aggregates(self._product.name, [subject]))])[0][0]
        return found

    def command(self, command: Command, *, key: str | None = None) -> dict[str, Any]:
        """Carry out a command a minute later, or raise its refusal."""
        self.commands += 1
        self._clock.advance(60 * 10**9)
        request = command_request(
            self._product.name, command, principal="test", key=key or f"command {self.commands}"
        )
        receipt = self._running().execute([request])[0]
        for refusal in self._refused.__subclasses__():
            if refusal.code == receipt.code:
                raise refusal
        assert receipt.code == ""
        answer: dict[str, Any] = receipt.answer
        return answer

    def _running(self) -> Engine:
        # Most tests need none, and an engine takes time.
        if self._engine is None:
            self._engine = Engine(
                self._journal,
                lambda: FactoryState(Path(tempfile.gettempdir()), [self._product]),
                self._clock,
            )
            self._engine.recover()
        return self._engine
