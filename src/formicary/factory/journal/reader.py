"""Reading the journal, from any position: blocks, single transfers, an account's entries, commits."""

from __future__ import annotations

import queue
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.errors import ProgrammingError
from formicary.base.limits import BLOCK_ROWS, DEADLINE_SECONDS, QUERY_LIMIT_MAX
from formicary.factory.journal import statements
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.blocks import Block, BlockSource, packed, spans
from formicary.factory.journal.codec import array_header
from formicary.factory.journal.columns import SQL_TYPES
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.events import Event, decode_events
from formicary.factory.journal.prefetch import ahead
from formicary.factory.journal.rows import DECISION_ROW, SIDES, TRANSFER_ROW
from formicary.factory.journal.semantics import SEMANTICS_ACTIVATED, Era, eras_of
from formicary.factory.journal.session import Session, int8
from formicary.factory.journal.upcasters import Upcasters

__all__ = ["JournalReader"]

Rows = npt.NDArray[Any]
Positions = npt.NDArray[np.int64]

# Two connections keep two server processes packing while this one unpacks; more gain nothing on small
# machines.
_CONNECTIONS: Final = 2
# Positions looked through at a time for commits: at most as many commits of 44 bytes.
_COMMIT_SPAN: Final = 8 * BLOCK_ROWS
# Decisions of a span of time are read, and their border is looked for, by so many positions: 3 MB of them.
_DECISION_SPAN: Final = 1 << 12
# The same for events of a few kinds, which may be a kilobyte each: all of them still come as one value.
_EVENT_SPAN: Final = 8 * BLOCK_ROWS


