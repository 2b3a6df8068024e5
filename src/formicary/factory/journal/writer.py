"""The one writer of the journal: taking over, and appending behind the fence."""

from __future__ import annotations

import functools
import logging
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from formicary.base.limits import DEADLINE_SECONDS, SMALL_APPEND_ROWS_MAX
from formicary.factory.journal import statements
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.codec import COPY_HEADER, COPY_TRAILER
from formicary.factory.journal.durability import require_durable
from formicary.factory.journal.errors import BatchRejected, Fenced, JournalUnavailable
from formicary.factory.journal.events import event_array, event_copy
from formicary.factory.journal.parts import Part, parts_of
from formicary.factory.journal.session import Session, int8, number_in
from formicary.factory.journal.takeover import (
    Lease,
    depose,
    end_appends_in_flight,
    is_lock_timeout,
    require_tail,
)

if TYPE_CHECKING:
    from psycopg.abc import Buffer

__all__ = ["Writer"]

# How long a take-over waits for an append in flight before it ends it: far longer than an append takes.
_PATIENCE_SECONDS: Final = 1.0
# The server's classes "data exception" and "integrity constraint violation": the batch is wrong, not the
# server.
_REJECTING_CLASSES: Final = frozenset({"22", "23"})
_COMMITTED: Final = b"COMMIT"
_LOG: Final = logging.getLogger(__name__)
_SIGNED_HALF: Final = 1 << 63


