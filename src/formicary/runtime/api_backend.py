"""What stands behind the API: the engine's socket and the journal's history, or a factory in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy.typing as npt

from formicary.base.errors import OperationalFault
from formicary.base.limits import API_HISTORY_THREADS
from formicary.factory.decisions.reasons import PolicyTexts
from formicary.factory.engine.async_client import AsyncEngineClient
from formicary.factory.engine.client import EngineClient, EngineUnreachable, OutcomeUnknown
from formicary.factory.engine.feature_reads import read_quality
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import FoundAggregates, find_aggregates, read_policy_texts
from formicary.factory.engine.requests import ReadRequest
from formicary.factory.engine.state import Receipt
from formicary.factory.features.quality.verdicts import FeatureSummary
from formicary.factory.history import History
from formicary.factory.history.looks import Question
from formicary.factory.journal.access import Access
from formicary.runtime.wiring import Factory

__all__ = ["InProcessBackend", "RemoteBackend"]

Records = npt.NDArray[Any]
Answer = TypeVar("Answer")


class RemoteBackend:
    """The engine's socket for what is decided, threads with a history each for what was.

    Parameters
    ----------
    path
        Of the engine's socket.
    access
        The journal's database.
    """

    def __init__(self, path: Path, access: Access) -> None:
        client = AsyncEngineClient(path)
        self.create_accounts = client.create_accounts
        self.create_transfers = client.create_transfers
        self.command = client.command
        self.lookup_accounts = client.lookup_accounts
        self.aggregates = client.aggregates
        self.find_aggregates = client.find_aggregates
        self.policy_texts = client.policy_texts
        self.status = client.status
        self.feature_quality = client.feature_quality
        self._client = client
        self._histories = [_RemoteHistory(path, access) for _ in range(API_HISTORY_THREADS)]
        self._free: asyncio.Queue[_RemoteHistory] = asyncio.Queue()
        for history in self._histories:
            self._free.put_nowait(history)
        self._threads = ThreadPoolExecutor(API_HISTORY_THREADS, thread_name_prefix="history")

    async def remember(self, question: Callable[[History], Answer]) -> Answer:
        """Ask what was, in a thread."""
        history = await self._free.get()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, history.ask, question)
        finally:
            self._free.put_nowait(history)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
        self._threads.shutdown()
        for history in self._histories:
            history.close()


class _RemoteHistory:
    """A history whose looks go to the engine; a line that broke is opened again."""

    def __init__(self, path: Path, access: Access) -> None:
        self._path = path
        self._client: EngineClient | None = None
        self._history = History(access, self._look)

    def ask(self, question: Callable[[History], Answer]) -> Answer:
        return question(self._history)

    def close(self) -> None:
        self._history.close()
        if self._client is not None:
            self._client.close()

    def _look(self, question: Question[Answer]) -> Answer:
        if self._client is not None:
            # An engine that was started anew has another line; looking twice changes nothing.
            with suppress(OutcomeUnknown):
                return self._client.look(question)
        self._client = EngineClient(self._path)
        try:
            return self._client.look(question)
        except OutcomeUnknown as error:
            raise EngineUnreachable from error


class InProcessBackend:
    """A factory in this process; for one thread, that of the event loop.

    Parameters
    ----------
    factory
        Recovered.
    """

    def __init__(self, factory: Factory) -> None:
        self._factory = factory

    async def create_accounts(self, accounts: Records) -> Records:
        """Open accounts; return one result each."""
        return self._decided(lambda: self._factory.execute([accounts])[0])

    async def create_transfers(self, transfers: Records) -> Records:
        """Make transfers; return one result each."""
        return self._decided(lambda: self._factory.execute([transfers])[0])

    async def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command."""
        return self._decided(lambda: self._factory.command(product, command, principal=principal, key=key))

    async def lookup_accounts(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist."""
        return self._factory.history.lookup_accounts(ids)

    async def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates."""
        return self._decided(lambda: self._factory.aggregates(product, ids))

    async def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find a product's aggregates by a number that they hold."""
        look = find_aggregates(product, field, value, after=after, limit=limit)
        found: FoundAggregates = self._decided(lambda: self._factory.engine.execute([ReadRequest(look)]))[0]
        return found

    async def policy_texts(self, point: int, version: int) -> PolicyTexts | None:
        """Return what a policy says in words."""
        return read_policy_texts(point, version)(self._factory.engine.state)

    async def status(self) -> dict[str, int]:
        """Return the engine's position, stamp and sizes."""
        machine = self._factory.engine.state.machine
        return {
            "position": machine.position,
            "timestamp": machine.timestamp,
            "accounts": len(machine.accounts),
        }

    async def feature_quality(self) -> dict[str, tuple[FeatureSummary, ...]]:
        """Return what each set of features was told as lately."""
        return read_quality(self._factory.engine.state)

    async def remember(self, question: Callable[[History], Answer]) -> Answer:
        """Ask what was."""
        return question(self._factory.history)

    def _decided(self, decide: Callable[[], Answer]) -> Answer:
        try:
            return decide()
        except OperationalFault as error:
            # Whoever comes next finds a recovered engine.
            self._factory.engine.recover()
            raise OutcomeUnknown from error
