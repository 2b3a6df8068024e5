"""Transfers and accounts by what they are, in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import DEADLINE_SECONDS, QUERY_LIMIT_MAX, SEARCH_POSITIONS
from formicary.factory.history.connection import Connection
from formicary.factory.history.ranges import BITS, within_range
from formicary.factory.journal import statements
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.blocks import spans
from formicary.factory.journal.codec import RowCodec
from formicary.factory.journal.columns import ACCOUNT_COLUMNS, TRANSFER_COLUMNS, Column, bytes_of
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from formicary.factory.journal.session import int8
from formicary.factory.ledger import CreateTransferStatus, QueryFilter

__all__ = ["Search"]

Rows = npt.NDArray[Any]

# Parameters 1 to 3 are the positions and the limit.
_FIRST_CONDITION: Final = 4
_USER_DATA: Final = {
    "user_data_128": ("user_data_128_high", "user_data_128_low"),
    "user_data_64": ("user_data_64",),
    "user_data_32": ("user_data_32",),
}


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to search: its name, what every row found must be, and how rows come back."""

    name: str
    always: str
    columns: Sequence[Column]
    dtype: np.dtype[np.void]
    codec: RowCodec


class Search:
    """Searches the journal's tables, a stretch of positions at a time. For one thread at a time.

    There is no index on what a row says: a search that finds little reads the whole journal.
    """

    def __init__(self, access: Access, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._connection = Connection(
            access, role=Role.READER, purpose="search", deadline_seconds=deadline_seconds
        )
        created = f"status = {int(CreateTransferStatus.CREATED)}"
        self._transfers = _Table(
            "transfers", created, TRANSFER_COLUMNS, TRANSFER_ROW, statements.transfer_codec()
        )
        self._accounts = _Table("accounts", "true", ACCOUNT_COLUMNS, ACCOUNT_ROW, statements.account_codec())

    def transfers(self, wanted: QueryFilter) -> Rows:
        """Return the transfers that match, in order, (n,) of ``TRANSFER_ROW``; no expiries, no burnt ids."""
        return self._found(self._transfers, wanted)

    def accounts(self, wanted: QueryFilter) -> Rows:
        """Return the accounts that match, in order of opening, (n,) of ``ACCOUNT_ROW``."""
        return self._found(self._accounts, wanted)

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()

    def _found(self, table: _Table, wanted: QueryFilter) -> Rows:
        missing, parts = min(wanted.limit, QUERY_LIMIT_MAX), [np.empty(0, table.dtype)]
        within = within_range(wanted)
        if within is None:
            return parts[0]
        conditions = dict(_conditions(table, within))
        sql = _statement(table, list(conditions), newest_first=wanted.reversed)
        for after, until in self._spans(newest_first=wanted.reversed):
            parameters = [int8(after), int8(until), int8(missing), *conditions.values()]
            parts.append(table.codec.decode(self._connection.session.value(sql, parameters)))
            missing -= len(parts[-1])
            if not missing:
                break
        return joined(parts, table.dtype)

    def _spans(self, *, newest_first: bool) -> list[tuple[int, int]]:
        session = self._connection.session
        stretches = spans(
            after=0,
            until=session.number(statements.HEAD),
            segment_positions=session.number(statements.SEGMENT_POSITIONS),
            positions_max=SEARCH_POSITIONS,
        )
        return stretches[::-1] if newest_first else stretches


def _conditions(table: _Table, wanted: QueryFilter) -> Iterator[tuple[str, bytes]]:
    """Yield a comparison and its parameter for every field that a filter names."""
    for name, fields in _USER_DATA.items():
        value = getattr(wanted, name)
        if value:
            stored = bytes_of(fields, table.columns, table.dtype)
            yield f"{stored} = {{}}::bytea", value.to_bytes(BITS[name] // 8)
    for name in ("ledger", "code"):
        value, bits = getattr(wanted, name), BITS[name]
        if value:
            # Stored as the signed word of the same bits.
            yield f"{name} = {{}}::bigint", int8(value - (value >> (bits - 1) << bits))
    if wanted.timestamp_min:
        yield "timestamp >= {}::bigint", int8(wanted.timestamp_min)
    if wanted.timestamp_max:
        yield "timestamp <= {}::bigint", int8(wanted.timestamp_max)


def _statement(table: _Table, comparisons: Sequence[str], *, newest_first: bool) -> str:
    order = f"ORDER BY position {'DESC' if newest_first else 'ASC'}"
    conditions = ["position > $1::bigint", "position <= $2::bigint", table.always]
    conditions += [
        comparison.format(f"${number}") for number, comparison in enumerate(comparisons, _FIRST_CONDITION)
    ]
    return (
        f"SELECT string_agg({table.codec.select}, '' {order}) FROM ("  # noqa: S608 - only our own names.
        f"SELECT * FROM journal.{table.name} WHERE {' AND '.join(conditions)} {order} LIMIT $3::bigint"
        ") AS found"
    )
