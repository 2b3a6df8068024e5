"""Reading the journal in blocks that the server packs, each complete or an error."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.limits import BLOCK_ROWS
from formicary.factory.journal import statements
from formicary.factory.journal.batch import NO_DECISIONS, first_gap, positions_of
from formicary.factory.journal.errors import JournalCorrupted, JournalUnavailable, SegmentMissing
from formicary.factory.journal.events import Event, decode_events
from formicary.factory.journal.rows import ACCOUNT_ROW
from formicary.factory.journal.session import Session, int8
from formicary.factory.journal.upcasters import Upcasters

if TYPE_CHECKING:
    from psycopg.abc import Buffer

__all__ = ["Block", "BlockSource", "packed", "part_of", "spans"]

Rows = npt.NDArray[Any]

_UNDEFINED_TABLE: Final = "42P01"
_READ_ACCOUNTS: Final = partial(statements.read_packed, "accounts")
_READ_EVENTS: Final = partial(statements.read_packed, "events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Every row after position ``after`` up to ``until``, each part in the order of its positions.

    ``accounts`` (a,) are ``ACCOUNT_ROW``, ``transfers`` (t,) are ``TRANSFER_ROW``, ``decisions`` (d,) are
    ``DECISION_ROW``, none unless given.
    """

    accounts: Rows
    transfers: Rows
    events: tuple[Event, ...]
    after: int
    until: int
    decisions: Rows = field(default_factory=lambda: NO_DECISIONS)


def part_of(block: Block, *, after: int, until: int) -> Block:
    """Return the rows of a block after ``after`` up to ``until``, of positions that it has."""
    accounts, transfers, decisions = (
        rows[slice(*np.searchsorted(rows["position"], (after, until), side="right"))]
        for rows in (block.accounts, block.transfers, block.decisions)
    )
    first, end = (
        bisect_right(block.events, place, key=lambda event: event.position) for place in (after, until)
    )
    return Block(
        accounts=accounts,
        transfers=transfers,
        events=block.events[first:end],
        after=after,
        until=until,
        decisions=decisions,
    )


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


def packed(session: Session, sql: str, parameters: Sequence[Buffer]) -> list[bytes]:
    """Return the values that the server packed; ``SegmentMissing`` where there is no such partition."""
    try:
        result = session.execute(sql, parameters)
    except JournalUnavailable as error:
        if error.sqlstate == _UNDEFINED_TABLE:
            message = f"a segment was archived and dropped; attach it again to read it ({error})"
            raise SegmentMissing(message) from error
        raise
    return [result.get_value(0, place) or b"" for place in range(result.nfields)]


class BlockSource:
    """Reads blocks on one connection. For one thread at a time."""

    def __init__(self, session: Session, upcasters: Upcasters) -> None:
        self.session = session
        self.segment_positions = session.number(statements.SEGMENT_POSITIONS)
        self._upcasters = upcasters
        self._transfers = statements.block_codec()
        self._decisions = statements.decision_block_codec()
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
        transfers = self._transfers.decode(*self._packed(statements.read_transfers, after, until))
        decisions, accounts = NO_DECISIONS, np.zeros(0, ACCOUNT_ROW)
        events: tuple[Event, ...] = ()
        # Accounts and events are rare: only a block that is not full of the others asks for them.
        if len(transfers) < until - after:
            decisions = self._decisions.decode(*self._packed(statements.read_decisions, after, until))
        if len(transfers) + len(decisions) < until - after:
            accounts = self._accounts.decode(*self._packed(_READ_ACCOUNTS, after, until))
            accounts = accounts[np.argsort(accounts["position"], kind="stable")]
            events = self._events(after, until)
        positions = positions_of(accounts, transfers, events, decisions)
        gap = first_gap(positions, first=after + 1, last=until)
        if gap:
            message = f"the journal does not hold position {gap} exactly once"
            raise JournalCorrupted(message)
        return Block(
            accounts=accounts,
            transfers=transfers,
            events=events,
            after=after,
            until=until,
            decisions=decisions,
        )

    def _events(self, after: int, until: int) -> tuple[Event, ...]:
        (stored,) = self._packed(_READ_EVENTS, after, until)
        events = sorted(decode_events(stored), key=lambda event: event.position)
        return tuple(self._upcasters.apply(event) for event in events)

    def _packed(self, query: Callable[[int], str], after: int, until: int) -> list[bytes]:
        sql = query(after // self.segment_positions)
        return packed(self.session, sql, [int8(after), int8(until)])
