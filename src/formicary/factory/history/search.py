"""Transfers and accounts by what they are, in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import DEADLINE_SECONDS, QUERY_LIMIT_MAX, SEARCH_POSITIONS
from formicary.factory.history.connection import Connection
from formicary.factory.journal import statements
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.blocks import spans
from formicary.factory.journal.codec import RowCodec
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from formicary.factory.journal.session import int8
from formicary.factory.ledger import QueryFilter

__all__ = ["Search"]

Rows = npt.NDArray[Any]

_SIGNED: Final = {"user_data_64": 64, "user_data_32": 32, "ledger": 32, "code": 16}
# Parameters 1 to 3 are the positions and the limit.
_FIRST_CONDITION: Final = 4


class Search:
    """Searches the journal's tables, a stretch of positions at a time. For one thread at a time.

    There is no index on what a row says: a search that finds little reads the whole journal.
    """

    def __init__(self, access: Access, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._connection = Connection(
            access, role=Role.READER, purpose="search", deadline_seconds=deadline_seconds
        )

    def transfers(self, wanted: QueryFilter) -> Rows:
        """Return the transfers that match, in order, (n,) of ``TRANSFER_ROW``; no expiries, no burnt ids."""
        created = ("status = 0", b"")
        return self._found("transfers", statements.transfer_codec(), TRANSFER_ROW, wanted, [created])

    def accounts(self, wanted: QueryFilter) -> Rows:
        """Return the accounts that match, in order of opening, (n,) of ``ACCOUNT_ROW``."""
        return self._found("accounts", statements.account_codec(), ACCOUNT_ROW, wanted, [])

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()

    def _found(
        self,
        table: str,
        codec: RowCodec,
        dtype: np.dtype[np.void],
        wanted: QueryFilter,
        fixed: list[tuple[str, bytes]],
    ) -> Rows:
        missing, parts = min(wanted.limit, QUERY_LIMIT_MAX), [np.empty(0, dtype)]
        if not wanted.is_valid:
            return parts[0]
        conditions = [*fixed, *_conditions(wanted)]
        sql = _statement(table, codec, [text for text, _ in conditions], newest_first=wanted.reversed)
        values = [value for _, value in conditions if value]
        for after, until in self._spans(newest_first=wanted.reversed):
            packed = self._connection.session.value(sql, [int8(after), int8(until), int8(missing), *values])
            parts.append(codec.decode(packed))
            missing -= len(parts[-1])
            if not missing:
                break
        return np.concatenate(parts)

    def _spans(self, *, newest_first: bool) -> list[tuple[int, int]]:
        session = self._connection.session
        stretches = spans(
            after=0,
            until=session.number(statements.HEAD),
            segment_positions=session.number(statements.SEGMENT_POSITIONS),
            positions_max=SEARCH_POSITIONS,
        )
        return stretches[::-1] if newest_first else stretches


def _conditions(wanted: QueryFilter) -> Iterator[tuple[str, bytes]]:
    """Yield SQL with a place for one parameter, and its value, for every field that a filter names."""
    if wanted.user_data_128:
        yield "user_data_128 = {}::uuid", wanted.user_data_128.to_bytes(16)
    for name, bits in _SIGNED.items():
        value = getattr(wanted, name)
        if value:
            # Stored as the signed word of the same bits, or not at all where it does not fit.
            signed = value - (1 << bits) if value >> (bits - 1) else value
            yield f"{name} = {{}}::bigint", int8(signed)
    if wanted.timestamp_min:
        yield "timestamp >= {}::bigint", int8(wanted.timestamp_min)
    if wanted.timestamp_max:
        yield "timestamp <= {}::bigint", int8(wanted.timestamp_max)


def _statement(table: str, codec: RowCodec, conditions: list[str], *, newest_first: bool) -> str:
    order = f"ORDER BY position {'DESC' if newest_first else ''}"
    places = iter(range(_FIRST_CONDITION, _FIRST_CONDITION + len(conditions)))
    texts = [text.format(f"${next(places)}") if "{}" in text else text for text in conditions]
    matching = " AND ".join(["position > $1::bigint", "position <= $2::bigint", *texts])
    return (
        f"SELECT string_agg({codec.select}, '' {order}) FROM ("  # noqa: S608 - nothing but our own names.
        f"SELECT * FROM journal.{table} WHERE {matching} {order} LIMIT $3::bigint) AS found"
    )
