"""A caller of the engine's socket for one event loop: many requests on one connection at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, cast

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.limits import DEADLINE_SECONDS, QUEUE_REQUESTS_MAX
from formicary.factory.decisions.reasons import PolicyTexts
from formicary.factory.engine.client import EngineRefused, EngineUnreachable, OutcomeUnknown
from formicary.factory.engine.frames import (
    AggregatesBody,
    CommandBody,
    ErrorBody,
    FindBody,
    MalformedFrame,
    Operation,
    PolicyBody,
    pack,
    unpack_all,
)
from formicary.factory.engine.operations import id_pairs
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import FoundAggregates
from formicary.factory.engine.requests import EngineBusy
from formicary.factory.engine.state import Receipt
from formicary.factory.features.quality.verdicts import FeatureSummary
from formicary.factory.ledger import (
    ACCOUNT,
    ACCOUNT_RESULT,
    TRANSFER_RESULT,
    Account,
    Transfer,
    account_array,
    transfer_array,
)

__all__ = ["AsyncEngineClient"]


class AsyncEngineClient:
    """One connection to the engine, for one event loop; opened when needed, and again after it broke.

    Every method raises ``EngineUnreachable`` or ``EngineBusy`` where nothing was done, ``OutcomeUnknown``
    where the answer did not come, and ``EngineRefused`` where the engine would not.

    Parameters
    ----------
    path
        Of the engine's socket.
    timeout_seconds
        How long an answer may take.
    """

    def __init__(self, path: Path, *, timeout_seconds: float = DEADLINE_SECONDS) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._line: _Line | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; whoever waits learns that the outcome is unknown."""
        if self._line is not None:
            self._line.close()

    async def create_accounts(self, accounts: npt.NDArray[Any] | Iterable[Account]) -> npt.NDArray[Any]:
        """Open accounts; return one result each, (n,) of ``ACCOUNT_RESULT``."""
        request = accounts if isinstance(accounts, np.ndarray) else account_array(accounts)
        return np.frombuffer(await self.call(Operation.CREATE_ACCOUNTS, request.tobytes()), ACCOUNT_RESULT)

    async def create_transfers(self, transfers: npt.NDArray[Any] | Iterable[Transfer]) -> npt.NDArray[Any]:
        """Make transfers; return one result each, (n,) of ``TRANSFER_RESULT``."""
        request = transfers if isinstance(transfers, np.ndarray) else transfer_array(transfers)
        return np.frombuffer(await self.call(Operation.CREATE_TRANSFERS, request.tobytes()), TRANSFER_RESULT)

    async def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command; the same key gets the same receipt again."""
        raw = msgspec.Raw(msgspec.json.encode(command))
        body = CommandBody(product=product, principal=principal, key=key, command=raw)
        answer = await self.call(Operation.COMMAND, msgspec.json.encode(body))
        return msgspec.json.decode(answer, type=Receipt)

    async def lookup_accounts(self, ids: Sequence[int]) -> npt.NDArray[Any]:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        return np.frombuffer(await self.call(Operation.LOOKUP_ACCOUNTS, id_pairs(ids)), ACCOUNT)

    async def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates in the order asked, as ``fields_of`` gives them, None for none."""
        body = AggregatesBody(product=product, subjects=[f"{wanted:032x}" for wanted in ids])
        answer = await self.call(Operation.AGGREGATES, msgspec.json.encode(body))
        return msgspec.json.decode(answer, type=list[dict[str, Any] | None])

    async def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find a product's aggregates by a number that they hold, in the order of their creation."""
        body = FindBody(product=product, field=field, value=value, after=after, limit=limit)
        answer = await self.call(Operation.FIND_AGGREGATES, msgspec.json.encode(body))
        return msgspec.json.decode(answer, type=FoundAggregates)

    async def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sums of the four totals per ledger."""
        answer = await self.call(Operation.TRIAL_BALANCE, b"")
        sums = msgspec.json.decode(answer, type=dict[str, tuple[int, int, int, int]])
        return {int(ledger): totals for ledger, totals in sums.items()}

    async def status(self) -> dict[str, int]:
        """Return the engine's position, state hash and sizes."""
        return msgspec.json.decode(await self.call(Operation.STATUS, b""), type=dict[str, int])

    async def feature_quality(self) -> dict[str, tuple[FeatureSummary, ...]]:
        """Return what each set of features was told as lately, in figures."""
        answer = await self.call(Operation.FEATURE_QUALITY, b"")
        return msgspec.json.decode(answer, type=dict[str, tuple[FeatureSummary, ...]])

    async def policy_texts(self, point: int, version: int) -> PolicyTexts | None:
        """Return what a policy says in words, by the number of its decision point, None where it is gone."""
        body = PolicyBody(point=point, version=version)
        answer = await self.call(Operation.POLICY_TEXTS, msgspec.json.encode(body))
        return msgspec.json.decode(answer, type=PolicyTexts | None)

    async def call(self, operation: Operation, payload: bytes) -> bytes:
        """Send one frame and return the payload of its answer."""
        line = self._line
        if line is None or line.broken:
            line = await self._open()
        answer = line.send(operation, payload)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await answer
        except TimeoutError as error:
            raise OutcomeUnknown from error

    async def _open(self) -> _Line:
        async with self._opening:
            if self._line is None or self._line.broken:
                try:
                    _, self._line = await asyncio.get_running_loop().create_unix_connection(
                        _Line, str(self._path)
                    )
                except OSError as error:
                    raise EngineUnreachable from error
            return self._line


class _Line(asyncio.Protocol):
    """The connection: frames out, answers in, each to whoever waits for its correlation."""

    _transport: asyncio.Transport
    """From ``connection_made`` on; nobody has the line before."""

    def __init__(self) -> None:
        self.broken = True
        self._buffer = bytearray()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._correlation = 0

    def close(self) -> None:
        """Break the connection."""
        self._transport.abort()
        self._break()

    def send(self, operation: Operation, payload: bytes) -> asyncio.Future[bytes]:
        """Send a frame; the future gets the answer's payload, or an error."""
        if len(self._waiting) >= QUEUE_REQUESTS_MAX:
            raise EngineBusy
        self._correlation += 1
        answer = asyncio.get_running_loop().create_future()
        self._waiting[self._correlation] = answer
        self._transport.write(pack(operation, self._correlation, payload))
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the loop has connected."""
        # Not checked: the transports of other loops are no subclasses.
        self._transport = cast("asyncio.Transport", transport)
        self.broken = False

    def data_received(self, data: bytes) -> None:
        """Hand every answer to whoever waits for it."""
        self._buffer += data
        try:
            for frame in unpack_all(self._buffer):
                answer = self._waiting.pop(frame.correlation, None)
                # One who no longer waits was told that the outcome is unknown.
                if answer is None or answer.done():
                    continue
                if frame.operation == Operation.ERROR:
                    answer.set_exception(_error_of(frame.payload))
                else:
                    answer.set_result(frame.payload)
        except MalformedFrame:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: nobody gets an answer any more."""
        del exc
        self._break()

    def _break(self) -> None:
        self.broken = True
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(OutcomeUnknown())


def _error_of(payload: bytes) -> EngineRefused | OutcomeUnknown:
    body = msgspec.json.decode(payload, type=ErrorBody)
    return OutcomeUnknown() if body.unknown else EngineRefused(body.code, body.message)
