"""Reading the journal in blocks that the server packs, each complete or an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import BLOCK_ROWS
from formicary.factory.journal import statements
from formicary.factory.journal.batch import first_gap, positions_of
from formicary.factory.journal.errors import JournalCorrupted, JournalUnavailable, SegmentMissing
from formicary.factory.journal.events import Event, decode_events
from formicary.factory.journal.rows import ACCOUNT_ROW
from formicary.factory.journal.session import Session, int8
from formicary.factory.journal.upcasters import Upcasters

if TYPE_CHECKING:
    from psycopg.abc import Buffer

__all__ = ["Block", "BlockSource", "packed", "spans"]

Rows = npt.NDArray[Any]

_UNDEFINED_TABLE: Final = "42P01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Every row after position ``after`` up to ``until``, each part in the order of its positions.

    ``accounts`` (a,) are ``ACCOUNT_ROW``, ``transfers`` (t,) are ``TRANSFER_ROW``.
    """

    accounts: Rows
    transfers: Rows
    events: tuple[Event, ...]
    after: int
    until: int


def spans(
    *, after: int, until: int, segment_positions: int, positions_max: int = BLOCK_ROWS
) -> list[tuple[int, int]]:
    """Cut the positions from ``after`` to ``until`` into pieces of ``positions_max``, of one segment each."""
    found = []
    while after < until:
        segment_end = (after // segment_positions + 1) * segment_positions
        end = min(until, after + positions_max, segment_end)
        found.append((after, end))
        after = end
    return found


def packed(session: Session, sql: str, parameters: Sequence[Buffer]) -> bytes:
    """Return what the server packed; ``SegmentMissing`` where there is no such partition."""
    try:
        return session.value(sql, parameters)
    except JournalUnavailable as error:
        if error.sqlstate == _UNDEFINED_TABLE:
            message = f"a segment was archived and dropped; attach it again to read it ({error})"
            raise SegmentMissing(message) from error
        raise


class BlockSource:
    """Reads blocks on one connection. For one thread at a time."""

    def __init__(self, session: Session, upcasters: Upcasters) -> None:
        self.session = session
        self.segment_positions = session.number(statements.SEGMENT_POSITIONS)
        self._upcasters = upcasters
        self._transfers = statements.transfer_codec()
        self._accounts = statements.account_codec()

    def read(self, after: int, until: int) -> Block:
        """Return the rows after ``after`` up to ``until``, both in one segment.

        Raises
        ------
        JournalCorrupted
            A position is missing or there twice.
        SegmentMissing
            The segment was archived and dropped.
        JournalTooNew
            An event is of a kind or version that only a newer release knows.
        JournalUnavailable
            The database failed.
        """
        transfers = _in_order(self._transfers.decode(self._packed("transfers", after, until)))
        accounts = np.zeros(0, ACCOUNT_ROW)
        events: tuple[Event, ...] = ()
        # Accounts and events are rare: only a block that is not full of transfers asks for them.
        if len(transfers) < until - after:
            accounts = _in_order(self._accounts.decode(self._packed("accounts", after, until)))
            events = self._events(after, until)
        gap = first_gap(positions_of(accounts, transfers, events), first=after + 1, last=until)
        if gap:
            message = f"the journal does not hold position {gap} exactly once"
            raise JournalCorrupted(message)
        return Block(accounts=accounts, transfers=transfers, events=events, after=after, until=until)

    def _events(self, after: int, until: int) -> tuple[Event, ...]:
        stored = sorted(decode_events(self._packed("events", after, until)), key=lambda event: event.position)
        return tuple(self._upcasters.apply(event) for event in stored)

    def _packed(self, table: str, after: int, until: int) -> bytes:
        segment = after // self.segment_positions
        return packed(self.session, statements.read_packed(table, segment), [int8(after), int8(until)])


def _in_order(rows: Rows) -> Rows:
    """Return rows in the order of their positions, which is nearly always the order they lie in."""
    positions = rows["position"]
    if np.all(positions[:-1] < positions[1:]):
        return rows
    return rows[np.argsort(positions, kind="stable")]