class Writer:
    """Appends batches. For one thread at a time; waiting for the server does not hold the GIL.

    Parameters
    ----------
    access
        The database; it is entered as the writer, on the first take-over.
    allow_full_page_writes_off
        See ``require_durable``.
    deadline_seconds
        How long one call may wait for the server.
    """

    def __init__(
        self,
        access: Access,
        *,
        allow_full_page_writes_off: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._access = access
        self._allow_full_page_writes_off = allow_full_page_writes_off
        self._deadline_seconds = deadline_seconds
        self._codecs = {
            "transfers": statements.transfer_codec(),
            "decisions": statements.decision_codec(),
            "accounts": statements.account_codec(),
        }
        self._session: Session | None = None
        self._lease: Lease | None = None
        self._segment_positions = 0
        self._row_types: dict[str, int] = {}
        # The last position that has a partition, and from which position on to ask for more.
        self._places = 0
        self._places_wanted_at = 0

    def take_over(self) -> Lease:
        """Depose every other writer and return the lease; see ``takeover.depose``."""
        self.close()
        try:
            self._lease = self._take_over(min(_PATIENCE_SECONDS, self._deadline_seconds))
        except JournalUnavailable as error:
            if not is_lock_timeout(error):
                raise
            end_appends_in_flight(self._access.login)
            self._lease = self._take_over(self._deadline_seconds)
        return self._lease

    def append(self, batch: Batch) -> None:
        """Write one batch in one transaction; on return it is durable.

        After any error the writer has to take over again: that is how it learns what was written.

        Raises
        ------
        Fenced
            A newer epoch owns the journal; nothing was written.
        BatchRejected
            The batch does not follow the lease's position or broke a constraint; nothing was written.
        JournalUnavailable
            Whether it was written is unknown.
        """
        self.begin(batch)()

    def begin(self, batch: Batch) -> Callable[[], None]:
        """Start an append; the function returned finishes it, from any thread, and raises as ``append`` does.

        The server has its first message on return: it works while the caller does something else, whenever
        another thread gets round to finish. Nothing else may be asked of the writer in between.
        """
        session, lease = self._require_lease(batch)
        # Until it is confirmed there is no lease: whatever goes wrong below, the next step is a take-over.
        self._lease = None
        self._ensure_places(batch.last)
        parts = parts_of(batch, self._segment_positions)
        if len(batch) <= SMALL_APPEND_ROWS_MAX and parts[0].segment == parts[-1].segment:
            finish = self._append_in_one(session, lease, batch, parts)
        else:
            finish = self._append_by_copy(session, lease, batch, parts)
        return functools.partial(self._finish, finish, Lease(epoch=lease.epoch, position=batch.last))

    def _finish(self, finish: Callable[[], None], lease: Lease) -> None:
        try:
            finish()
        except JournalUnavailable as error:
            if error.sqlstate[:2] in _REJECTING_CLASSES:
                raise BatchRejected(str(error)) from error
            raise
        self._lease = lease

    def confirm(self) -> None:
        """Return if this writer still owns the journal: what needs no append may be answered then.

        An engine that was deposed and does not know it would go on answering from its old state.

        Raises
        ------
        Fenced
            A newer epoch owns the journal.
        BatchRejected
            It was not taken over.
        JournalUnavailable
            It cannot be told.
        """
        session, lease = self._require_session()
        self._lease = None
        if session.number(statements.EPOCH) != lease.epoch:
            self._fenced(session, lease)
        self._lease = lease

    def close(self) -> None:
        """Close the connection and give up the lease."""
        self._lease = None
        if self._session is not None:
            self._session.close()
            self._session = None

    def _take_over(self, lock_seconds: float) -> Lease:
        session = self._connect()
        session.query(f"SET lock_timeout = {int(lock_seconds * 1_000)}")
        lease = depose(session)
        require_tail(session, lease.position, segment_positions=self._segment_positions)
        self._places = session.number(statements.PLACES)
        self._places_wanted_at = 0
        return lease

    def _connect(self) -> Session:
        session = Session(
            self._access.conninfo_for(Role.WRITER), purpose="writer", deadline_seconds=self._deadline_seconds
        )
        self._session = session
        require_durable(session, allow_full_page_writes_off=self._allow_full_page_writes_off)
        self._segment_positions = session.number(statements.SEGMENT_POSITIONS)
        types = session.execute(statements.ROW_TYPES)
        self._row_types = {
            table: int.from_bytes(types.get_value(0, place) or b"")
            for place, table in enumerate(statements.TABLES)
        }
        return session

    def _require_session(self) -> tuple[Session, Lease]:
        if self._session is None or self._lease is None:
            message = "the journal must be taken over before it can be appended to"
            raise BatchRejected(message)
        return self._session, self._lease

    def _require_lease(self, batch: Batch) -> tuple[Session, Lease]:
        session, lease = self._require_session()
        if batch.first != lease.position + 1:
            message = f"a batch from position {batch.first} cannot follow position {lease.position}"
            raise BatchRejected(message)
        return session, lease

    def _ensure_places(self, last: int) -> None:
        """Create the next segment half a segment before it is needed, on a connection of its own.

        Somebody may be in the way (a segment that is being detached waits for its readers). As long as there
        is room that is no reason to fail: it is tried again a little later.
        """
        headroom = self._segment_positions // 2
        has_room = last <= self._places
        if last + headroom <= self._places or (has_room and last < self._places_wanted_at):
            return
        patience = _PATIENCE_SECONDS if has_room else self._deadline_seconds
        try:
            self._places = self._create_segments(last + self._segment_positions, patience)
        except JournalUnavailable as error:
            if not has_room:
                raise
            self._places_wanted_at = last + headroom // 8
            _LOG.warning("the next segment could not be created yet: %s", error)

    def _create_segments(self, until: int, deadline_seconds: float) -> int:
        conninfo = self._access.conninfo_for(Role.WRITER)
        session = Session(conninfo, purpose="segments", deadline_seconds=deadline_seconds)
        try:
            return session.number(statements.CREATE_SEGMENTS, [int8(until)])
        finally:
            session.close()

    def _append_in_one(
        self, session: Session, lease: Lease, batch: Batch, parts: list[Part]
    ) -> Callable[[], None]:
        """One statement, one round trip: for a small batch that is most of its time."""
        sql = statements.append_in_one(parts[0].segment, tuple(part.table for part in parts))
        parameters = [
            int8(batch.last),
            int8(lease.epoch),
            int8(lease.position),
            int8(_signed(batch.state_hash)),
            struct.pack(">i", batch.requests),
            *(self._array(part) for part in parts),
        ]
        added = session.begin(sql, parameters)

        def finish() -> None:
            if number_in(added()[-1]) != 1:
                self._fenced(session, lease)

        return finish

    def _append_by_copy(
        self, session: Session, lease: Lease, batch: Batch, parts: list[Part]
    ) -> Callable[[], None]:
        script = statements.begin_append(
            segment=(batch.first - 1) // self._segment_positions,
            epoch=lease.epoch,
            first=batch.first,
            last=batch.last,
            state_hash=_signed(batch.state_hash),
            requests=batch.requests,
            copies=[(part.table, part.segment) for part in parts],
        )
        begun = session.begin_query(script)

        def finish() -> None:
            if begun()[1].command_tuples != 1:
                self._fenced(session, lease)
            for part in parts:
                results = session.send_rows((COPY_HEADER, *self._copied(part), COPY_TRAILER))
            if results[-1].command_status != _COMMITTED:
                session.close()
                message = f"the server answered {results[-1].command_status!r} to COMMIT"
                raise JournalUnavailable(message)

        return finish

    def _fenced(self, session: Session, lease: Lease) -> None:
        # Closing is what rolls back a transaction that waits for its rows.
        session.close()
        message = f"epoch {lease.epoch} no longer owns the journal at position {lease.position}"
        raise Fenced(message)

    def _array(self, part: Part) -> bytes:
        row_type = self._row_types[part.table]
        if part.table == "events":
            return event_array(part.rows, row_type)
        return self._codecs[part.table].array(part.rows, row_type)

    def _copied(self, part: Part) -> Iterable[Buffer]:
        if part.table == "events":
            return (event_copy(part.rows),)
        return (self._codecs[part.table].copy(part.rows),)


def _signed(word: int) -> int:
    """Return the signed 64-bit integer of the same bits."""
    return (word ^ _SIGNED_HALF) - _SIGNED_HALF
