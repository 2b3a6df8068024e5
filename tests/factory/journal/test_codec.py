"""Rows to bytes and back: every bit survives."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.journal.codec import COPY_HEADER, COPY_TRAILER, RowCodec, array_header
from formicary.factory.journal.columns import (
    ACCOUNT_COLUMNS,
    COMMIT_COLUMNS,
    COMMIT_ROW,
    DECISION_COLUMNS,
    TRANSFER_COLUMNS,
    Column,
    bytes_of,
)
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW

Rows = npt.NDArray[Any]

TABLES = {
    "transfers": (TRANSFER_COLUMNS, TRANSFER_ROW),
    "decisions": (DECISION_COLUMNS, DECISION_ROW),
    "accounts": (ACCOUNT_COLUMNS, ACCOUNT_ROW),
    "commits": (COMMIT_COLUMNS, COMMIT_ROW),
}
CODECS = {name: RowCodec(*table) for name, table in TABLES.items()}


@st.composite
def any_rows(draw: st.DrawFn) -> tuple[str, Rows]:
    """Draw a table and up to five rows of any bits, padding apart; rare fields may all be zero."""
    name = draw(st.sampled_from(sorted(TABLES)))
    dtype = TABLES[name][1]
    count = draw(st.integers(0, 5))
    size = count * dtype.itemsize
    rows = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).copy()
    if name == "transfers":
        rows["reserved"] = 0
    if draw(st.booleans()):
        for field in (field for column in TABLES[name][0] if column.rare for field in column.fields):
            rows[field] = 0
    return name, rows


def split(
    data: bytes, columns: tuple[Column, ...], row: np.dtype[Any], count: int, *, with_types: bool
) -> list[bytes]:
    """Take framed rows apart as the server does; return each row's fields without their frames."""
    rows, place = [], 0
    for _ in range(count):
        if with_types:
            (size,) = struct.unpack_from(">i", data, place)
            place += 4
            end = place + size
        (number,) = struct.unpack_from(">i" if with_types else ">h", data, place)
        place += 4 if with_types else 2
        assert number == len(columns)
        fields = []
        for column in columns:
            if with_types:
                assert struct.unpack_from(">I", data, place) == (column.type.oid,)
                place += 4
            (length,) = struct.unpack_from(">i", data, place)
            place += 4
            whole = sum(row[name].itemsize for name in column.fields)
            assert length == whole or (column.rare and length == 0)
            fields.append(data[place : place + length].rjust(whole, b"\0"))
            place += length
        if with_types:
            assert place == end
        rows.append(b"".join(fields))
    assert place == len(data)
    return rows


@given(any_rows())
def test_copy_and_packed_rows_round_trip(example: tuple[str, Rows]) -> None:
    """What COPY is sent, packed as the server packs it, decodes to the same rows."""
    name, rows = example
    packed = split(bytes(CODECS[name].copy(rows)), *TABLES[name], len(rows), with_types=False)
    decoded = CODECS[name].decode(b"".join(packed))
    assert decoded.tobytes() == rows.tobytes()
    assert decoded.flags.owndata
    assert decoded.flags.writeable


@given(any_rows())
def test_arrays_round_trip(example: tuple[str, Rows]) -> None:
    """The same holds for an array parameter, which names every type."""
    name, rows = example
    array = CODECS[name].array(rows, 4_711)
    header = array_header(len(rows), 4_711)
    assert array.startswith(header)
    packed = split(array.removeprefix(header), *TABLES[name], len(rows), with_types=True)
    assert CODECS[name].decode(b"".join(packed)).tobytes() == rows.tobytes()


@pytest.mark.parametrize(("name", "said"), [("transfers", 1), ("decisions", np.nan), ("decisions", -0.0)])
def test_rare_columns_are_empty_where_no_row_needs_them(name: str, said: float) -> None:
    """One row that says something there makes all rows of its batch whole."""
    columns, dtype = TABLES[name]
    codec, rows = CODECS[name], np.zeros(3, dtype)
    bare = [len(codec.copy(rows)), len(codec.array(rows, 1))]
    (rare,) = (column for column in columns if column.rare)
    for field in rare.fields:
        one = rows.copy()
        one[field][1] = said
        whole = [size + 3 * rare.width(dtype) for size in bare]
        assert [len(codec.copy(one)), len(codec.array(one, 1))] == whole


def test_array_headers() -> None:
    """An empty array has no dimension."""
    assert struct.unpack(">iiI", array_header(0, 20)) == (0, 0, 20)
    assert struct.unpack(">iiIii", array_header(3, 20)) == (1, 0, 20, 3, 1)


def test_the_frame_of_a_copy() -> None:
    """The signature is the one PostgreSQL documents; the trailer is a count of minus one."""
    assert COPY_HEADER[:11] == b"PGCOPY\n\xff\r\n\0"
    assert len(COPY_HEADER) == 19
    assert struct.pack(">h", -1) == COPY_TRAILER


@pytest.mark.parametrize("name", TABLES)
def test_every_field_is_stored_once(name: str) -> None:
    """Columns hold each field of the row exactly once, padding apart."""
    columns, dtype = TABLES[name]
    fields = [field for column in columns for field in column.fields]
    padding = {"reserved"} if name == "transfers" else set()
    assert sorted(fields) == sorted(set(dtype.names or ()) - padding)


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        (("user_data_128_high", "user_data_128_low"), 'substring("rare" FROM 17 FOR 16)'),
        (("user_data_32",), 'substring("rare" FROM 41 FOR 4)'),
        (("id_high", "id_low"), 'uuid_send("id")'),
        (("amount",), 'int8send("amount")'),
    ],
)
def test_fields_are_found_in_the_column_that_has_them(fields: tuple[str, ...], expression: str) -> None:
    """A column of their own, or their bytes of a shared one, after those of the fields before them."""
    assert bytes_of(fields, TRANSFER_COLUMNS, TRANSFER_ROW) == expression
