"""Taking over the journal: the epoch first, then the tail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from formicary.factory.journal import statements
from formicary.factory.journal.errors import JournalCorrupted, JournalUnavailable
from formicary.factory.journal.session import Session, int8

__all__ = ["Lease", "depose", "end_appends_in_flight", "is_lock_timeout", "require_tail"]

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


def depose(session: Session) -> Lease:
    """Depose every other writer and return the lease.

    The order is the point: adding to the epoch locks the fence, so it waits for an append in flight, and none
    can begin after it. Only then does the position stand still.

    Raises
    ------
    JournalUnavailable
        The database failed, or an append in flight did not end in time.
    JournalCorrupted
        There is no fence.
    """
    fence = session.execute(statements.TAKE_OVER)
    if fence.ntuples != 1:
        session.close()
        message = "the fence is not exactly one row"
        raise JournalCorrupted(message)
    epoch, position = (int.from_bytes(fence.get_value(0, place) or b"") for place in range(2))
    return Lease(epoch=epoch, position=position)


def require_tail(session: Session, position: int, *, segment_positions: int) -> None:
    """Raise ``JournalCorrupted`` unless the journal ends at ``position``, where its fence stands."""
    if position == 0:
        return
    segment = (position - 1) // segment_positions
    # Without it the search for the tail would go through the whole segment.
    session.execute(statements.SUMMARIZE, [int8(segment)])
    found = [
        session.number(statements.count_from(number), [int8(position)])
        for number in (segment, segment + 1)
        if number * segment_positions < session.number(statements.PLACES)
    ]
    if found[0] != 1 or any(found[1:]):
        session.close()
        message = f"the fence stands at position {position}; from there on {found} rows were found, not one"
        raise JournalCorrupted(message)


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
