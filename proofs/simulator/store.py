"""The database under the simulated journal: the fence, committed rows, one transaction in flight."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.state import ANSWERED
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.errors import Fenced, JournalCorrupted
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW
from formicary.factory.journal.takeover import Lease

__all__ = ["Store", "Transaction"]

Rows = npt.NDArray[Any]


@dataclass(slots=True)
class Transaction:
    """An append that holds the fence's lock.

    ``batch`` are the rows as they were sent, ``source`` is the batch they were sent from. ``is_abandoned``
    tells that nobody waits for the outcome any more, ``is_ended`` that the server rolled it back.
    """

    lease: Lease
    batch: Batch
    source: Batch
    is_abandoned: bool = False
    is_ended: bool = False


class Store:
    """What survives every crash.

    Parameters
    ----------
    on_commit
        Told of every transaction at the moment it is committed.
    does_commit
        Decides the fate of an append that nobody waits for.
    """

    def __init__(self, on_commit: Callable[[Transaction], None], does_commit: Callable[[], bool]) -> None:
        self.epoch = 0
        self.position = 0
        self.in_flight: Transaction | None = None
        self.commits: list[Transaction] = []
        self._ends: list[int] = []
        self._accounts = _Table(ACCOUNT_ROW)
        self._transfers = _Table(TRANSFER_ROW)
        self._decisions = _Table(DECISION_ROW)
        self._events: list[Event] = []
        self._receipts: dict[int, Event] = {}
        self._on_commit = on_commit
        self._does_commit = does_commit

    # -- the writer ------------------------------------------------------------------------

    def take_over(self) -> Lease:
        """Add to the epoch, which waits for the append in flight, and only then read the tail."""
        self.settle()
        self.epoch += 1
        return Lease(epoch=self.epoch, position=self.position)

    def begin(self, lease: Lease, batch: Batch) -> Transaction:
        """Pass the fence and lock it, or raise ``Fenced``."""
        self.settle()
        if (lease.epoch, lease.position) != (self.epoch, self.position):
            raise Fenced
        return self.open(lease, batch)

    def open(self, lease: Lease, batch: Batch) -> Transaction:
        """Begin a transaction without looking at the fence."""
        self.in_flight = Transaction(lease, _stored(batch), batch)
        return self.in_flight

    def commit(self, transaction: Transaction) -> None:
        """Make all rows of a transaction visible at once."""
        batch = transaction.batch
        self.in_flight = None
        self.position = batch.last
        self.commits.append(transaction)
        self._ends.append(batch.last)
        self._accounts.append(batch.accounts)
        self._transfers.append(batch.transfers)
        self._decisions.append(batch.decisions)
        self._events += batch.events
        self._receipts |= {event.command_id: event for event in batch.events if event.kind == ANSWERED}
        self._on_commit(transaction)

    def roll_back(self, transaction: Transaction) -> None:
        """Forget a transaction."""
        transaction.is_ended = True
        self.in_flight = None

    def settle(self) -> None:
        """Wait for the append in flight, if it is one that nobody waits for."""
        transaction = self.in_flight
        if transaction is not None and transaction.is_abandoned:
            (self.commit if self._does_commit() else self.roll_back)(transaction)

    # -- readers ---------------------------------------------------------------------------

    def commit_at(self, last: int) -> Transaction | None:
        """Return the commit that ends at a position."""
        place = bisect_right(self._ends, last) - 1
        return self.commits[place] if place >= 0 and self._ends[place] == last else None

    def blocks(self, cuts: Sequence[int]) -> Iterator[Block]:
        """Yield the rows between each two of the positions ``cuts``."""
        for after, until in pairwise(cuts):
            yield Block(
                accounts=self._accounts.between(after, until),
                transfers=self._transfers.between(after, until),
                events=tuple(event for event in self._events if after < event.position <= until),
                after=after,
                until=until,
                decisions=self._decisions.between(after, until),
            )

    def transfers_at(self, positions: npt.NDArray[np.int64]) -> Rows:
        """Return committed transfers."""
        found = self._transfers.at(positions)
        if not np.array_equal(found["position"], positions):
            message = f"no transfers at some of the positions {positions}"
            raise JournalCorrupted(message)
        return found

    def receipts(self, command_ids: Iterable[int]) -> dict[int, Event]:
        """Return the committed answers among those of some commands."""
        return {wanted: self._receipts[wanted] for wanted in command_ids if wanted in self._receipts}


def _stored(batch: Batch) -> Batch:
    """Copy a batch as a database keeps it: rows by value, the meaning of JSON without its spelling."""
    events = tuple(replace(event, body=_respelled(event.body)) for event in batch.events)
    return replace(
        batch,
        accounts=batch.accounts.copy(),
        transfers=batch.transfers.copy(),
        events=events,
        decisions=batch.decisions.copy(),
    )


def _respelled(body: bytes) -> bytes:
    return json.dumps(json.loads(body), sort_keys=True).encode()


class _Table:
    """Rows in the order of their positions."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._rows = np.zeros(64, dtype)
        self._count = 0

    def append(self, rows: Rows) -> None:
        end = self._count + len(rows)
        while end > len(self._rows):
            self._rows = np.resize(self._rows, 2 * len(self._rows))
        self._rows[self._count : end] = rows
        self._count = end

    def between(self, after: int, until: int) -> Rows:
        rows = self._rows[: self._count]
        first, last = np.searchsorted(rows["position"], (after, until), side="right")
        return rows[first:last].copy()

    def at(self, positions: npt.NDArray[np.int64]) -> Rows:
        places = np.searchsorted(self._rows["position"][: self._count], positions)
        return self._rows[np.minimum(places, max(self._count - 1, 0))]
