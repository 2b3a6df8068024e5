"""The registry of this installation: read from the journal, told through whoever decides here.

The experiments are a registry as well: of what is tried out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from typing import Any, Final

from formicary.base.errors import Refusal
from formicary.factory.engine.client import EngineClient, EngineRefused
from formicary.factory.engine.house_documents import DocumentMalformed
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import MalformedCommand
from formicary.factory.engine.state import known_events
from formicary.factory.experiments import NAME as EXPERIMENTS
from formicary.factory.experiments.errors import ExperimentRefused
from formicary.factory.journal.reader import JournalReader
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.registry import NAME
from formicary.factory.registry.errors import RegistryRefused
from formicary.runtime.backfill import open_journal
from formicary.runtime.ledgers import InProcessLedger, RunningLedger, open_ledger
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

__all__ = ["InstalledRegistry", "open_experiments", "open_registry"]

Ledger = InProcessLedger | RunningLedger | EngineClient
OpenLedger = Callable[[Settings], AbstractContextManager[Ledger]]

_KEY_BYTES: Final = 16


def _by_code(kinds: Iterable[type[Refusal]]) -> dict[str, type[Refusal]]:
    """Return what a receipt names by its code; the text is the class's own."""
    return {kind.code: kind for kind in kinds}


_REFUSALS: Final = _by_code(
    (*RegistryRefused.__subclasses__(), ModelCorrupt, DocumentMalformed, MalformedCommand)
)
_EXPERIMENT_REFUSALS: Final = _by_code((*ExperimentRefused.__subclasses__(), MalformedCommand))


class InstalledRegistry:
    """A product that is a registry; the journal and the engine are opened when they are first needed."""

    def __init__(
        self,
        settings: Settings,
        stack: ExitStack,
        product: str,
        refusals: Mapping[str, type[Refusal]],
        ledger: OpenLedger = open_ledger,
    ) -> None:
        self._settings = settings
        self._open = ledger
        self._stack = stack
        self._product = product
        self._refusals = refusals

    @cached_property
    def source(self) -> JournalReader:
        """The journal, beside whoever writes it."""
        known = known_events(products_of(self._settings))
        return self._stack.enter_context(open_journal(self._settings, known))

    def entry(self, subject: int) -> dict[str, Any] | None:
        """Return what is known under an id, the fields of the product's aggregate, or None."""
        return self._ledger.aggregates(self._product, [subject])[0]

    def command(self, command: Command, *, key: str | None = None) -> dict[str, Any]:
        """Carry out a command and return its answer; with the same key, the same answer again.

        Raises
        ------
        Refusal
            The product does not take it, or the key was used with another body.
        """
        key = os.urandom(_KEY_BYTES).hex() if key is None else key
        # Whoever asks is named as what is asked.
        receipt = self._ledger.command(self._product, command, principal=self._product, key=key)
        if receipt.code in self._refusals:
            raise self._refusals[receipt.code]
        if receipt.code:
            message = "the engine refused it"
            raise EngineRefused(receipt.code, message)
        return receipt.answer

    @cached_property
    def _ledger(self) -> Ledger:
        return self._stack.enter_context(self._open(self._settings))


@contextmanager
def open_registry(settings: Settings) -> Iterator[InstalledRegistry]:
    """Yield the registry: a running engine carries its commands out, else one in this process."""
    with ExitStack() as stack:
        yield InstalledRegistry(settings, stack, NAME, _REFUSALS)


@contextmanager
def open_experiments(settings: Settings, *, ledger: OpenLedger = open_ledger) -> Iterator[InstalledRegistry]:
    """Yield the experiments, as above; ``ledger`` opens what commands are sent to."""
    with ExitStack() as stack:
        yield InstalledRegistry(settings, stack, EXPERIMENTS, _EXPERIMENT_REFUSALS, ledger)
