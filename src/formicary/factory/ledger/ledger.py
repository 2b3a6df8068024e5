"""The ledger alone, in memory: for tests, teaching and what-if questions."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from formicary.base.arrays import joined
from formicary.base.clock import Clock
from formicary.base.limits import GENERATION_ROWS
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from formicary.factory.ledger import views
from formicary.factory.ledger._layout import Records
from formicary.factory.ledger.filters import AccountFilter, QueryFilter
from formicary.factory.ledger.groups import Group, check_request, group_requests
from formicary.factory.ledger.machine import LedgerMachine
from formicary.factory.ledger.records import Account, Transfer, account_array, transfer_array

__all__ = ["Ledger"]


class Ledger:
    """A double-entry ledger that keeps everything in memory.

    The rules are those of the engine's ledger, by the same kernels; only the journal is an array.

    Examples
    --------
    >>> from formicary.base.clock import SimulatedClock
    >>> ledger = Ledger(SimulatedClock(1_000))
    >>> opened = ledger.create_accounts([Account(id=id, ledger=826, code=1) for id in (1, 2)])
    >>> moved = ledger.create_transfers(
    ...     [Transfer(id=7, debit_account_id=1, credit_account_id=2, amount=500, ledger=826, code=1)]
    ... )
    >>> int(moved[0]["status"]), int(moved[0]["credit_credits_posted"])
    (0, 500)
    """

    def __init__(self, clock: Clock, *, generation_rows: int = GENERATION_ROWS) -> None:
        self._clock = clock
        folder = Path(tempfile.mkdtemp(prefix="formicary-ledger-"))
        # Nobody closes a ledger: its files go when it does, without the warning of TemporaryDirectory.
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._machine = LedgerMachine(folder, generation_rows=generation_rows)
        self._rows: list[Records] = []
        self._account_rows: list[Records] = []

    # -- commands --------------------------------------------------------------------------

    def create_accounts(self, accounts: Records | Iterable[Account]) -> Records:
        """Open accounts; return one result each, (n,) of ``ACCOUNT_RESULT``."""
        request = accounts if isinstance(accounts, np.ndarray) else account_array(accounts)
        return self.execute([request])[0]

    def create_transfers(self, transfers: Records | Iterable[Transfer]) -> Records:
        """Make transfers; return one result each, (n,) of ``TRANSFER_RESULT``."""
        request = transfers if isinstance(transfers, np.ndarray) else transfer_array(transfers)
        return self.execute([request])[0]

    def execute(self, requests: Sequence[Records]) -> list[Records]:
        """Decide several requests as one batch; chains, import mode and sizes hold per request.

        Raises
        ------
        MalformedRequest, RequestTooLarge
            Some request is none; nothing was done.
        """
        for request in requests:
            check_request(request)
        answers: list[Records] = []
        for group in group_requests(requests):
            answers += group.split(self._decide(group))
        return answers

    def tick(self) -> None:
        """Expire the holds that are due now."""
        done = False
        while not done:
            self._machine.reserve()
            first = self._machine.scalar("recent")
            done = self._machine.tick(self._clock.now())
            self._keep_rows(first)

    def _decide(self, group: Group) -> Records:
        machine, results, decided = self._machine, group.empty_results(), 0
        first_stamp = max(self._clock.now(), machine.timestamp + 1)
        while decided < len(group.items):
            if group.opens_accounts:
                decided = self._decide_accounts(group, results, first_stamp, decided)
            else:
                decided = self._decide_transfers(group, results, first_stamp, decided)
        return results

    def _decide_accounts(self, group: Group, results: Records, first_stamp: int, start: int) -> int:
        machine = self._machine
        machine.reserve(accounts=len(group.items))
        first_row, first = machine.scalar("recent"), len(machine.accounts)
        decided = machine.decide_accounts(
            group.items, group.ordinals, results, first_stamp=first_stamp, start=start
        )
        done = slice(start, decided)
        opened = machine.opened(first, group.items[done], results[done], group.ordinals[done])
        self._account_rows.append(opened)
        self._keep_rows(first_row)
        return decided

    def _decide_transfers(self, group: Group, results: Records, first_stamp: int, start: int) -> int:
        machine = self._machine
        machine.reserve(transfers=len(group.items))
        missing = machine.missing(group.items)
        machine.fetch(self._rows_at(missing) if len(missing) else missing)
        first_row = machine.scalar("recent")
        decided = machine.decide_transfers(
            group.items, group.ordinals, results, first_stamp=first_stamp, start=start
        )
        self._keep_rows(first_row)
        return decided

    def _keep_rows(self, first: int) -> None:
        rows = self._machine.recent_rows(first)
        if len(rows):
            self._rows.append(rows.copy())

    def _rows_at(self, positions: Records) -> Records:
        rows = self.rows
        return rows[np.searchsorted(rows["position"], positions)]

    # -- reads -----------------------------------------------------------------------------

    @property
    def rows(self) -> Records:
        """The transfers, expiries and burnt ids so far, (n,) of ``TRANSFER_ROW``."""
        if len(self._rows) != 1:
            self._rows = [joined(self._rows, TRANSFER_ROW)]
        return self._rows[0]

    @property
    def account_rows(self) -> Records:
        """The accounts opened so far, (n,) of ``ACCOUNT_ROW``."""
        if len(self._account_rows) != 1:
            self._account_rows = [joined(self._account_rows, ACCOUNT_ROW)]
        return self._account_rows[0]

    @property
    def state_hash(self) -> int:
        """The hash of all state: equal for equal journals."""
        return self._machine.state_hash

    def lookup_accounts(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        numbers = [self._machine.account_number(account_id) for account_id in ids]
        return views.accounts_view(self._machine.accounts[[number for number in numbers if number >= 0]])

    def lookup_transfers(self, ids: Sequence[int]) -> Records:
        """Return the transfers that exist, in the order asked, (n,) of ``TRANSFER``."""
        created = self.rows[views.is_created(self.rows)]
        keys = [(wanted >> 64, wanted & (2**64 - 1)) for wanted in ids]
        pairs = zip(created["id_high"].tolist(), created["id_low"].tolist(), strict=True)
        index = {pair: i for i, pair in enumerate(pairs)}
        return views.transfers_view(created[[index[key] for key in keys if key in index]])

    def get_account_transfers(self, wanted: AccountFilter) -> Records:
        """Return the transfers of an account, (n,) of ``TRANSFER``; expiries are none."""
        rows = self._entries(wanted)
        return views.transfers_view(views.cut(rows[views.is_created(rows)], wanted))

    def get_account_balances(self, wanted: AccountFilter) -> Records:
        """Return an account's totals after each of its entries, (n,) of ``ACCOUNT_BALANCE``."""
        return views.balances_view(views.cut(self._entries(wanted), wanted), wanted.account_id)

    def _entries(self, wanted: AccountFilter) -> Records:
        if not wanted.is_valid:
            return self.rows[:0]
        sides = views.entries_of(self.rows, wanted.account_id, debits=wanted.debits, credits_=wanted.credits)
        return self.rows[sides & views.matches(self.rows, wanted)]

    def query_accounts(self, wanted: QueryFilter) -> Records:
        """Return the accounts that match, in order of opening, (n,) of ``ACCOUNT``."""
        accounts = self._machine.accounts
        found = accounts[views.matches(accounts, wanted) & wanted.is_valid]
        return views.accounts_view(views.cut(found, wanted))

    def query_transfers(self, wanted: QueryFilter) -> Records:
        """Return the transfers that match, in order, (n,) of ``TRANSFER``."""
        found = self.rows[views.is_created(self.rows) & views.matches(self.rows, wanted) & wanted.is_valid]
        return views.transfers_view(views.cut(found, wanted))

    def balance_as_of(self, account_id: int, timestamp: int) -> Records | None:
        """Return an account's totals as they were at a time, ``ACCOUNT_BALANCE``; None before it existed."""
        accounts = self.lookup_accounts([account_id])
        if not len(accounts) or timestamp < accounts[0]["timestamp"]:
            return None
        rows = self.rows[views.entries_of(self.rows, account_id) & (self.rows["timestamp"] <= timestamp)]
        if len(rows):
            return views.balances_view(rows[-1:], account_id).reshape(())
        opened = np.zeros((), views.ACCOUNT_BALANCE)
        opened["timestamp"] = accounts[0]["timestamp"]
        return opened

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Sum the four totals per ledger: debits equal credits, pending and posted apart."""
        return views.trial_balance(self._machine.accounts)
