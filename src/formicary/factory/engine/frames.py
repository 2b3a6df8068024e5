"""The engine's socket: fixed frames of a header and packed records.

A frame is ``HEADER`` and ``size`` bytes: records of one dtype for the ledger's operations, JSON for
the others. Every request gets one frame back with its ``correlation``; frames may be
answered in another order than sent only across connections, never on one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, Final

import msgspec

from formicary.base.errors import FormicaryError, Refusal
from formicary.base.limits import AGGREGATES_READ_MAX, FRAME_BYTES_MAX

__all__ = [
    "HEADER_BYTES",
    "AggregatesBody",
    "CommandBody",
    "ErrorBody",
    "FindBody",
    "Frame",
    "MalformedFrame",
    "Operation",
    "PolicyBody",
    "error_body",
    "pack",
    "unpack_all",
]

_HEADER: Final = struct.Struct("<4sHHQII")
_MAGIC: Final = b"FMCY"
_VERSION: Final = 1
HEADER_BYTES: Final = _HEADER.size

HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
"""A 128-bit id in JSON."""


class Operation(IntEnum):
    """What a frame asks for; an answer repeats it, or is an ``ERROR``."""

    ERROR = 0
    CREATE_ACCOUNTS = 1
    CREATE_TRANSFERS = 2
    LOOKUP_ACCOUNTS = 3
    LAST_ENTRIES = 4
    TRIAL_BALANCE = 5
    STATUS = 6
    COMMAND = 7
    AGGREGATES = 8
    LOOK = 9
    FEATURE_QUALITY = 10
    POLICY_TEXTS = 11
    FIND_AGGREGATES = 12


class MalformedFrame(Refusal):
    """The bytes are no frame of this version, or one that is too large; the connection is closed."""

    code = "malformed_frame"


class Frame(msgspec.Struct, frozen=True):
    """One frame taken apart."""

    operation: int
    correlation: int
    payload: bytes


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not done; ``unknown`` means that it may have been done all the same."""

    code: str
    message: str
    unknown: bool = False


class CommandBody(msgspec.Struct, frozen=True, kw_only=True):
    """A product's command as it comes over the wire; ``command`` is tagged with its type."""

    product: str
    principal: str
    key: str
    command: msgspec.Raw


class AggregatesBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which aggregates of a product are asked for; ids are 32 hexadecimal digits."""

    product: str
    subjects: Annotated[list[HexId], msgspec.Meta(max_length=AGGREGATES_READ_MAX)]


class FindBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which aggregates of a product are looked for: those with a value in a field, after so many of all."""

    product: str
    field: str
    value: Annotated[int, msgspec.Meta(ge=0)]
    after: Annotated[int, msgspec.Meta(ge=0)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=AGGREGATES_READ_MAX)]


class PolicyBody(msgspec.Struct, frozen=True, kw_only=True):
    """Which policy's sentences are asked for: the number of its decision point, and its version."""

    point: Annotated[int, msgspec.Meta(ge=0)]
    version: Annotated[int, msgspec.Meta(ge=0)]


def pack(operation: int, correlation: int, payload: bytes) -> bytes:
    """Return a frame as bytes."""
    return _HEADER.pack(_MAGIC, _VERSION, operation, correlation, len(payload), 0) + payload


def unpack_all(buffer: bytearray) -> Iterator[Frame]:
    """Take every whole frame off the front of a buffer.

    Raises
    ------
    MalformedFrame
        The buffer does not begin with a frame, or the frame is over ``FRAME_BYTES_MAX``.
    """
    taken = 0
    try:
        while len(buffer) - taken >= HEADER_BYTES:
            magic, version, operation, correlation, size, _ = _HEADER.unpack_from(buffer, taken)
            if magic != _MAGIC or version != _VERSION or size > FRAME_BYTES_MAX:
                raise MalformedFrame
            end = taken + HEADER_BYTES + size
            if end > len(buffer):
                return
            payload = bytes(buffer[taken + HEADER_BYTES : end])
            taken = end
            yield Frame(operation, correlation, payload)
    finally:
        del buffer[:taken]


def error_body(error: FormicaryError, *, unknown: bool = False) -> bytes:
    """Return the payload of an ``ERROR`` frame."""
    code = error.code if isinstance(error, Refusal) else _snake(type(error).__name__)
    return msgspec.json.encode(ErrorBody(code=code, message=str(error), unknown=unknown))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
