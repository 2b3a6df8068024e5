"""Pages of an account's entries, from either end, found with the help of the entry index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import ENTRY_INDEX_STRIDE, HISTORY_ENTRIES_MAX, QUERY_LIMIT_MAX
from formicary.factory.history.chain import Allowance, Chain
from formicary.factory.history.entry_index import EntryIndexReader
from formicary.factory.history.looks import HeadOf, LatestEntries, Look, pack_ids
from formicary.factory.history.memory import AccountHead, compiled_filter
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger import AccountFilter

__all__ = ["Entries"]

Rows = npt.NDArray[Any]

_POINTS_MAX: Final = 128


class Entries:
    """Finds the entries of an account that a filter wants.

    Parameters
    ----------
    chain, index
        The entries themselves, and every 64th of them.
    look
        Reads the ledger's memory.
    """

    def __init__(self, chain: Chain, index: EntryIndexReader, look: Look) -> None:
        self._chain = chain
        self._index = index
        self._look = look

    def newest_first(self, wanted: AccountFilter, *, expiries: bool) -> tuple[AccountHead | None, Rows]:
        """Return the account's head, None if there is no such account, and its entries, newest first.

        ``expiries``: whether holds that expired count as entries.
        """
        limit, compiled = _limit(wanted), compiled_filter(wanted, expiries=expiries)
        latest = self._look(
            LatestEntries(ids=pack_ids(wanted.account_id), wanted=compiled.tobytes(), limit=limit)
        )
        if latest is None:
            return None, np.empty(0, TRANSFER_ROW)
        head, step = latest
        allowance = Allowance()
        allowance.spend(step.passed)
        position = step.cursor
        if position and wanted.timestamp_max and not len(step.rows):
            # Still later than asked for: the index knows a place nearer to it, unless it is behind.
            indexed = self._index.first_after(wanted.account_id, wanted.timestamp_max)
            position = min(position, indexed or position)
        steps = self._chain.back(
            wanted.account_id,
            compiled,
            position=position,
            floor=0,
            limit=limit - len(step.rows),
            # What is asked for may begin anywhere in a stretch of the index.
            page=limit + ENTRY_INDEX_STRIDE if wanted.timestamp_max else limit,
            allowance=allowance,
            in_memory=step.passed > 0,
        )
        return head, joined([step.rows, *(later.rows for later in steps)], TRANSFER_ROW)

    def oldest_first(self, wanted: AccountFilter, *, expiries: bool) -> Rows:
        """Return an account's entries, oldest first; none if there is no such account."""
        limit, allowance = _limit(wanted), Allowance()
        compiled = compiled_filter(wanted, expiries=expiries)
        parts: list[Rows] = []
        for position, floor in self._stretches(wanted):
            steps = self._chain.back(
                wanted.account_id,
                compiled,
                position=position,
                floor=floor,
                limit=HISTORY_ENTRIES_MAX,
                page=ENTRY_INDEX_STRIDE,
                allowance=allowance,
            )
            parts.extend(reversed([step.rows[::-1] for step in steps]))
            if sum(map(len, parts)) >= limit:
                break
        return joined(parts, TRANSFER_ROW)[:limit]

    def _stretches(self, wanted: AccountFilter) -> Iterator[tuple[int, int]]:
        """Yield (last position, position before the first) of stretches of about 64 entries, oldest first.

        The stretch before the first one wanted is left out; it ends where the time asked for ends.
        """
        head = self._look(HeadOf(pack_ids(wanted.account_id)))
        if head is None:
            return
        floor = 0
        for point in self._points(wanted):
            yield int(point["position"]), floor
            floor = int(point["position"])
            if wanted.timestamp_max and point["timestamp"] > wanted.timestamp_max:
                return
        yield head.last_entry, floor

    def _points(self, wanted: AccountFilter) -> Iterator[Any]:
        timestamp, after = wanted.timestamp_min, 0
        # Enough for a page without conditions; as many again while conditions leave it short.
        page = min(_limit(wanted) // ENTRY_INDEX_STRIDE + 2, _POINTS_MAX)
        while True:
            points = self._index.points(wanted.account_id, timestamp=timestamp, after=after, limit=page)
            yield from points
            if len(points) < page:
                return
            timestamp, after = int(points[-1]["timestamp"]), int(points[-1]["position"])


def _limit(wanted: AccountFilter) -> int:
    return min(wanted.limit, QUERY_LIMIT_MAX)
