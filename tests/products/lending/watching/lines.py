"""A street whose shops have lines, and whose sales a test chooses week by week."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import Receipt
from formicary.factory.ledger import Transfer, transfer_array
from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.watching.borrowers import WATCHED
from formicary.products.lending.watching.watch_run import WatchBorrowers, watch_product
from formicary.products.lending.watching.weeks import week_of
from formicary.products.payments.postings import TransferCode
from tests.products.lending.servicing.bank import EUR, LINE, SERVICING, WALLETS
from tests.products.lending.street import Street

__all__ = ["CUSTOMER", "Watcher"]

CUSTOMER = 99
_WATCH = watch_product(next(one for one in SERVICING if one.name == LOANS.name))


class Watcher(Street):
    """It lends to whoever has an offer; its clock stands on a Wednesday when a week's sales are made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, (*SERVICING, WATCHED, _WATCH))
        self.has(CUSTOMER, amount=10_000_000_00)

    def takes_line(self, loan: int, party: int, limit: int) -> None:
        """Let a party take a line of which nothing is drawn."""
        assert self.offers(loan, party, limit, LINE).code == ""
        assert self.accepts(loan, loan, party, limit).code == ""

    def sells(self, counts: Mapping[int, int], amount: int = 100) -> None:
        """Let the customer buy so often of each shop."""
        moved = []
        for shop, count in counts.items():
            for _ in range(count):
                self._keys += 1
                ends = {"debit_account_id": WALLETS + CUSTOMER, "credit_account_id": WALLETS + shop}
                moved.append(
                    Transfer(
                        id=self._keys, amount=amount, ledger=EUR, code=TransferCode.MERCHANT_PAYMENT, **ends
                    )
                )
        (results,) = self.engine.execute([LedgerRequest(transfer_array(moved))])
        assert not results["status"].any()

    def goes_on(self, week: int | None = None, key: str | None = None) -> Receipt:
        """Do the next part of a run, this week's unless given."""
        week = week_of(day_at(self.clock.now())) if week is None else week
        return self.does(_WATCH, WatchBorrowers(subject=week), key)

    def watches(self, week: int | None = None) -> dict[str, int]:
        """Do what is left of a run; return how many it watched, warned of and cut from here on."""
        told = {"watched": 0, "warned": 0, "cut": 0}
        while True:
            receipt = self.goes_on(week)
            assert receipt.code == "", receipt
            for name in told:
                told[name] += receipt.answer.get(name, 0)
            if receipt.answer["is_ended"]:
                return told

    def week(self, counts: Mapping[int, int]) -> dict[str, int]:
        """Let a week pass: sales on Wednesday, the run on Monday."""
        self.sells(counts)
        self.later(5)
        told = self.watches()
        self.later(2)
        return told

    def borrower(self, party: int) -> Any:
        """Return a borrower that is watched, or None."""
        return self.engine.state.aggregates[WATCHED.name].find(party)

    def limit(self, loan: int) -> int:
        """Return the limit of a line."""
        return int(self.loan(loan)["limit"])

    def columns(self, product: str = LOANS.name) -> list[Any]:
        """Return all aggregates of a product but for what the moment of their command says."""
        records = self.engine.state.aggregates[product].records
        names = [name for name in records.dtype.names or () if name not in {"timestamp", "events"}]
        return [[np.asarray(record[name]).tolist() for name in names] for record in records]

    def cuts(self) -> list[dict[str, list[int]]]:
        """Return the columns of all events that cut lines, in order."""
        types = {"loans": "<u8", "counts": "<u4", "shares": "<u4", "fallen": "<u1"}
        told = []
        for event in self.events("credit_watch.LinesCut"):
            texts = {name: text for name, text in event.data.items() if name != "type"}
            read = {
                name: np.frombuffer(base64.b64decode(text), types.get(name, "<i8")).tolist()
                for name, text in texts.items()
            }
            # Ids are two words each, the high one first.
            told.append(read | {"loans": read["loans"][1::2]})
        return told
