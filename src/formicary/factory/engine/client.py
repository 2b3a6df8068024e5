"""A caller of the engine's socket."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import OperationalFault, Refusal
from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.engine.frames import (
    AggregatesBody,
    CommandBody,
    ErrorBody,
    FindBody,
    Frame,
    MalformedFrame,
    Operation,
    pack,
    unpack_all,
)
from formicary.factory.engine.operations import id_pairs
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import FoundAggregates
from formicary.factory.engine.state import Receipt
from formicary.factory.history.looks import Question, encode_look
from formicary.factory.ledger import (
    ACCOUNT,
    ACCOUNT_RESULT,
    TRANSFER_RESULT,
    Account,
    Transfer,
    account_array,
    check_request,
    transfer_array,
)

__all__ = ["EngineClient", "EngineRefused", "EngineUnreachable", "OutcomeUnknown"]

Answer = TypeVar("Answer")

_READ_BYTES: Final = 1 << 18


class EngineUnreachable(OperationalFault):
    """No engine answers on this socket; nothing was done."""


class OutcomeUnknown(OperationalFault):
    """The request may or may not have been done; send it again with the same ids to find out."""


class EngineRefused(Refusal):
    """The engine refused the request; ``reason`` is its documented code."""

    code = "engine_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EngineClient:
    """One connection to the engine, for one thread.

    Parameters
    ----------
    path
        Of the engine's socket.
    timeout_seconds
        How long an answer may take.

    Raises
    ------
    EngineUnreachable
        There is no engine; from the constructor only.
    OutcomeUnknown
        The connection broke, the time was up, or the engine failed in the middle of a commit.
    EngineRefused
        The request was not accepted; nothing was done.
    """

    def __init__(self, path: Path, *, timeout_seconds: float = DEADLINE_SECONDS) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_seconds)
        self._buffer = bytearray()
        self._correlation = 0
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise EngineUnreachable from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def create_accounts(self, accounts: npt.NDArray[Any] | Iterable[Account]) -> npt.NDArray[Any]:
        """Open accounts; return one result each, (n,) of ``ACCOUNT_RESULT``."""
        request = accounts if isinstance(accounts, np.ndarray) else account_array(accounts)
        check_request(request)
        answer = self._call(Operation.CREATE_ACCOUNTS, request.tobytes())
        return np.frombuffer(answer, ACCOUNT_RESULT)

    def create_transfers(self, transfers: npt.NDArray[Any] | Iterable[Transfer]) -> npt.NDArray[Any]:
        """Make transfers; return one result each, (n,) of ``TRANSFER_RESULT``."""
        request = transfers if isinstance(transfers, np.ndarray) else transfer_array(transfers)
        check_request(request)
        answer = self._call(Operation.CREATE_TRANSFERS, request.tobytes())
        return np.frombuffer(answer, TRANSFER_RESULT)

    def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command; the same key gets the same receipt again."""
        raw = msgspec.Raw(msgspec.json.encode(command))
        body = CommandBody(product=product, principal=principal, key=key, command=raw)
        return msgspec.json.decode(self._call(Operation.COMMAND, msgspec.json.encode(body)), type=Receipt)

    def lookup_accounts(self, ids: Sequence[int]) -> npt.NDArray[Any]:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        return np.frombuffer(self._call(Operation.LOOKUP_ACCOUNTS, id_pairs(ids)), ACCOUNT)

    def last_entries(self, ids: Sequence[int]) -> npt.NDArray[Any]:
        """Return the position of each existing account's latest entry, (n,) int64, 0 for none."""
        return np.frombuffer(self._call(Operation.LAST_ENTRIES, id_pairs(ids)), np.int64)

    def look(self, question: Question[Answer]) -> Answer:
        """Look at the engine's memory, as it is once everything asked before is committed."""
        return question.decoded(self._call(Operation.LOOK, encode_look(question)))

    def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates in the order asked, as ``fields_of`` gives them, None for none.

        At most ``AGGREGATES_READ_MAX`` at once; more are refused as ``malformed_payload``.
        """
        body = AggregatesBody(product=product, subjects=[f"{wanted:032x}" for wanted in ids])
        answer = self._call(Operation.AGGREGATES, msgspec.json.encode(body))
        return msgspec.json.decode(answer, type=list[dict[str, Any] | None])

    def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find a product's aggregates by a number that they hold, in the order of their creation."""
        body = FindBody(product=product, field=field, value=value, after=after, limit=limit)
        answer = self._call(Operation.FIND_AGGREGATES, msgspec.json.encode(body))
        return msgspec.json.decode(answer, type=FoundAggregates)

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sums of the four totals per ledger."""
        answer = self._call(Operation.TRIAL_BALANCE, b"")
        sums = msgspec.json.decode(answer, type=dict[str, tuple[int, int, int, int]])
        return {int(ledger): totals for ledger, totals in sums.items()}

    def status(self) -> dict[str, int]:
        """Return the engine's position, state hash and sizes."""
        return msgspec.json.decode(self._call(Operation.STATUS, b""), type=dict[str, int])

    def _call(self, operation: Operation, payload: bytes) -> bytes:
        self._correlation += 1
        try:
            self._socket.sendall(pack(operation, self._correlation, payload))
            frame = self._receive()
        except (OSError, MalformedFrame) as error:
            self.close()
            raise OutcomeUnknown from error
        if frame.operation != Operation.ERROR:
            return frame.payload
        error_answer = msgspec.json.decode(frame.payload, type=ErrorBody)
        if error_answer.unknown:
            raise OutcomeUnknown
        raise EngineRefused(error_answer.code, error_answer.message)

    def _receive(self) -> Frame:
        while True:
            for frame in unpack_all(self._buffer):
                return frame
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError
            self._buffer += data
