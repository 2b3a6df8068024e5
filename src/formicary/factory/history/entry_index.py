"""Every 64th entry of an account, in a table of its own: where a search in time begins."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.history.connection import Connection
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.codec import COPY_HEADER, COPY_TRAILER, RowCodec
from formicary.factory.journal.columns import SQL_TYPES, Column
from formicary.factory.journal.session import int8

__all__ = ["ENTRY_POINT", "EntryIndex", "EntryIndexReader"]

ENTRY_POINT: Final = np.dtype(
    [("account_high", "<u8"), ("account_low", "<u8"), ("timestamp", "<i8"), ("position", "<i8")]
)
"""One indexed entry: the account, when, and its journal position."""

_COLUMNS: Final = (
    Column("account", SQL_TYPES["uuid"], ("account_high", "account_low")),
    Column("timestamp", SQL_TYPES["bigint"], ("timestamp",)),
    Column("position", SQL_TYPES["bigint"], ("position",)),
)
_POSITION: Final = "SELECT position FROM read_models.follower"
_LOCK: Final = "BEGIN; SELECT position FROM read_models.follower FOR UPDATE"
_ORDER: Final = "ORDER BY timestamp, position"
_ADD: Final = """
    COPY read_models.entry_index ({names}) FROM STDIN (FORMAT binary);
    UPDATE read_models.follower SET position = {position};
    COMMIT
"""


def _codec() -> RowCodec:
    return RowCodec(_COLUMNS, ENTRY_POINT)


_FIRST_AFTER: Final = f"""
    SELECT coalesce((
        SELECT position FROM read_models.entry_index
        WHERE account = $1::uuid AND timestamp > $2::bigint {_ORDER} LIMIT 1
    ), 0)
"""  # noqa: S608
_POINTS: Final = f"""
    SELECT string_agg({_codec().select}, '' {_ORDER}) FROM (
        SELECT * FROM read_models.entry_index
        WHERE account = $1::uuid AND (timestamp, position) > ($2::bigint, $3::bigint)
        {_ORDER} LIMIT $4::bigint
    ) AS point
"""  # noqa: S608


class EntryIndex:
    """The index as its one writer, the follower, sees it; entered in the follower's role."""

    def __init__(self, access: Access, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._connection = Connection(
            access, role=Role.FOLLOWER, purpose="entry index", deadline_seconds=deadline_seconds
        )
        self._codec = _codec()

    def position(self) -> int:
        """Return the position up to which the index is complete."""
        return self._connection.session.number(_POSITION)

    def add(self, points: npt.NDArray[Any], *, position: int) -> None:
        """Add points (n,) of ``ENTRY_POINT`` in order; then the index is complete up to ``position``.

        Points that it holds already are left out: a follower may repeat what it did before it stopped, or
        what it does not know the outcome of.

        Raises
        ------
        JournalUnavailable
            Whether they were added is unknown.
        """
        session = self._connection.session
        stored = int(session.query(_LOCK)[-1].get_value(0, 0) or 0)
        if stored >= position:
            session.query("ROLLBACK")
            return
        session.query(_ADD.format(names=self._codec.names, position=position))
        fresh = points[points["position"] > stored]
        session.send_rows((COPY_HEADER, self._codec.copy(fresh), COPY_TRAILER))

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()


class EntryIndexReader:
    """The index as readers see it."""

    def __init__(self, access: Access, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._connection = Connection(
            access, role=Role.READER, purpose="history", deadline_seconds=deadline_seconds
        )
        self._codec = _codec()

    def first_after(self, account_id: int, timestamp: int) -> int:
        """Return the position of an account's first indexed entry later than ``timestamp``, or 0."""
        return self._connection.session.number(_FIRST_AFTER, [account_id.to_bytes(16), int8(timestamp)])

    def points(self, account_id: int, *, timestamp: int, after: int, limit: int) -> npt.NDArray[Any]:
        """Return up to ``limit`` indexed entries (n,) of ``ENTRY_POINT``, in order.

        They are those at ``timestamp`` with a position after ``after``, and all that are later.
        """
        parameters = [account_id.to_bytes(16), int8(timestamp), int8(after), int8(limit)]
        return self._codec.decode(self._connection.session.value(_POINTS, parameters))

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()
