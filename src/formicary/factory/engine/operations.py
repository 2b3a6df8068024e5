"""What each operation of the socket means: its payload in, its answer out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.feature_reads import read_quality
from formicary.factory.engine.frames import (
    AggregatesBody,
    CommandBody,
    FindBody,
    Frame,
    MalformedFrame,
    Operation,
    PolicyBody,
)
from formicary.factory.engine.reads import find_aggregates, read_aggregates, read_policy_texts
from formicary.factory.engine.requests import (
    LedgerRequest,
    ReadRequest,
    Request,
    UnknownProduct,
    command_request,
)
from formicary.factory.engine.state import FactoryState
from formicary.factory.history.looks import decode_look
from formicary.factory.ledger import ACCOUNT, TRANSFER

__all__ = ["ID_PAIR", "encode_answer", "id_pairs", "parse_request", "size_of"]

ID_PAIR: Final = np.dtype([("high", "<u8"), ("low", "<u8")])
"""A 128-bit id on the wire."""


class MalformedPayload(Refusal):
    """The payload is not what its operation takes."""

    code = "malformed_payload"


def parse_request(frame: Frame, engine: Engine) -> Request:
    """Return the request of a frame.

    Raises
    ------
    MalformedFrame, MalformedPayload, UnknownProduct
        It is none.
    """
    operation, payload = frame.operation, frame.payload
    if operation == Operation.CREATE_TRANSFERS:
        return LedgerRequest(_records(payload, TRANSFER))
    if operation == Operation.CREATE_ACCOUNTS:
        return LedgerRequest(_records(payload, ACCOUNT))
    if operation in _WITH_BODIES:
        return _WITH_BODIES[operation](payload, engine)
    if operation == Operation.LOOK:
        look = decode_look(payload)
        return ReadRequest(lambda state: look.answer(state.machine))
    return ReadRequest(_read(operation, payload))


def size_of(request: Request) -> int:
    """Return how many events a request counts for."""
    return len(request.items) if isinstance(request, LedgerRequest) else 1


def encode_answer(answer: Any) -> bytes:
    """Return the payload of an answer: packed records, or JSON."""
    if isinstance(answer, np.ndarray):
        return answer.tobytes()
    if isinstance(answer, bytes):
        return answer
    return msgspec.json.encode(answer)


def id_pairs(ids: Sequence[int]) -> bytes:
    """Return 128-bit ids (n,) as they are on the wire, n of ``ID_PAIR``."""
    pairs = np.zeros(len(ids), ID_PAIR)
    pairs["high"] = [wanted >> 64 for wanted in ids]
    pairs["low"] = [wanted & (2**64 - 1) for wanted in ids]
    return pairs.tobytes()


def _records(payload: bytes, dtype: np.dtype[np.void]) -> npt.NDArray[Any]:
    if len(payload) % dtype.itemsize:
        raise MalformedPayload
    return np.frombuffer(payload, dtype)


def _ids(payload: bytes) -> list[int]:
    pairs = _records(payload, ID_PAIR)
    return [(high << 64) | low for high, low in pairs.tolist()]


def _command(payload: bytes, engine: Engine) -> Request:
    try:
        body = msgspec.json.decode(payload, type=CommandBody)
        product = engine.state.products.get(body.product)
        if product is None:
            raise UnknownProduct
        command = msgspec.json.decode(body.command, type=_union(product.commands))
    except msgspec.MsgspecError as error:
        raise MalformedPayload(str(error)) from error
    return command_request(body.product, command, principal=body.principal, key=body.key)


def _aggregates(payload: bytes, engine: Engine) -> Request:
    try:
        body = msgspec.json.decode(payload, type=AggregatesBody)
    except msgspec.MsgspecError as error:
        raise MalformedPayload(str(error)) from error
    if body.product not in engine.state.products:
        raise UnknownProduct
    return ReadRequest(read_aggregates(body.product, [int(subject, 16) for subject in body.subjects]))


def _find(payload: bytes, engine: Engine) -> Request:
    try:
        body = msgspec.json.decode(payload, type=FindBody)
    except msgspec.MsgspecError as error:
        raise MalformedPayload(str(error)) from error
    if body.product not in engine.state.products:
        raise UnknownProduct
    fields: Any = engine.state.products[body.product].aggregate.fields or {}
    if body.field not in fields or fields[body.field][0].kind not in "iu":
        raise MalformedPayload
    return ReadRequest(
        find_aggregates(body.product, body.field, body.value, after=body.after, limit=body.limit)
    )


def _policy_texts(payload: bytes, _: Engine) -> Request:
    try:
        body = msgspec.json.decode(payload, type=PolicyBody)
    except msgspec.MsgspecError as error:
        raise MalformedPayload(str(error)) from error
    return ReadRequest(read_policy_texts(body.point, body.version))


_WITH_BODIES: Final[dict[int, Callable[[bytes, Engine], Request]]] = {
    Operation.COMMAND: _command,
    Operation.AGGREGATES: _aggregates,
    Operation.POLICY_TEXTS: _policy_texts,
    Operation.FIND_AGGREGATES: _find,
}


def _union(types: tuple[type, ...]) -> Any:
    union: Any = types[0]
    for other in types[1:]:
        union = union | other
    return union


def _read(operation: int, payload: bytes) -> Callable[[FactoryState], Any]:
    if operation == Operation.LOOKUP_ACCOUNTS:
        ids = _ids(payload)
        return lambda state: state.machine.account_views(ids)
    if operation == Operation.LAST_ENTRIES:
        ids = _ids(payload)
        return lambda state: state.machine.last_entries(ids)
    if operation == Operation.TRIAL_BALANCE:
        return lambda state: {str(key): sums for key, sums in state.machine.trial_balance().items()}
    if operation == Operation.STATUS:
        return _status
    if operation == Operation.FEATURE_QUALITY:
        return read_quality
    raise MalformedFrame


def _status(state: FactoryState) -> dict[str, int]:
    machine = state.machine
    return {
        "position": machine.position,
        "timestamp": machine.timestamp,
        "accounts": len(machine.accounts),
        "open_holds": machine.open_holds,
        "state_hash": state.state_hash,
        "sealed_generations": len(machine.sealed),
        "bytes_in_memory": machine.bytes_in_memory,
    }
