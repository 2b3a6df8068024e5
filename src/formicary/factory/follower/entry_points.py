"""Which entries go into the entry index: every 64th of each account."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import BLOCK_ROWS, ENTRY_INDEX_STRIDE
from formicary.factory.follower._entry_points import choose_points
from formicary.factory.history.entry_index import ENTRY_POINT
from formicary.factory.ledger import LedgerMachine

__all__ = ["EntryPoints"]

Rows = npt.NDArray[Any]


class EntryPoints:
    """Counts entries as they are folded, and keeps the points until somebody takes them.

    The counts are part of the follower's snapshots, so that every fold of a journal chooses the same entries.
    Where a count is lost, it begins again at 0: two points are then up to 127 entries apart instead of 64.

    Parameters
    ----------
    counts
        (n,) How many entries each account, in order of opening, had since its last point.
    """

    def __init__(self, counts: Rows | None = None) -> None:
        self._counts = np.zeros(0, np.uint8) if counts is None else np.array(counts, np.uint8)
        self._room = np.zeros(2 * BLOCK_ROWS, ENTRY_POINT)
        self._points: list[Rows] = []

    def note(self, machine: LedgerMachine, transfers: Rows) -> None:
        """Count the entries among transfers (n,) that ``machine`` has just folded."""
        accounts = len(machine.accounts)
        if len(self._counts) < accounts:
            self._counts = np.append(self._counts, np.zeros(2 * accounts - len(self._counts), np.uint8))
        chosen = choose_points(
            machine.state, np.ascontiguousarray(transfers), self._counts, ENTRY_INDEX_STRIDE, self._room
        )
        if chosen:
            self._points.append(self._room[:chosen].copy())

    def counts(self, accounts: int) -> Rows:
        """Return the counts of the first ``accounts`` accounts, for a snapshot."""
        counts = np.zeros(accounts, np.uint8)
        known = self._counts[:accounts]
        counts[: len(known)] = known
        return counts

    def points(self) -> Rows:
        """Return the points that nobody has taken yet, in order, (n,) of ``ENTRY_POINT``."""
        self._points = [joined(self._points, ENTRY_POINT)]
        return self._points[0]

    def forget(self) -> None:
        """Drop the points: the index has them."""
        self._points = []
