"""A house in memory: an engine with the payments products over a journal that keeps everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.ledger import Transfer, account_array, transfer_array
from formicary.factory.ledger.views import entries_of, is_created, transfers_view
from formicary.products.payments import PAYMENTS
from formicary.products.payments.postings import (
    AccountCode,
    account_id,
    house_account_id,
    house_accounts,
    wallet_account,
)
from tests.factory.engine.null_journal import NullJournal

__all__ = ["GBP", "House"]

GBP = 826
_START = 1_700_000_000 * 10**9


class House:
    """An engine in simulated time; parties are small numbers, and pounds come from the nostro account."""

    def __init__(self, folder: Path, *more: Product) -> None:
        self.folder = folder
        self.products = (*PAYMENTS, *more)
        self.journal = NullJournal()
        self.clock = SimulatedClock(_START)
        self.engine = self.another_engine()
        self._transfers = 0
        self._keys = 0
        self.opens(*house_accounts(GBP))

    def another_engine(self) -> Engine:
        """Return an engine that recovered from the journal."""
        engine = Engine(self.journal, lambda: FactoryState(self.folder, self.products), self.clock)
        engine.recover()
        return engine

    def recovers(self) -> None:
        """Lose the engine and all it knew; another one takes over."""
        before = self.engine.state.state_hash
        self.engine = self.another_engine()
        assert self.engine.state.state_hash == before

    def opens(self, *accounts: Any) -> None:
        """Open accounts."""
        (results,) = self.engine.execute([LedgerRequest(account_array(accounts))])
        assert not results["status"].any()

    def has(self, *parties: int, amount: int = 0, code: AccountCode = AccountCode.PERSON_WALLET) -> None:
        """Open wallets, with money in each."""
        self.opens(*(wallet_account(party, GBP, code) for party in parties))
        for party in parties:
            if amount:
                self.moves(house_account_id(AccountCode.NOSTRO, GBP), account_id(party, GBP), amount)

    def moves(self, debit: int, credit: int, amount: int, **more: Any) -> npt.NDArray[Any]:
        """Make one transfer; return its result."""
        self._transfers += 1
        fields = {"id": self._transfers, "ledger": GBP, "code": AccountCode.ADJUSTMENTS} | more
        transfer = Transfer(debit_account_id=debit, credit_account_id=credit, amount=amount, **fields)
        return np.asarray(self.pays([transfer])[0])

    def pays(self, transfers: list[Transfer]) -> npt.NDArray[Any]:
        """Make transfers as one request; return their results."""
        (results,) = self.engine.execute([LedgerRequest(transfer_array(transfers))])
        return np.asarray(results)

    def does(self, product: Product, command: Command, key: str | None = None) -> Receipt:
        """Carry out a command under a key, a new one unless given; return its receipt."""
        self._keys += 1
        request = command_request(product.name, command, principal="test", key=key or f"key {self._keys}")
        (receipt,) = self.engine.execute([request])
        assert isinstance(receipt, Receipt)
        return receipt

    def waits(self, nanoseconds: int) -> None:
        """Let time pass; what falls due runs."""
        self.clock.set(self.now + nanoseconds)
        self.engine.execute([])

    @property
    def now(self) -> int:
        """The time: that of the last stamp, where stamps ran ahead of a clock that stands still."""
        return max(self.clock.now(), self.engine.state.machine.timestamp)

    def record(self, product: Product, subject: int) -> npt.NDArray[Any]:
        """Return an aggregate."""
        record = self.engine.state.aggregates[product.name].find(subject)
        assert record is not None
        return record

    def balance(self, account: int) -> int:
        """Return what an account holds: credits less debits."""
        machine = self.engine.state.machine
        found = machine.account_view(machine.account_number(account))
        return int(found["credits_posted"]) - int(found["debits_posted"])

    def wallet(self, party: int) -> int:
        """Return what a party has."""
        return self.balance(account_id(party, GBP))

    def own(self, code: AccountCode) -> int:
        """Return what one of the house's accounts holds."""
        return self.balance(house_account_id(code, GBP))

    def transfers(self, account: int) -> npt.NDArray[Any]:
        """Return the transfers of an account so far, (n,) of ``TRANSFER``."""
        rows = np.concatenate([batch.transfers for batch in self.journal.batches])
        return transfers_view(rows[entries_of(rows, account) & is_created(rows)])

    def events(self) -> list[tuple[str, int]]:
        """Return the kinds of all events so far, with their times."""
        return [(event.kind, event.timestamp) for batch in self.journal.batches for event in batch.events]
