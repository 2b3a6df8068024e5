"""Everything one commit writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.errors import BatchRejected
from formicary.factory.journal.events import Event, require_storable
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW

__all__ = ["NO_DECISIONS", "Batch", "first_gap", "positions_of"]

Rows = npt.NDArray[Any]

NO_DECISIONS: Final = np.empty(0, DECISION_ROW)
"""The decisions of what holds none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows of one commit; together they hold exactly the positions from ``first`` to ``last``.

    Attributes
    ----------
    accounts, transfers
        Rows of ``ACCOUNT_ROW``, shape (a,), and ``TRANSFER_ROW``, shape (t,).
    events
        The rare kinds.
    decisions
        Rows of ``DECISION_ROW``, shape (d,); none unless given.
    first, last
        Positions, inclusive; at least one.
    requests
        How many callers' requests were grouped. With the time and the epoch it goes to the side table
        ``commits``, outside every hash.
    state_hash
        Unsigned 64-bit hash of the state after the batch.

    Raises
    ------
    BatchRejected
        A position is missing, doubled or outside, an array has another dtype, or an event's body cannot be
        stored.
    """

    accounts: Rows
    transfers: Rows
    events: tuple[Event, ...]
    first: int
    last: int
    requests: int
    state_hash: int
    decisions: Rows = field(default_factory=lambda: NO_DECISIONS)

    def __post_init__(self) -> None:
        if self.accounts.dtype != ACCOUNT_ROW or self.transfers.dtype != TRANSFER_ROW:
            message = "a batch takes arrays of ACCOUNT_ROW and of TRANSFER_ROW"
            raise BatchRejected(message)
        if self.decisions.dtype != DECISION_ROW:
            message = "the decisions of a batch are an array of DECISION_ROW"
            raise BatchRejected(message)
        if not 1 <= self.first <= self.last:
            message = f"a batch holds at least one position, from 1; not {self.first} to {self.last}"
            raise BatchRejected(message)
        positions = positions_of(self.accounts, self.transfers, self.events, self.decisions)
        gap = first_gap(positions, first=self.first, last=self.last)
        if gap:
            message = f"the batch from {self.first} to {self.last} does not hold position {gap} exactly once"
            raise BatchRejected(message)
        for event in self.events:
            require_storable(event)

    def __len__(self) -> int:
        return self.last - self.first + 1


def positions_of(
    accounts: Rows, transfers: Rows, events: tuple[Event, ...], decisions: Rows
) -> npt.NDArray[np.int64]:
    """Return the positions of all four parts in ascending order."""
    if not len(accounts) and not events and not len(decisions):
        return transfers["position"]
    rows = [part["position"] for part in (accounts, transfers, decisions)]
    positions = np.concatenate([*rows, np.array([event.position for event in events], np.int64)])
    positions.sort()
    return positions


def first_gap(positions: npt.NDArray[np.int64], *, first: int, last: int) -> int:
    """Return the first position that is missing, doubled or out of place; 0 when all is well."""
    expected = np.arange(first, last + 1)
    if np.array_equal(positions, expected):
        return 0
    shared = min(len(positions), len(expected))
    wrong = np.flatnonzero(positions[:shared] != expected[:shared])
    # Equal as far as both go: the shorter one ends too early.
    place = int(wrong[0]) if len(wrong) else shared
    return first + place
