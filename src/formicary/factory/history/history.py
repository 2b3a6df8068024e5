"""What was, for people and products: the answers of ``Ledger``, from the journal and the ledger's memory.

Every account's entries form a chain of positions. As-of balances and pages of entries walk it; the index of
every 64th entry says where to begin, so that a walk passes at most 65 entries, plus those that the follower
has not indexed yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.errors import OperationalFault
from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.history.chain import Chain, QueryTooBroad
from formicary.factory.history.entries import Entries
from formicary.factory.history.entry_index import EntryIndexReader
from formicary.factory.history.looks import AccountsById, Look, TransfersById, pack_ids
from formicary.factory.history.ranges import within_range
from formicary.factory.history.search import Search
from formicary.factory.journal.access import Access
from formicary.factory.journal.events import Event
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger import (
    ACCOUNT,
    ACCOUNT_BALANCE,
    AccountFilter,
    QueryFilter,
    id_column,
    views,
)

__all__ = ["History", "IndexBehind"]

Rows = npt.NDArray[Any]


class IndexBehind(OperationalFault):
    """The follower has not indexed the entries asked for yet; try again a little later."""


class History:
    """Reads what was. For one thread at a time.

    Parameters
    ----------
    access
        The database; it is entered as a reader.
    look
        Reads the ledger's memory, which must be at least as new as the answers somebody waits for.
    deadline_seconds
        How long one statement may take.
    """

    def __init__(self, access: Access, look: Look, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._look = look
        self._reader = JournalReader(access, deadline_seconds=deadline_seconds)
        self._index = EntryIndexReader(access, deadline_seconds=deadline_seconds)
        self._search = Search(access, deadline_seconds=deadline_seconds)
        self._entries = Entries(Chain(self._reader, look), self._index, look)

    def lookup_accounts(self, ids: Sequence[int]) -> Rows:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        return self._look(AccountsById(pack_ids(*ids)))

    def lookup_transfers(self, ids: Sequence[int]) -> Rows:
        """Return the transfers that exist, in the order asked, (n,) of ``TRANSFER``."""
        rows = self.recorded(ids)
        created = rows[views.is_created(rows)]
        places = {transfer_id: place for place, transfer_id in enumerate(id_column(created))}
        return views.transfers_view(created[[places[wanted] for wanted in ids if wanted in places]])

    def recorded(self, ids: Sequence[int]) -> Rows:
        """Return what the journal says of ids of transfers, burnt ones as well, (n,) of ``TRANSFER_ROW``.

        In no order; nothing for an id that it does not know.
        """
        rows, positions = self._look(TransfersById(pack_ids(*ids)))
        return joined([rows, self._reader.transfers_at(positions)], TRANSFER_ROW) if len(positions) else rows

    def decisions_at(self, positions: Rows) -> Rows:
        """Return the decisions at positions (n,) of the journal, in that order, (n,) of ``DECISION_ROW``.

        Raises
        ------
        JournalCorrupted
            There is no decision at one of them.
        """
        return self._reader.decisions_at(positions)

    def events(self, *, after: int, limit: int) -> list[Event]:
        """Return the first events of products after a position of the journal, in order."""
        return self._reader.events(after=after, limit=limit)

    def events_of(self, kinds: Sequence[str], *, after: int, positions: int) -> tuple[list[Event], int]:
        """Return the events of some kinds among so many positions after one, in order, and the last of these.

        Where the position is the one before, there is nothing after it.
        """
        until = min(self._reader.head(), after + positions)
        return list(self._reader.events_of(kinds, after=after, until=until)), until

    def balance_as_of(self, account_id: int, timestamp: int) -> Any | None:
        """Return an account's totals as they were at a time, one ``ACCOUNT_BALANCE``; None before it existed.

        Raises
        ------
        IndexBehind
            Too many entries were made since, and the follower has not indexed them yet.
        """
        wanted = within_range(
            AccountFilter(account_id=account_id, timestamp_max=timestamp, limit=1, reversed=True)
        )
        if wanted is None or timestamp == 0:
            return None
        try:
            head, rows = self._entries.newest_first(wanted, expiries=True)
        except QueryTooBroad as refusal:
            raise IndexBehind from refusal
        if head is None or timestamp < head.opened:
            return None
        if len(rows):
            return views.balances_view(rows, account_id)[0]
        opened = np.zeros((), ACCOUNT_BALANCE)
        opened["timestamp"] = head.opened
        return opened[()]

    def get_account_transfers(self, wanted: AccountFilter) -> Rows:
        """Return the transfers of an account, (n,) of ``TRANSFER``; expiries are none.

        Raises
        ------
        QueryTooBroad
            More than ``HISTORY_ENTRIES_MAX`` entries would have to be looked through.
        """
        return views.transfers_view(self._page(wanted, expiries=False))

    def get_account_balances(self, wanted: AccountFilter) -> Rows:
        """Return an account's totals after each of its entries, (n,) of ``ACCOUNT_BALANCE``.

        Expiries are entries. Raises what ``get_account_transfers`` does.
        """
        return views.balances_view(self._page(wanted, expiries=True), wanted.account_id)

    def query_transfers(self, wanted: QueryFilter) -> Rows:
        """Return the transfers that match, in order, (n,) of ``TRANSFER``."""
        return views.transfers_view(self._search.transfers(wanted))

    def query_accounts(self, wanted: QueryFilter) -> Rows:
        """Return the accounts that match, as they are now, in order of opening, (n,) of ``ACCOUNT``."""
        found = self._search.accounts(wanted)
        return self.lookup_accounts(id_column(found)) if len(found) else np.empty(0, ACCOUNT)

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        self._reader.close()
        self._index.close()
        self._search.close()

    def _page(self, wanted: AccountFilter, *, expiries: bool) -> Rows:
        within = within_range(wanted)
        if within is None:
            return np.empty(0, TRANSFER_ROW)
        if within.reversed:
            return self._entries.newest_first(within, expiries=expiries)[1]
        return self._entries.oldest_first(within, expiries=expiries)
