"""Packed rows to PostgreSQL's binary formats and back, fields of a kind at a time.

Three formats share one layout, a big-endian structured array:

``copy``     binary COPY: per row a 2-byte column count, per column a 4-byte length
``array``    one parameter that is an array of composite values: per column also its type
``packed``   what the server concatenates for a reader: the fields alone

The constant bytes (counts, lengths, types) are written once; a batch only assigns its columns
into a buffer that is used again and again.

Most rows leave their rare columns at zero. A batch in which all do stores them empty, and a reader of many
rows has them packed apart, only where they say something.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.columns import Column, column_dtype

__all__ = ["COPY_HEADER", "COPY_TRAILER", "RowCodec", "SparseCodec", "array_header"]

Rows = npt.NDArray[Any]

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Signature, flags and the length of no extension."""

COPY_TRAILER: Final = b"\xff\xff"


def array_header(length: int, element_oid: int) -> bytes:
    """Return the head of a one-dimensional binary array; an array of nothing has no dimension."""
    if length == 0:
        return struct.pack(">iiI", 0, 0, element_oid)
    return struct.pack(">iiIii", 1, 0, element_oid, length, 1)


class RowCodec:
    """Encodes and decodes the rows of one table.

    Not safe for use from two threads: encoding returns a view of a buffer that the next call
    overwrites.

    Parameters
    ----------
    columns
        The columns of the table, in their order.
    row
        The structured dtype of the rows.
    """

    def __init__(self, columns: Sequence[Column], row: np.dtype[Any]) -> None:
        self._row = row
        self._packed, self._fields = _runs(np.dtype(column_dtype(columns, row)), row)
        rare = [column for column in columns if column.rare]
        _, self._rare = _runs(np.dtype(column_dtype(rare, row)), row)
        bare = [replace(column, fields=()) if column.rare else column for column in columns]
        self._copy = {True: _Frames(bare, row), False: _Frames(columns, row)}
        self._array = {
            True: _Frames(bare, row, with_types=True),
            False: _Frames(columns, row, with_types=True),
        }
        self.select = _joined([column.send(row) for column in columns])
        """The SQL expression that packs one row of the table."""
        self.names = ", ".join(f'"{column.name}"' for column in columns)
        """The column list, for COPY and INSERT."""

    def copy(self, rows: Rows) -> memoryview:
        """Return ``rows`` (n,) as rows of binary COPY, without header and trailer."""
        return self._copy[self._is_bare(rows)].of(rows)

    def array(self, rows: Rows, type_oid: int) -> bytes:
        """Return ``rows`` (n,) as one binary array of the composite type ``type_oid``."""
        return array_header(len(rows), type_oid) + self._array[self._is_bare(rows)].of(rows)

    def decode(self, packed: bytes) -> Rows:
        """Return packed fields as rows, shape (n,); they do not share memory with ``packed``."""
        source = np.frombuffer(packed, self._packed)
        rows = np.zeros(len(source), self._row)
        _assign(rows.view(self._fields), source)
        return rows

    def _is_bare(self, rows: Rows) -> bool:
        """Whether no row has anything in its rare columns: they are left empty then, in all of them."""
        fields = rows.view(self._rare)
        return not any(fields[name].any() for name in self._rare.names or ())


