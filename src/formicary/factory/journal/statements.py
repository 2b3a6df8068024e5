"""The SQL of the hot paths. Each names its partition: pruning a plan over many costs more than the rows."""

# ruff: noqa: S608 - composed of nothing but our own names and numbers; values are parameters.

from __future__ import annotations

import re
from functools import cache
from typing import Final

from formicary.factory.journal.codec import RowCodec, SparseCodec
from formicary.factory.journal.columns import (
    ACCOUNT_COLUMNS,
    COMMIT_COLUMNS,
    COMMIT_ROW,
    DECISION_COLUMNS,
    TRANSFER_COLUMNS,
)
from formicary.factory.journal.events import EVENT_NAMES, EVENT_SELECT
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW

__all__ = [
    "CREATE_SEGMENTS",
    "HEAD",
    "PLACES",
    "READ_CAUSED",
    "READ_EVENTS",
    "READ_KIND",
    "ROW_TYPES",
    "SEGMENT_POSITIONS",
    "SUMMARIZE",
    "TABLES",
    "TAKE_OVER",
    "account_codec",
    "append_in_one",
    "begin_append",
    "block_codec",
    "commit_codec",
    "count_from",
    "decided_from",
    "decision_block_codec",
    "decision_codec",
    "read_decisions",
    "read_kinds",
    "read_packed",
    "read_picked",
    "read_transfers",
    "transfer_codec",
    "walk",
]

TABLES: Final = ("transfers", "decisions", "accounts", "events")
"""The tables that share the positions."""

HEAD: Final = "SELECT position FROM journal.writer"
EPOCH: Final = "SELECT epoch FROM journal.writer"
SEGMENT_POSITIONS: Final = "SELECT segment_positions FROM journal.layout"
SUMMARIZE: Final = "SELECT journal.summarize($1::bigint)"
PLACES: Final = "SELECT segments * segment_positions FROM journal.layout"
# What products said, not the engine's own notes.
READ_EVENTS: Final = f"""
    SELECT string_agg({EVENT_SELECT}, '' ORDER BY position) FROM (
        SELECT * FROM journal.events
        WHERE position > $1::bigint AND kind NOT LIKE 'engine.%' AND kind LIKE '%.%'
        ORDER BY position LIMIT $2::bigint
    ) AS found"""
CREATE_SEGMENTS: Final = "SELECT journal.create_segments($1)"
# The row lock waits for an append in flight; the position returned is the one which that append left.
TAKE_OVER: Final = "UPDATE journal.writer SET epoch = epoch + 1 RETURNING epoch, position"
# The object ids of the tables' row types: an array parameter has to name its element type.
ROW_TYPES: Final = "SELECT " + ", ".join(f"'journal.{table}'::regtype::oid::bigint" for table in TABLES)


def transfer_codec() -> RowCodec:
    """Return a codec for transfers, for one thread."""
    return RowCodec(TRANSFER_COLUMNS, TRANSFER_ROW)


def block_codec() -> SparseCodec:
    """Return a codec for the transfers of ``read_transfers``, for one thread."""
    return SparseCodec(TRANSFER_COLUMNS, TRANSFER_ROW)


def decision_codec() -> RowCodec:
    """Return a codec for decisions, for one thread."""
    return RowCodec(DECISION_COLUMNS, DECISION_ROW)


def decision_block_codec() -> SparseCodec:
    """Return a codec for the decisions of ``read_decisions``, for one thread."""
    return SparseCodec(DECISION_COLUMNS, DECISION_ROW)


def account_codec() -> RowCodec:
    """Return a codec for accounts, for one thread."""
    return RowCodec(ACCOUNT_COLUMNS, ACCOUNT_ROW)


def commit_codec() -> RowCodec:
    """Return a codec for the side table of commits, for one thread."""
    return RowCodec(COMMIT_COLUMNS, COMMIT_ROW)


_NAMES: Final = {
    "transfers": transfer_codec().names,
    "decisions": decision_codec().names,
    "accounts": account_codec().names,
    "events": EVENT_NAMES,
}
_PACKED: Final = {
    "transfers": transfer_codec().select,
    "decisions": decision_codec().select,
    "accounts": account_codec().select,
    "events": EVENT_SELECT,
    "commits": commit_codec().select,
}
_BLOCKS: Final = {"transfers": block_codec().select, "decisions": decision_block_codec().select}
_WALKED: Final = re.sub(r'("\w+")', r"(it).\1", _PACKED["transfers"])
READ_KIND: Final = f"SELECT string_agg({EVENT_SELECT}, '') FROM journal.events WHERE kind = $1::text"
# The index on commands holds only events that have one, and the planner has to be told.
READ_CAUSED: Final = (
    f"{READ_KIND} AND command_id = ANY ($2::uuid[]) AND command_id <> '00000000-0000-0000-0000-000000000000'"
)
_KEYS: Final = {"accounts": "position", "events": "position", "commits": "first"}
_COMMIT_NAMES: Final = "first, last, epoch, state_hash, requests"


