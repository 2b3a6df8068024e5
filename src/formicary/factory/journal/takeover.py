"""Taking over the journal: the epoch first, then the tail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from formicary.factory.journal import statements
from formicary.factory.journal.errors import JournalCorrupted, JournalUnavailable
from formicary.factory.journal.session import Session, int8

__all__ = ["Lease", "end_appends_in_flight", "is_lock_timeout", "take_over"]

_LOG: Final = logging.getLogger(__name__)
_LOCK_NOT_AVAILABLE: Final = "55P03"
# Only a transaction that changes the fence holds this lock on it: an append or another take-over.
_END_HOLDERS: Final = """
    SELECT pid, pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'journal.writer'::regclass AND mode = 'RowExclusiveLock' AND
    granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to append: the epoch it holds under, and the last position written."""

    epoch: int
    position: int


def take_over(session: Session, *, segment_positions: int) -> Lease:
    """Depose every other writer and return the lease.

    The order is the point: adding to the epoch locks the fence, so it waits for an append in flight, and none
    can begin after it. Only then does the position stand still.

    Raises
    ------
    JournalUnavailable
        The database failed, or an append in flight did not end in time.
    JournalCorrupted
        The tables do not end at the fence's position.
    """
    fence = session.execute(statements.TAKE_OVER)
    if fence.ntuples != 1:
        session.close()
        message = "the fence is not exactly one row"
        raise JournalCorrupted(message)
    epoch, position = (int.from_bytes(fence.get_value(0, place) or b"") for place in range(2))
    session.number(statements.CREATE_SEGMENTS, [int8(position + segment_positions)])
    session.execute(statements.SUMMARIZE)
    if position:
        _require_tail(session, position, (position - 1) // segment_positions)
    return Lease(epoch=epoch, position=position)


def is_lock_timeout(error: JournalUnavailable) -> bool:
    """Whether the server gave up waiting for a lock."""
    return error.sqlstate == _LOCK_NOT_AVAILABLE


def end_appends_in_flight(conninfo: str) -> None:
    """End the server's side of every append in flight; each is rolled back.

    An engine that was stopped in the middle of a COPY keeps the fence locked, and no time-out of the
    server ends a COPY that waits for its client.
    """
    session = Session(conninfo, purpose="take-over")
    try:
        for result in session.query(_END_HOLDERS):
            pids = [int(result.get_value(row, 0) or 0) for row in range(result.ntuples)]
            _LOG.warning("ended %d append(s) that kept the journal locked: backends %s", len(pids), pids)
    finally:
        session.close()


def _require_tail(session: Session, position: int, segment: int) -> None:
    here = session.number(statements.count_from(segment), [int8(position)])
    beyond = session.number(statements.count_from(segment + 1), [int8(position)])
    if here != 1 or beyond:
        session.close()
        message = (
            f"the fence stands at position {position}; from there on {here} and {beyond} rows were found"
        )
        raise JournalCorrupted(message)