class _Frames:
    """Rows of one format with their frames, in a buffer that is kept from batch to batch."""

    def __init__(self, columns: Sequence[Column], row: np.dtype[Any], *, with_types: bool = False) -> None:
        fields = [("size", ">i4"), ("columns", ">i4")] if with_types else [("columns", ">i2")]
        for column in columns:
            if with_types:
                fields.append((f"{column.name} type", ">u4"))
            fields.append((f"{column.name} length", ">i4"))
            fields.extend(column_dtype([column], row))
        self._columns = [(column, column.width(row)) for column in columns]
        self._buffer = np.zeros(0, fields)
        self._stored, self._native = _runs(self._buffer.dtype, row)

    def of(self, rows: Rows) -> memoryview:
        """Return the frames of ``rows``; the next call overwrites them."""
        if len(self._buffer) < len(rows):
            self._buffer = self._prepared(len(rows))
        target = self._buffer[: len(rows)]
        _assign(target.view(self._stored), rows.view(self._native))
        # A plain memory view of bytes; a view of the structured array would be an exotic format.
        return target.view(np.uint8).data

    def _prepared(self, length: int) -> Rows:
        buffer = np.zeros(length, self._buffer.dtype)
        buffer["columns"] = len(self._columns)
        with_types = "size" in (buffer.dtype.names or ())
        if with_types:
            buffer["size"] = buffer.itemsize - buffer["size"].itemsize
        for column, width in self._columns:
            buffer[f"{column.name} length"] = width
            if with_types:
                buffer[f"{column.name} type"] = column.type.oid
        return buffer


class SparseCodec:
    """Decodes rows whose rare columns the server packs apart, where they are not empty.

    Parameters
    ----------
    columns, row
        As for a ``RowCodec``; the first column is the key.
    """

    def __init__(self, columns: Sequence[Column], row: np.dtype[Any]) -> None:
        rare = [column for column in columns if column.rare]
        self._always = RowCodec([column for column in columns if not column.rare], row)
        self._seldom = RowCodec([columns[0], *rare], row)
        self._key = columns[0].name
        _, self._fields = _runs(np.dtype(column_dtype(rare, row)), row)
        is_set = " OR ".join(f"\"{column.name}\" <> ''" for column in rare)
        self.select = (
            f"string_agg({self._always.select}, ''),"
            f" string_agg(CASE WHEN {is_set} THEN {self._seldom.select} END, '')"
        )
        """The two SQL expressions that pack all rows of a query."""

    def decode(self, always: bytes, seldom: bytes) -> Rows:
        """Return what the two expressions packed as rows, shape (n,), in the order of their key."""
        rows = _in_order(self._always.decode(always), self._key)
        rest = self._seldom.decode(seldom)
        places = np.searchsorted(rows[self._key], rest[self._key])
        target, source = rows.view(self._fields), rest.view(self._fields)
        for name in self._fields.names or ():
            target[name][places] = source[name]
        return rows


def _assign(target: Rows, source: Rows) -> None:
    for name in target.dtype.names or ():
        target[name] = source[name]


def _in_order(rows: Rows, key: str) -> Rows:
    """Return rows in the order of their keys, which is nearly always the order they lie in."""
    keys = rows[key]
    if np.all(keys[:-1] < keys[1:]):
        return rows
    return rows[np.argsort(keys, kind="stable")]


def _runs(packed: np.dtype[Any], row: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Return both layouts of the row's fields, neighbours of one width as one array: fewer, longer copies."""
    stored: Mapping[str, Any] = packed.fields or {}
    native: Mapping[str, Any] = row.fields or {}
    runs: list[list[int]] = []
    for name in filter(native.__contains__, packed.names or ()):
        at, place, width = stored[name][1], native[name][1], row[name].itemsize
        if runs:
            run_at, run_place, run_width, count = runs[-1]
            if width == run_width and at - run_at == place - run_place == count * width:
                runs[-1][3] += 1
                continue
        runs.append([at, place, width, 1])
    names = [f"run {number}" for number in range(len(runs))]

    def layout(order: str, offset: int, size: int) -> np.dtype[Any]:
        formats = [(f"{order}u{run[2]}", (run[3],)) for run in runs]
        offsets = [run[offset] for run in runs]
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})

    return layout(">", 0, packed.itemsize), layout("<", 1, row.itemsize)


def _joined(parts: Sequence[str]) -> str:
    """Concatenate as a balanced tree: the server copies each part a few times instead of many."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_joined(parts[:half])} || {_joined(parts[half:])})"