def append_in_one(segment: int, tables: tuple[str, ...]) -> str:
    """Return an append as one statement: rows are added only where the fence was passed.

    Parameters: new position, epoch, old position, state hash, requests, then an array of rows per table.
    Answers how many fences it passed, 1 or 0.
    """
    added = "".join(
        f""", {table}_added AS (
            INSERT INTO journal.{table}_{segment} ({_NAMES[table]})
            SELECT row_added.* FROM fence, unnest(${6 + place}::journal.{table}[]) AS row_added
        )"""
        for place, table in enumerate(tables)
    )
    return f"""
        WITH fence AS (
            UPDATE journal.writer SET position = $1::bigint
            WHERE epoch = $2::bigint AND position = $3::bigint RETURNING 1
        ), commit_added AS (
            INSERT INTO journal.commits_{segment} ({_COMMIT_NAMES})
            SELECT $3 + 1, $1, $2, $4::bigint, $5::integer FROM fence
        ){added}
        SELECT count(*) FROM fence"""


def begin_append(
    *,
    segment: int,
    epoch: int,
    first: int,
    last: int,
    state_hash: int,
    requests: int,
    copies: list[tuple[str, int]],
) -> str:
    """Return an append as one script that stops at each COPY for its rows.

    ``copies`` names table and segment of each. The fence is the second result; with another count than 1
    no row may be sent.
    """
    copying = "".join(
        f"COPY journal.{table}_{number} ({_NAMES[table]}) FROM STDIN (FORMAT binary);"
        for table, number in copies
    )
    return (
        "BEGIN;"
        f"UPDATE journal.writer SET position = {last} WHERE epoch = {epoch} AND position = {first - 1};"
        f"INSERT INTO journal.commits_{segment} ({_COMMIT_NAMES})"
        f" VALUES ({first}, {last}, {epoch}, {state_hash}, {requests});"
        f"{copying}COMMIT"
    )


def read_packed(table: str, segment: int) -> str:
    """Return the query of all rows after $1 up to $2 as one value; their order is the one they lie in."""
    key = _KEYS[table]
    return (
        f"SELECT string_agg({_PACKED[table]}, '') FROM journal.{table}_{segment}"
        f" WHERE {key} > $1::bigint AND {key} <= $2::bigint"
    )


def read_kinds(segment: int) -> str:
    """Return the query of the events after $1 up to $2 of the kinds of the array $3 as one value."""
    return f"{read_packed('events', segment)} AND kind = ANY ($3::text[])"


def decided_from(segment: int) -> str:
    """Return the query of when the first decision after $1 up to $2 was taken, NULL for none."""
    return (
        f"SELECT min(timestamp) FROM journal.decisions_{segment}"
        " WHERE position > $1::bigint AND position <= $2::bigint"
    )


def read_transfers(segment: int) -> str:
    """Return the query of all transfers after $1 up to $2 as the two values that ``block_codec`` decodes."""
    return _read_block("transfers", segment)


def read_decisions(segment: int) -> str:
    """Return the query of all decisions after $1 up to $2, as ``decision_block_codec`` decodes them."""
    return _read_block("decisions", segment)


def _read_block(table: str, segment: int) -> str:
    return (
        f"SELECT {_BLOCKS[table]} FROM journal.{table}_{segment}"
        " WHERE position > $1::bigint AND position <= $2::bigint"
    )


def read_picked(table: str, segment: int) -> str:
    """Return the query of the rows at the positions of the array $1 as one value, in any order."""
    return (
        f"SELECT string_agg({_PACKED[table]}, '') FROM journal.{table}_{segment}"
        " WHERE position = ANY ($1::bigint[])"
    )


@cache
def walk(segment: int) -> str:
    """Return the query of up to $3 entries of account $1 back from position $2 as one value, newest first.

    It ends where the chain leaves the segment, or at a row that is no entry of the account.
    """
    step = f"""CASE $1::uuid WHEN debit_account_id THEN {_word(0)}
        WHEN credit_account_id THEN {_word(1)} END"""
    return f"""
        WITH RECURSIVE chain AS (
            SELECT entry AS it, {step} AS previous, 1 AS step FROM journal.transfers_{segment} AS entry
            WHERE position = $2::bigint
            UNION ALL
            SELECT entry, {step}, step + 1
            FROM chain JOIN journal.transfers_{segment} AS entry ON position = previous
            WHERE step < $3::bigint
        )
        SELECT string_agg({_WALKED}, '') FROM chain"""


def _word(place: int) -> str:
    """Return the expression of a big-endian word of ``after``."""
    return " | ".join(
        f"(get_byte(after, {8 * place + byte})::bigint << {56 - 8 * byte})" for byte in range(8)
    )


def count_from(segment: int) -> str:
    """Return the query of how many rows a segment holds from position $1 on."""
    return "SELECT " + " + ".join(
        f"(SELECT count(*) FROM journal.{table}_{segment} WHERE position >= $1::bigint)" for table in TABLES
    )
