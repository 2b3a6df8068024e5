"""Rows and columns as Parquet, in memory.

Of all that folds features only what imports this module carries pyarrow; the engine's process must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from formicary.factory.journal.events import Event

__all__ = ["events_in", "events_table", "parquet_of", "rows_in", "rows_table"]

Rows = npt.NDArray[Any]

_WORD: Final = 2**64 - 1
_EVENT_FIELDS: Final = pa.schema(
    [
        ("position", pa.int64()),
        ("timestamp", pa.int64()),
        ("kind", pa.string()),
        ("version", pa.int32()),
        ("command_id_high", pa.uint64()),
        ("command_id_low", pa.uint64()),
        ("subject_high", pa.uint64()),
        ("subject_low", pa.uint64()),
        ("body", pa.string()),
    ]
)


def parquet_of(table: pa.Table, *, dictionaries: Sequence[str] = ()) -> bytes:
    """Return a table as the bytes of a Parquet file; equal tables give equal bytes.

    ``dictionaries`` are the columns of few different values.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=list(dictionaries))
    return bytes(sink.getvalue())


def rows_table(rows: Rows) -> pa.Table:
    """Return a structured array (n,) as a table with a column for each field, of the field's own type."""
    names = rows.dtype.names or ()
    return pa.table({name: np.ascontiguousarray(rows[name]) for name in names})


def rows_in(data: bytes, dtype: np.dtype[Any]) -> Rows:
    """Return the rows (n,) of a Parquet file that ``rows_table`` gave, as ``dtype``."""
    table = pq.read_table(pa.BufferReader(data))
    rows = np.zeros(table.num_rows, dtype)
    for name in dtype.names or ():
        rows[name] = table.column(name).to_numpy()
    return rows


def events_table(events: Sequence[Event]) -> pa.Table:
    """Return events as a table; ids as two words each, bodies as their text."""
    columns = [
        [event.position for event in events],
        [event.timestamp for event in events],
        [event.kind for event in events],
        [event.version for event in events],
        [event.command_id >> 64 for event in events],
        [event.command_id & _WORD for event in events],
        [event.subject >> 64 for event in events],
        [event.subject & _WORD for event in events],
        [event.body.decode() for event in events],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _EVENT_FIELDS, strict=True)]
    return pa.table(arrays, schema=_EVENT_FIELDS)


def events_in(data: bytes, *, kinds: Sequence[str] | None = None) -> tuple[Event, ...]:
    """Return the events of a Parquet file that ``events_table`` gave, of some kinds or all."""
    chosen = None if kinds is None else [("kind", "in", list(kinds))]
    table = pq.read_table(pa.BufferReader(data), filters=chosen)
    columns = (table.column(name).to_pylist() for name in _EVENT_FIELDS.names)
    return tuple(_event(row) for row in zip(*columns, strict=True))


def _event(row: tuple[Any, ...]) -> Event:
    position, timestamp, kind, version, command_high, command_low, subject_high, subject_low, body = row
    return Event(
        position=position,
        timestamp=timestamp,
        kind=kind,
        version=version,
        command_id=command_high << 64 | command_low,
        subject=subject_high << 64 | subject_low,
        body=body.encode(),
    )
