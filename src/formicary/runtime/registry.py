"""The registry of this installation: read from the journal, told through whoever decides here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, Final

from formicary.base.errors import Refusal
from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.house_documents import DocumentMalformed
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import MalformedCommand
from formicary.factory.engine.state import known_events
from formicary.factory.journal.reader import JournalReader
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.registry import NAME
from formicary.factory.registry.errors import RegistryRefused
from formicary.runtime.backfill import open_journal
from formicary.runtime.ledgers import InProcessLedger, RunningLedger, open_ledger
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

__all__ = ["InstalledRegistry", "open_registry"]

_PRINCIPAL: Final = "registry"
_KEY_BYTES: Final = 16
_KINDS: Final[tuple[type[Refusal], ...]] = (
    *RegistryRefused.__subclasses__(),
    ModelCorrupt,
    DocumentMalformed,
    MalformedCommand,
)
# What a receipt names by its code; the text is the class's own.
_REFUSALS: Final = {kind.code: kind for kind in _KINDS}


class InstalledRegistry:
    """The registry; the journal and the engine are opened when they are first needed."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        self._settings = settings
        self._stack = stack

    @cached_property
    def source(self) -> JournalReader:
        """The journal, beside whoever writes it."""
        known = known_events(products_of(self._settings))
        return self._stack.enter_context(open_journal(self._settings, known))

    def entry(self, subject: int) -> dict[str, Any] | None:
        """Return what is known under an id, the fields of ``ENTRY``, or None."""
        return self._ledger.aggregates(NAME, [subject])[0]

    def command(self, command: Command, *, key: str | None = None) -> dict[str, Any]:
        """Carry out a command and return its answer; with the same key, the same answer again.

        Raises
        ------
        Refusal
            The registry does not take it, or the key was used with another body.
        """
        key = os.urandom(_KEY_BYTES).hex() if key is None else key
        receipt = self._ledger.command(NAME, command, principal=_PRINCIPAL, key=key)
        if receipt.code in _REFUSALS:
            raise _REFUSALS[receipt.code]
        if receipt.code:
            message = "the engine refused it"
            raise EngineRefused(receipt.code, message)
        return receipt.answer

    @cached_property
    def _ledger(self) -> InProcessLedger | RunningLedger:
        return self._stack.enter_context(open_ledger(self._settings))


@contextmanager
def open_registry(settings: Settings) -> Iterator[InstalledRegistry]:
    """Yield the registry: a running engine carries its commands out, else one in this process."""
    with ExitStack() as stack:
        yield InstalledRegistry(settings, stack)
