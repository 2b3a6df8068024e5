"""Which SQL column holds which fields of a row: the one place that maps rows.py to the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from formicary.factory.journal.rows import (
    ACCOUNT_ROW,
    DECISION_ROW,
    SIDES,
    TOTALS,
    TRANSFER_ROW,
    VALUES,
    WORD_PAIRS,
)

__all__ = [
    "ACCOUNT_COLUMNS",
    "COMMIT_COLUMNS",
    "COMMIT_ROW",
    "DECISION_COLUMNS",
    "SQL_TYPES",
    "TRANSFER_COLUMNS",
    "Column",
    "SqlType",
    "bytes_of",
    "column_dtype",
]


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type of PostgreSQL: its object id and the expression that gives its binary form."""

    name: str
    oid: int
    send: str


SQL_TYPES: Final = {
    kind.name: kind
    for kind in (
        SqlType("bigint", 20, "int8send({})"),
        SqlType("integer", 23, "int4send({})"),
        SqlType("smallint", 21, "int2send({})"),
        SqlType("uuid", 2950, "uuid_send({})"),
        SqlType("bytea", 17, "{}"),
        SqlType("text", 25, "textsend({})"),
        SqlType("jsonb", 3802, "jsonb_send({})"),
    )
}
"""By name. Object ids of built-in types never change between releases of PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Column:
    """One SQL column and the fields of the row that it holds, in order, each big-endian.

    A ``rare`` one is ``bytea`` and may be left empty where all its fields are zero.
    """

    name: str
    type: SqlType
    fields: tuple[str, ...]
    rare: bool = False

    def width(self, row: np.dtype[Any]) -> int:
        """Return the bytes of all its fields."""
        return sum(row[name].itemsize for name in self.fields)

    def send(self, row: np.dtype[Any]) -> str:
        """Return the SQL expression of the column's binary form, ``width`` bytes in every row."""
        stored = self.type.send.format(f'"{self.name}"')
        if not self.rare:
            return stored
        return f"CASE {stored} WHEN '' THEN decode(repeat('00', {self.width(row)}), 'hex') ELSE {stored} END"


COMMIT_ROW: Final = np.dtype(
    [
        ("first", "<i8"),
        ("last", "<i8"),
        ("epoch", "<i8"),
        ("wall_time", "<i8"),
        ("state_hash", "<u8"),
        ("requests", "<i4"),
    ]
)
"""One commit: its positions, inclusive, and what is outside every hash. ``wall_time`` is in ns."""

_TYPE_OF_BYTES: Final = {2: "smallint", 4: "integer", 8: "bigint"}


def column_dtype(columns: Sequence[Column], row: np.dtype[Any]) -> list[tuple[str, str]]:
    """Return the big-endian fields of ``columns``, in their order, with the row's kinds and widths."""
    return [(name, row[name].newbyteorder(">").str) for column in columns for name in column.fields]


def bytes_of(fields: Sequence[str], columns: Sequence[Column], row: np.dtype[Any]) -> str:
    """Return the SQL expression of the big-endian bytes of neighbouring fields, whichever column has them.

    It is empty where a rare column is.
    """
    (column,) = (column for column in columns if fields[0] in column.fields)
    if column.fields == tuple(fields):
        return column.send(row)
    place = column.fields.index(fields[0])
    start = sum(row[name].itemsize for name in column.fields[:place])
    width = sum(row[name].itemsize for name in fields)
    return f'substring("{column.name}" FROM {start + 1} FOR {width})'


def _columns(row: np.dtype[Any], *, skipped: Sequence[str] = ()) -> tuple[Column, ...]:
    """One column a field; a pair of words is one uuid."""
    columns = []
    for name in row.names or ():
        if name in skipped or name.endswith("_low"):
            continue
        stem = name.removesuffix("_high")
        if stem in WORD_PAIRS:
            columns.append(Column(stem, SQL_TYPES["uuid"], (name, f"{stem}_low")))
        else:
            columns.append(Column(name, SQL_TYPES[_TYPE_OF_BYTES[row[name].itemsize]], (name,)))
    return tuple(columns)


# A COPY pays for each column, and most readers want all of a row: what no index, constraint or join of
# analysts asks for by itself shares a column.
_RARE: Final = (
    *("pending_id_high", "pending_id_low", "user_data_128_high", "user_data_128_low"),
    *("user_data_64", "user_data_32", "timeout"),
)
_AFTER: Final = (
    "previous_debit",
    "previous_credit",
    *(f"{side}_{total}" for side in SIDES for total in TOTALS),
)

TRANSFER_COLUMNS: Final = (
    *_columns(TRANSFER_ROW, skipped=("reserved", *_RARE, *_AFTER)),
    Column("after", SQL_TYPES["bytea"], _AFTER),
    Column("rare", SQL_TYPES["bytea"], _RARE, rare=True),
)
"""``reserved`` is padding: it is not stored and reads back as zero."""

ACCOUNT_COLUMNS: Final = _columns(ACCOUNT_ROW)

_ASKED_FOR: Final = ("position", "timestamp", "point", "policy", "outcome", "effect", "path")
_READ: Final = tuple(f"value_{place:02}" for place in range(VALUES))
_RECORD: Final = tuple(name for name in DECISION_ROW.names or () if name not in (*_ASKED_FOR, *_READ))

DECISION_COLUMNS: Final = (
    *_columns(DECISION_ROW, skipped=(*_RECORD, *_READ)),
    Column("record", SQL_TYPES["bytea"], _RECORD),
    Column("values", SQL_TYPES["bytea"], _READ[: VALUES // 2]),
    Column("more_values", SQL_TYPES["bytea"], _READ[VALUES // 2 :], rare=True),
)
"""What is reserved is stored as well: a later release can give it a meaning without another column."""

COMMIT_COLUMNS: Final = _columns(COMMIT_ROW)
