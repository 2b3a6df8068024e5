"""The whole factory in one process: database, journal, engine, history, follower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from typing import Any

import numpy.typing as npt

from formicary.base.clock import Clock
from formicary.base.errors import Refusal
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.reads import read_aggregates
from formicary.factory.engine.requests import (
    CommandRequest,
    LedgerRequest,
    ReadRequest,
    UnknownProduct,
    command_request,
)
from formicary.factory.engine.state import FactoryState, Receipt, known_events
from formicary.factory.follower import Follower, StateSnapshots, new_state
from formicary.factory.history import EntryIndex, History
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import SEMANTICS
from formicary.runtime.database import open_database
from formicary.runtime.settings import Settings

__all__ = ["Factory", "open_factory", "recovered_state"]

Records = npt.NDArray[Any]


class Factory:
    """A factory in this process.

    Attributes
    ----------
    access
        Its database.
    journal, engine, history
        The engine is recovered: it owns the journal until another one takes over.
    snapshots
        Where the follower writes, and where recovery begins.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        stack: ExitStack,
        *,
        clock: Clock,
        products: Sequence[Product],
    ) -> None:
        self.access = access
        self.snapshots = StateSnapshots(settings.snapshots_folder)
        self._settings = settings
        self._products = products
        self._stack = stack
        upcasters = known_events(products)
        self.journal = stack.enter_context(closing(Journal(access, semantics=SEMANTICS, upcasters=upcasters)))
        self.engine = Engine(self.journal, lambda: recovered_state(settings, access, products), clock)
        self.history = stack.enter_context(
            closing(History(access, lambda read: read(self.engine.state.machine)))
        )
        self.engine.recover()

    def execute(self, requests: Sequence[Records]) -> list[Records]:
        """Decide requests of the ledger as one group, commit, and return their results.

        Raises
        ------
        Refusal
            One of them is no request; the others are done.
        OperationalFault
            See ``Engine.execute``.
        """
        return self.ask(requests)

    def ask(self, requests: Sequence[Records | CommandRequest]) -> list[Any]:
        """Do the same with products' commands among them, which are answered with receipts."""
        answers = self.engine.execute(
            [asked if isinstance(asked, CommandRequest) else LedgerRequest(asked) for asked in requests]
        )
        for answer in answers:
            if isinstance(answer, Refusal):
                raise answer
        return answers

    def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Carry out a product's command; the same key gets the same receipt again.

        Raises
        ------
        Refusal
            It is no command of a product that runs here, or the key was used with another body.
        OperationalFault
            See ``Engine.execute``.
        """
        request = command_request(product, command, principal=principal, key=key)
        answer = self.engine.execute([request])[0]
        if isinstance(answer, Refusal):
            raise answer
        receipt: Receipt = answer
        return receipt

    def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates in the order asked, as ``fields_of`` gives them, None for none."""
        if product not in self.engine.state.products:
            raise UnknownProduct
        answer: list[dict[str, Any] | None]
        answer = self.engine.execute([ReadRequest(read_aggregates(product, ids))])[0]
        return answer

    @cached_property
    def follower(self) -> Follower:
        """A follower of this journal, not opened yet: it folds a state of its own."""
        follower = Follower(
            reader=JournalReader(self.access, upcasters=known_events(self._products)),
            index=EntryIndex(self.access),
            snapshots=self.snapshots,
            folder=self._settings.follower_folder,
            products=self._products,
        )
        return self._stack.enter_context(closing(follower))


@contextmanager
def open_factory(settings: Settings, *, clock: Clock, products: Sequence[Product] = ()) -> Iterator[Factory]:
    """Yield a recovered factory in this process; an engine that runs elsewhere on its journal is deposed.

    Raises
    ------
    PostgresNotFound, PostgresFailed, JournalUnavailable, JournalTooNew, JournalNotDurable
        The database cannot be used.
    JournalCorrupted
        The journal is not what it must be.
    """
    with ExitStack() as stack:
        access = stack.enter_context(open_database(settings))
        yield Factory(settings, access, stack, clock=clock, products=products)


def recovered_state(settings: Settings, access: Access, products: Sequence[Product] = ()) -> FactoryState:
    """Return the state of the latest usable snapshot, or an empty one: what an engine recovers from."""
    with closing(JournalReader(access, upcasters=known_events(products))) as reader:
        snapshots = StateSnapshots(settings.snapshots_folder)
        return new_state(settings.engine_folder, snapshots, products, reader).state
