"""Events: the rare kinds of the journal, a header and a JSON body each, and their binary form."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from formicary.factory.journal.codec import array_header
from formicary.factory.journal.columns import SQL_TYPES, Column
from formicary.factory.journal.errors import BatchRejected

__all__ = [
    "EVENT_COLUMNS",
    "EVENT_NAMES",
    "EVENT_SELECT",
    "Event",
    "decode_events",
    "event_array",
    "event_copy",
    "require_storable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event.

    Attributes
    ----------
    position
        Where it stands in the journal.
    timestamp
        When it happened, in nanoseconds since the Unix epoch.
    kind
        Past tense, as in ``SemanticsActivated``.
    version
        The version of the body's form, from 1.
    command_id
        The command that caused it, 128 bits; 0 when there was none.
    subject
        The aggregate it is about, 128 bits; 0 when there is none.
    body
        A JSON object as UTF-8 text. PostgreSQL stores its meaning, not its spelling: read back, keys are
        in another order and spaces differ.
    """

    position: int
    timestamp: int
    kind: str
    version: int
    command_id: int
    subject: int
    body: bytes


EVENT_COLUMNS: Final = tuple(
    Column(name, SQL_TYPES[type_name], ())
    for name, type_name in (
        ("position", "bigint"),
        ("timestamp", "bigint"),
        ("kind", "text"),
        ("version", "integer"),
        ("command_id", "uuid"),
        ("subject", "uuid"),
        ("body", "jsonb"),
    )
)
EVENT_NAMES: Final = ", ".join(f'"{column.name}"' for column in EVENT_COLUMNS)

_FIXED: Final = struct.Struct(">qqi16s16sII")
EVENT_SELECT: Final = (
    'int8send("position") || int8send("timestamp") || int4send("version")'
    ' || uuid_send("command_id") || uuid_send("subject")'
    ' || int4send(octet_length(textsend("kind"))) || int4send(octet_length(textsend("body"::text)))'
    ' || textsend("kind") || textsend("body"::text)'
)
"""The SQL expression that packs one event: fixed fields, two lengths, two texts."""

# jsonb's binary form is a version byte and the text.
_JSONB_VERSION: Final = b"\x01"


def require_storable(event: Event) -> None:
    """Raise ``BatchRejected`` unless the body is a JSON object that PostgreSQL can hold.

    Found here it is an error of the code that made the event; found by the server it would look like a
    failed commit, and the same batch would be tried for ever.
    """
    try:
        body = msgspec.json.decode(event.body)
    except msgspec.DecodeError as error:
        message = f"the body of the event at position {event.position} is not JSON: {error}"
        raise BatchRejected(message) from error
    # A text can only hold one where the JSON holds an escape, which hardly any does.
    texts = _texts(body) if b"\\" in event.body else ()
    if not isinstance(body, dict) or any("\0" in text for text in (event.kind, *texts)):
        message = (
            f"the body of the event at position {event.position} must be an object without NUL characters"
        )
        raise BatchRejected(message)


def event_copy(events: Iterable[Event]) -> bytes:
    """Return events as rows of binary COPY, without header and trailer."""
    return b"".join(_framed(event, ">h", lambda _: b"") for event in events)


def event_array(events: tuple[Event, ...], type_oid: int) -> bytes:
    """Return events as one binary array of the composite type ``type_oid``."""
    rows = [_framed(event, ">i", lambda column: struct.pack(">I", column.type.oid)) for event in events]
    return array_header(len(rows), type_oid) + b"".join(struct.pack(">i", len(row)) + row for row in rows)


def decode_events(packed: bytes) -> Iterator[Event]:
    """Yield the events that ``EVENT_SELECT`` packed, one after the other."""
    offset = 0
    while offset < len(packed):
        position, timestamp, version, command, subject, kind_bytes, body_bytes = _FIXED.unpack_from(
            packed, offset
        )
        kind_at = offset + _FIXED.size
        body_at = kind_at + kind_bytes
        offset = body_at + body_bytes
        yield Event(
            position=position,
            timestamp=timestamp,
            kind=packed[kind_at:body_at].decode(),
            version=version,
            command_id=int.from_bytes(command),
            subject=int.from_bytes(subject),
            body=packed[body_at:offset],
        )


def _framed(event: Event, count_format: str, type_of: Callable[[Column], bytes]) -> bytes:
    values = (
        struct.pack(">q", event.position),
        struct.pack(">q", event.timestamp),
        event.kind.encode(),
        struct.pack(">i", event.version),
        event.command_id.to_bytes(16),
        event.subject.to_bytes(16),
        _JSONB_VERSION + event.body,
    )
    return struct.pack(count_format, len(values)) + b"".join(
        type_of(column) + struct.pack(">i", len(value)) + value
        for column, value in zip(EVENT_COLUMNS, values, strict=True)
    )


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
