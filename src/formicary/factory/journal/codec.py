"""Packed rows to PostgreSQL's binary formats and back, a column at a time.

Three formats share one layout, a big-endian structured array:

``copy``     binary COPY: per row a 2-byte column count, per column a 4-byte length
``array``    one parameter that is an array of composite values: per column also its type
``packed``   what the server concatenates for a reader: the fields alone

The constant bytes (counts, lengths, types) are written once; a batch only assigns its columns
into a buffer that is used again and again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.columns import Column, column_dtype

__all__ = ["COPY_HEADER", "COPY_TRAILER", "RowCodec", "array_header"]

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
        self._fields = [name for column in columns for name in column.fields]
        self._packed = np.dtype(column_dtype(columns, row))
        self._widths = [sum(row[name].itemsize for name in column.fields) for column in columns]
        self._columns = columns
        self._copy = np.zeros(0, self._framed(with_types=False))
        self._array = np.zeros(0, self._framed(with_types=True))
        self.select = _joined([column.send for column in columns])
        """The SQL expression that packs one row of the table."""
        self.names = ", ".join(f'"{column.name}"' for column in columns)
        """The column list, for COPY and INSERT."""

    def copy(self, rows: Rows) -> memoryview:
        """Return ``rows`` (n,) as rows of binary COPY, without header and trailer."""
        if len(self._copy) < len(rows):
            self._copy = self._prepared(self._copy.dtype, len(rows))
        return self._assign(self._copy[: len(rows)], rows)

    def array(self, rows: Rows, type_oid: int) -> bytes:
        """Return ``rows`` (n,) as one binary array of the composite type ``type_oid``."""
        if len(self._array) < len(rows):
            self._array = self._prepared(self._array.dtype, len(rows))
        return array_header(len(rows), type_oid) + self._assign(self._array[: len(rows)], rows)

    def decode(self, packed: bytes) -> Rows:
        """Return packed fields as rows, shape (n,); they do not share memory with ``packed``."""
        source = np.frombuffer(packed, self._packed)
        rows = np.zeros(len(source), self._row)
        for name in self._fields:
            rows[name] = source[name]
        return rows

    def _assign(self, target: Rows, rows: Rows) -> memoryview:
        for name in self._fields:
            target[name] = rows[name]
        # A plain memory view of bytes; a view of the structured array would be an exotic format.
        return target.view(np.uint8).data

    def _framed(self, *, with_types: bool) -> np.dtype[Any]:
        fields = [("size", ">i4"), ("columns", ">i4")] if with_types else [("columns", ">i2")]
        for column in self._columns:
            if with_types:
                fields.append((f"{column.name} type", ">u4"))
            fields.append((f"{column.name} length", ">i4"))
            fields.extend(column_dtype([column], self._row))
        return np.dtype(fields)

    def _prepared(self, framed: np.dtype[Any], length: int) -> Rows:
        buffer = np.zeros(length, framed)
        buffer["columns"] = len(self._columns)
        for column, width in zip(self._columns, self._widths, strict=True):
            buffer[f"{column.name} length"] = width
        if "size" in (framed.names or ()):
            buffer["size"] = framed.itemsize - framed["size"].itemsize
            for column in self._columns:
                buffer[f"{column.name} type"] = column.type.oid
        return buffer


def _joined(parts: Sequence[str]) -> str:
    """Concatenate as a balanced tree: the server copies each part a few times instead of many."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_joined(parts[:half])} || {_joined(parts[half:])})"
