"""What must hold of the journal after every commit, whatever any engine believes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np

from formicary.factory.engine.state import (
    ANSWERED,
    TIMER_FIRED,
    TIMER_SET,
    FactoryState,
    PendingTimer,
    TimerFiring,
)
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.events import Event
from formicary.factory.ledger import AccountFlags, CreateTransferStatus, TransferFlags
from proofs.simulator.records import unpack
from proofs.simulator.violations import require, violate
from tests.factory.ledger.oracle_rules import RESOLVES, SECOND, SIDES, Record

__all__ = ["Auditor"]

_MOVED: Final = (CreateTransferStatus.CREATED, CreateTransferStatus.EXPIRED)
_NEVER: Final = 1 << 99
_DEBITS_FLOORED: Final = np.uint16(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
_CREDITS_FLOORED: Final = np.uint16(AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS)


class Auditor:
    """Follows the journal commit by commit.

    Parameters
    ----------
    follower
        An empty state; it folds every commit and must come to the same hash.
    """

    def __init__(self, follower: FactoryState) -> None:
        self.follower = follower
        self.transfers: dict[int, int] = {}
        self.answered: set[int] = set()
        self.timers_due: dict[int, int] = {}
        self._accounts: set[int] = set()
        self._holds: dict[int, int] = {}
        self._stamp = 0
        self._entry_stamps: dict[int, int] = {}

    def committed(self, batch: Batch) -> None:
        """Check one commit."""
        require(batch.first == self.follower.position + 1, "positions have no gap", f"at {batch.first}")
        for account in unpack(batch.accounts):
            self._opened(account)
        # An account's row may lie between two transfers' rows.
        for row in sorted(unpack(batch.transfers), key=lambda row: row["position"]):
            self._row(row)
        for event in batch.events:
            self._event(event)
        self._fold(batch)
        self._books_balance()

    def finished(self) -> None:
        """Check that nothing was left undone once everything fell due."""
        require(not self.timers_due, "every timer fires", f"{self.timers_due} did not")
        waiting = [hold for hold, due in self._holds.items() if due != _NEVER]
        require(not waiting, "every hold ends", f"{waiting} did not")

    # -- rows ------------------------------------------------------------------------------

    def _opened(self, account: Record) -> None:
        require(account["id"] not in self._accounts, "one effect per id", f"account {account['id']} twice")
        self._accounts.add(account["id"])

    def _row(self, row: Record) -> None:
        position = f"at position {row['position']}"
        if row["status"] in _MOVED:
            self._entries_in_order(row)
        if row["status"] == CreateTransferStatus.EXPIRED:
            require(row["timestamp"] >= self._end_hold(row), "no hold expires early", position)
            return
        require(
            row["id"] not in self.transfers, "one effect per id", f"transfer {row['id']} twice, {position}"
        )
        require(row["timestamp"] > self._stamp, "stamps are unique and grow", position)
        self._stamp = row["timestamp"]
        self.transfers[row["id"]] = row["timestamp"] if row["status"] == CreateTransferStatus.CREATED else 0
        if row["status"] == CreateTransferStatus.CREATED:
            self._created(row)

    def _entries_in_order(self, row: Record) -> None:
        for side in SIDES:
            in_order = row["timestamp"] >= self._entry_stamps.get(row[side], 0)
            require(in_order, "an account's entries are in order", f"at position {row['position']}")
            self._entry_stamps[row[side]] = row["timestamp"]

    def _created(self, row: Record) -> None:
        if row["flags"] & RESOLVES:
            due = self._end_hold(row)
            require(row["timestamp"] < due, "no hold is resolved after it is due", f"{row['pending_id']}")
        elif row["flags"] & TransferFlags.PENDING:
            seconds = row["timeout"]
            self._holds[row["id"]] = row["timestamp"] + seconds * SECOND if seconds else _NEVER

    def _end_hold(self, row: Record) -> int:
        due = self._holds.pop(row["pending_id"], None)
        if due is None:
            violate("a hold is resolved once", f"{row['pending_id']} at position {row['position']}")
        return due

    def _event(self, event: Event) -> None:
        body: Any
        if event.kind == ANSWERED:
            require(
                event.command_id not in self.answered, "one effect per key", f"{event.command_id:032x} twice"
            )
            self.answered.add(event.command_id)
        elif event.kind == TIMER_SET:
            body = msgspec.json.decode(event.body, type=PendingTimer)
            self.timers_due[event.position] = body.due
        elif event.kind == TIMER_FIRED:
            body = msgspec.json.decode(event.body, type=TimerFiring)
            due = self.timers_due.pop(body.set_at, None)
            if due is None:
                violate("a timer fires once", f"the one set at {body.set_at}")
            require(event.timestamp >= due, "no timer fires early", f"the one set at {body.set_at}")

    # -- what it all comes to --------------------------------------------------------------

    def _fold(self, batch: Batch) -> None:
        try:
            rows = (batch.accounts, batch.transfers, batch.events)
            self.follower.fold(*rows, until=batch.last, decisions=batch.decisions)
        except JournalCorrupted as error:
            violate("every row is what it does", str(error))
        require(
            self.follower.state_hash == batch.state_hash, "refolding gives the same hash", f"at {batch.last}"
        )

    def _books_balance(self) -> None:
        accounts = self.follower.machine.accounts
        debits, credits_ = accounts["debits_posted"], accounts["credits_posted"]
        differences = (debits - credits_, accounts["debits_pending"] - accounts["credits_pending"])
        # Everything here is in one currency.
        require(not any(sum(one.tolist()) for one in differences), "debits equal credits")
        above = credits_ + accounts["credit_limit"] - debits - accounts["debits_pending"]
        below = debits - credits_ - accounts["credits_pending"]
        for left, flag in ((above, _DEBITS_FLOORED), (below, _CREDITS_FLOORED)):
            floored = (accounts["flags"] & flag) != 0
            broken = accounts["id_low"][floored & (left < 0)].tolist()
            require(not broken, "no account below its floor", f"accounts {broken}")
