"""Looking after full segments: their btree, their statistics, and leaving the database.

**Retention and archive.** Nothing is ever deleted from the journal; old segments can leave the database:

1. ``detach_segment(access, number)`` takes the segment's transfers, decisions and commits out of the
   partitioned tables. They remain as tables of their own (``journal.transfers_7``): readers that ask for
   their positions still get them, the views no longer show them.
2. Archive these tables (``pg_dump --table 'journal.*_7'``, or the Parquet archive), and verify what was
   archived by reading it back: hashes of its commits must equal those in the table.
3. ``DROP TABLE journal.transfers_7, journal.decisions_7, journal.commits_7`` as the owner. From now on asking
   for these positions is ``SegmentMissing``; recovery needs a snapshot that is younger than the segment.
4. To look at it again, restore the tables and ``attach_segment(access, number)``.

Accounts and events stay: they are few, and every later row refers to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from formicary.base.errors import ProgrammingError
from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable

__all__ = ["attach_segment", "detach_segment", "index_closed_segments", "summarize"]

_LEAVING: Final = ("transfers", "decisions", "commits")
_OPEN_SEGMENT: Final = "SELECT position / segment_positions FROM journal.writer CROSS JOIN journal.layout"
_BOUNDS: Final = "SELECT %s * segment_positions + 1, (%s + 1) * segment_positions + 1 FROM journal.layout"


def index_closed_segments(access: Access) -> tuple[int, ...]:
    """Give every full segment its btree, freeze and analyze it; return the numbers of those that got it.

    Off the commit path: it reads each segment once, and locks out nobody but writers of that segment, of whom
    there are none.
    """
    with _owner(access, seconds=None) as connection:
        numbers = [
            number for (number,) in connection.execute("SELECT journal.segments_to_index()").fetchall()
        ]
        for number in numbers:
            tables = [f"journal.{table}_{number}" for table in (*_LEAVING, "accounts", "events")]
            # Frozen once, its rows are never looked at again to keep transaction numbers from wrapping
            # around.
            connection.execute(f"VACUUM (FREEZE, ANALYZE) {', '.join(tables)}")
            connection.execute("SELECT journal.index_segment(%s)", (number,))
    return tuple(numbers)


def summarize(access: Access) -> int:
    """Note the ranges of positions of pages written since the last time; return how many.

    To be called every second or so while the journal grows, by the follower.
    """
    with _owner(access) as connection:
        ((ranges,),) = connection.execute("SELECT journal.summarize()").fetchall()
    return int(ranges)


def detach_segment(access: Access, number: int) -> None:
    """Take a full segment's transfers, decisions and commits out of their tables; see the module's text.

    Raises
    ------
    ProgrammingError
        The segment is still being written.
    """
    with _owner(access) as connection:
        ((open_segment,),) = connection.execute(_OPEN_SEGMENT).fetchall()
        if not 0 <= number < open_segment:
            message = f"segment {number} cannot be detached: segment {open_segment} is being written"
            raise ProgrammingError(message)
        for table in _LEAVING:
            # Concurrently: readers of the other segments go on.
            connection.execute(
                f"ALTER TABLE journal.{table} DETACH PARTITION journal.{table}_{number} CONCURRENTLY"
            )


def attach_segment(access: Access, number: int) -> None:
    """Put a segment back that was detached, or restored from its archive."""
    with _owner(access) as connection, connection.transaction():
        ((lower, upper),) = connection.execute(_BOUNDS, (number, number)).fetchall()
        for table in _LEAVING:
            connection.execute(
                f"ALTER TABLE journal.{table} ATTACH PARTITION journal.{table}_{number}"
                f" FOR VALUES FROM ({lower}) TO ({upper})"
            )


@contextmanager
def _owner(
    access: Access, *, seconds: int | None = DEADLINE_SECONDS
) -> Iterator[psycopg.Connection[TupleRow]]:
    """Yield a connection as the owner; ``seconds`` bounds its statements, None does not."""
    try:
        with psycopg.connect(
            access.conninfo_for(Role.OWNER),
            autocommit=True,
            connect_timeout=DEADLINE_SECONDS,
            application_name="formicary segments",
        ) as connection:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{DEADLINE_SECONDS}s",))
            connection.execute("SELECT set_config('statement_timeout', %s, false)", (f"{seconds or 0}s",))
            yield connection
    except psycopg.Error as error:
        message = f"the segments could not be looked after: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