class JournalReader:
    """Reads what is committed. For one thread at a time; a block iterator may live beside other calls.

    Parameters
    ----------
    access
        The database.
    role
        As whom it is entered.
    upcasters
        The event kinds this release knows; without them events come as they are stored.
    deadline_seconds
        How long one call may wait for the server.
    """

    def __init__(
        self,
        access: Access,
        *,
        role: Role = Role.READER,
        upcasters: Upcasters | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._conninfo = access.conninfo_for(role)
        self._upcasters = Upcasters(raw=True) if upcasters is None else upcasters
        self._deadline_seconds = deadline_seconds
        self._transfers = statements.transfer_codec()
        self._pickable = {
            "transfers": (self._transfers, TRANSFER_ROW),
            "decisions": (statements.decision_codec(), DECISION_ROW),
        }
        self._commits = statements.commit_codec()
        self._decisions = statements.decision_block_codec()
        self._connected: BlockSource | None = None

    def head(self) -> int:
        """Return the last committed position; 0 in an empty journal."""
        return self._source.session.number(statements.HEAD)

    def read(self, *, after: int, until: int) -> Iterator[Block]:
        """Yield the rows after ``after`` up to ``until`` in blocks, without a gap; see ``BlockSource.read``.

        Raises
        ------
        ProgrammingError
            ``until`` lies beyond the head, or ``after`` is negative or beyond ``until``.
        """
        head = self.head()
        if not 0 <= after <= until <= head:
            message = f"cannot read after {after} until {until}: the journal holds positions 1 to {head}"
            raise ProgrammingError(message)
        pieces = spans(after=after, until=until, segment_positions=self._source.segment_positions)
        if len(pieces) <= _CONNECTIONS:
            return (self._source.read(*piece) for piece in pieces)
        return self._read_ahead(pieces)

    def transfers_at(self, positions: Positions) -> Rows:
        """Return the transfers at ``positions`` (n,), in that order; positions may repeat.

        Raises
        ------
        JournalCorrupted
            There is no transfer at one of them.
        """
        wanted = np.unique(positions)
        found = self._picked("transfers", wanted)
        _require_once(found, wanted, "transfer")
        return found[np.searchsorted(wanted, positions)]

    def decisions_at(self, positions: Positions) -> Rows:
        """Return the decisions at ``positions`` (n,), in that order; positions may repeat.

        A decision stands just before the transfer that it is about.

        Raises
        ------
        JournalCorrupted
            There is no decision at one of them.
        """
        wanted = np.unique(positions)
        found = self._picked("decisions", wanted)
        _require_once(found, wanted, "decision")
        return found[np.searchsorted(wanted, positions)]

    def decisions_before(self, positions: Positions) -> Rows:
        """Return the decisions about the transfers at ``positions`` (n,), in order; none for some of them.

        Raises
        ------
        JournalCorrupted
            There are two about one of them.
        """
        found = self._picked("decisions", np.unique(positions[positions > 1]) - 1)
        _require_once(found, np.unique(found["position"]), "decision")
        return found

    def decisions_between(self, *, first: int, after: int) -> Rows:
        """Return the decisions from a time on and before another, in nanoseconds, in order.

        Times of decisions ascend with their positions, so that the border is found by halves from the end
        on: what it takes depends on the decisions of the span, hardly on the journal before it.
        """
        source, head, parts = self._source, self.head(), list[Rows]()
        # What was added since nobody noted its pages would be gone through at each look.
        source.session.execute(statements.SUMMARIZE, [int8(max(head - 1, 0) // source.segment_positions)])
        for start, end in self._decision_spans(self._border(first, head), head):
            sql = statements.read_decisions(start // source.segment_positions)
            rows = self._decisions.decode(*packed(source.session, sql, [int8(start), int8(end)]))
            parts.append(rows[(rows["timestamp"] >= first) & (rows["timestamp"] < after)])
            if len(rows) and rows["timestamp"][-1] >= after:
                break
        return joined(parts, DECISION_ROW)

    def walk(self, *, account_id: int, from_position: int, limit: int) -> Rows:
        """Return up to ``limit`` entries of an account, newest first, from the one at ``from_position`` back.

        Each row names the position of the account's entry before it, so no index on accounts is needed.

        Raises
        ------
        JournalCorrupted
            ``from_position`` or a position that a row names is no entry of the account.
        """
        parts, missing = list[Rows](), min(limit, QUERY_LIMIT_MAX)
        while from_position > 0 and missing > 0:
            segment = (from_position - 1) // self._source.segment_positions
            parameters = [account_id.to_bytes(16), int8(from_position), int8(missing)]
            rows = self._transfers.decode(*packed(self._source.session, statements.walk(segment), parameters))
            from_position = _end_of_chain(rows, account_id, from_position)
            missing -= len(rows)
            parts.append(rows)
        return joined(parts, TRANSFER_ROW)

    def commits(self, *, after: int) -> Iterator[Rows]:
        """Yield ``COMMIT_ROW`` arrays (c,) of the commits that begin after ``after``, in order."""
        source = self._source
        for start, end in spans(
            after=after,
            until=self.head(),
            segment_positions=source.segment_positions,
            positions_max=_COMMIT_SPAN,
        ):
            sql = statements.read_packed("commits", start // source.segment_positions)
            rows = self._commits.decode(*packed(source.session, sql, [int8(start), int8(end)]))
            if len(rows):
                yield rows[np.argsort(rows["first"], kind="stable")]

    def eras(self) -> tuple[Era, ...]:
        """Return the eras of the kernels' semantics in the order of their positions."""
        stored = self._source.session.value(statements.READ_KIND, [SEMANTICS_ACTIVATED.encode()])
        return eras_of(sorted(decode_events(stored), key=lambda event: event.position))

    def caused_by(self, command_ids: Sequence[int], *, kind: str) -> dict[int, Event]:
        """Return the event of a kind that each command caused, by the command's id, where there is one."""
        elements = b"".join(struct.pack(">i", 16) + command_id.to_bytes(16) for command_id in command_ids)
        array = array_header(len(command_ids), SQL_TYPES["uuid"].oid) + elements
        stored = self._source.session.value(statements.READ_CAUSED, [kind.encode(), array])
        return {event.command_id: event for event in decode_events(stored)}

    def events(self, *, after: int, limit: int) -> list[Event]:
        """Return the first events of products after a position, in order."""
        parameters = [int8(after), int8(min(limit, QUERY_LIMIT_MAX))]
        return list(decode_events(self._source.session.value(statements.READ_EVENTS, parameters)))

    def events_of(self, kinds: Sequence[str], *, after: int, until: int) -> Iterator[Event]:
        """Yield the events of some kinds after ``after`` up to ``until``, in order and in their present form.

        Raises
        ------
        SegmentMissing
            A part of the journal was archived and dropped.
        """
        elements = b"".join(struct.pack(">i", len(kind.encode())) + kind.encode() for kind in kinds)
        array = array_header(len(kinds), SQL_TYPES["text"].oid) + elements
        source = self._source
        for start, end in spans(
            after=after,
            until=until,
            segment_positions=source.segment_positions,
            positions_max=_EVENT_SPAN,
        ):
            sql = statements.read_kinds(start // source.segment_positions)
            (stored,) = packed(source.session, sql, [int8(start), int8(end), array])
            for event in sorted(decode_events(stored), key=lambda event: event.position):
                yield self._upcasters.apply(event)

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        if self._connected is not None:
            self._connected.session.close()

    @property
    def _source(self) -> BlockSource:
        if self._connected is None or self._connected.session.closed:
            self._connected = self._connect()
        return self._connected

    def _connect(self) -> BlockSource:
        session = Session(self._conninfo, purpose="reader", deadline_seconds=self._deadline_seconds)
        return BlockSource(session, self._upcasters)

    def _border(self, time: int, head: int) -> int:
        """Return a position that all decisions from a time on stand after, and few others do."""
        low, high, step = head, head, _DECISION_SPAN
        while low:
            low, step = max(0, high - step), 2 * step
            if 0 < self._decided_from(low, high) < time:
                break
            high = low
        while high - low > _DECISION_SPAN:
            middle = (low + high) // 2
            if 0 < self._decided_from(middle, high) < time:
                low = middle
            else:
                high = middle
        return low

    def _decided_from(self, after: int, until: int) -> int:
        """Return when the first decision between two positions was taken, in nanoseconds; 0 for none."""
        for start, end in self._decision_spans(after, until):
            sql = statements.decided_from(start // self._source.segment_positions)
            found = self._source.session.number(sql, [int8(start), int8(end)])
            if found:
                return found
        return 0

    def _decision_spans(self, after: int, until: int) -> list[tuple[int, int]]:
        return spans(
            after=after,
            until=until,
            segment_positions=self._source.segment_positions,
            positions_max=_DECISION_SPAN,
        )

    def _picked(self, table: str, positions: Positions) -> Rows:
        """Return the rows of a table at positions (n,), which ascend, in order."""
        codec, row = self._pickable[table]
        session, segments = self._source.session, (positions - 1) // self._source.segment_positions
        parts = []
        for segment in np.unique(segments):
            wanted = positions[segments == segment]
            elements = np.zeros(len(wanted), [("size", ">i4"), ("position", ">i8")])
            elements["size"] = 8
            elements["position"] = wanted
            array = array_header(len(wanted), SQL_TYPES["bigint"].oid) + elements.tobytes()
            sql = statements.read_picked(table, int(segment))
            parts.append(codec.decode(*packed(session, sql, [array])))
        found = joined(parts, row)
        return found[np.argsort(found["position"], kind="stable")]

    def _read_ahead(self, pieces: list[tuple[int, int]]) -> Iterator[Block]:
        sources: queue.SimpleQueue[BlockSource] = queue.SimpleQueue()
        opened = [self._connect() for _ in range(_CONNECTIONS)]
        for source in opened:
            sources.put(source)

        def read(piece: tuple[int, int]) -> Block:
            source = sources.get()
            try:
                return source.read(*piece)
            finally:
                sources.put(source)

        try:
            yield from ahead(read, self._summarized(pieces), threads=_CONNECTIONS)
        finally:
            for source in opened:
                source.session.close()

    def _summarized(self, pieces: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield the pieces, each segment's only when its pages are noted.

        Otherwise each block would go through all pages that nobody has noted yet. One segment at a
        time: where nobody ever looked after the journal, all of them would take longer than an answer may.
        """
        noted = -1
        for piece in pieces:
            segment = piece[0] // self._source.segment_positions
            if segment != noted:
                self._source.session.execute(statements.SUMMARIZE, [int8(segment)])
                noted = segment
            yield piece


def _require_once(found: Rows, wanted: Positions, what: str) -> None:
    """Raise unless rows (n,), in order, stand at exactly these positions, which ascend."""
    if not np.array_equal(found["position"], wanted):
        held, counts = np.unique(found["position"], return_counts=True)
        missing = np.setdiff1d(wanted, held[counts == 1])
        message = f"position {missing[0]} does not hold exactly one {what}"
        raise JournalCorrupted(message)


def _end_of_chain(rows: Rows, account_id: int, position: int) -> int:
    """Return where the chain goes on before ``rows`` (n,), an account's entries from ``position`` back."""
    high, low = account_id >> 64, account_id & (2**64 - 1)
    is_side = {
        side: (rows[f"{side}_account_id_high"] == high) & (rows[f"{side}_account_id_low"] == low)
        for side in SIDES
    }
    strange = np.flatnonzero(~(is_side["debit"] | is_side["credit"]))
    if len(strange):
        message = f"position {rows['position'][strange[0]]} is no entry of account {account_id}"
        raise JournalCorrupted(message)
    if not len(rows):
        message = f"there is no transfer at position {position}"
        raise JournalCorrupted(message)
    chain = np.where(is_side["debit"], rows["previous_debit"], rows["previous_credit"])
    if not np.array_equal(rows["position"], [position, *chain[:-1]]):
        message = f"the entries of account {account_id} back from position {position} are no single chain"
        raise JournalCorrupted(message)
    return int(chain[-1])
