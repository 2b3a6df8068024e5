"""Close of business: what one business date takes over many loans, on a durable journal.

``formicary bench close`` or ``python -m benchmarks.close``. Loans are taken over from other books, one
wallet and one account each; a thirtieth of them falls due each day, and of ten wallets nine can pay. A date
is closed part by part, each part committed before the next. In the end every loan's balance is compared with
its account, and the sums of what is owed with the house's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks._bench import Bench, BenchFailed
from formicary.base.clock import SimulatedClock
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.factory.journal.migrations import migrate
from formicary.factory.ledger import ACCOUNT, TRANSFER, Account, AccountFlags, account_array
from formicary.products.lending.product import BUSINESS_DATES, LENDING, LOANS
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.fields import AMOUNTS, LoanTerms
from formicary.products.lending.servicing.reconciliation import differences
from formicary.products.lending.servicing.schemas import TakeOverLoans
from formicary.products.lending.servicing.terms import DAY
from formicary.runtime.engine_process import warm_up

__all__ = ["main"]

Rows = npt.NDArray[Any]

_FIRST: Final = 20_000
"""The first business date, 2024-10-04."""

_PART: Final = 1_000
_DUE_DAYS: Final = 30
_EUR: Final = 978
_NOSTRO: Final = 1
_TERMS: Final = LoanTerms(kind=2, rate=180_000_000, instalments=12)
_BALANCE: Final = 1_000_00
_INSTALMENT: Final = 91_68
_UNFUNDED: Final = 10
# High words of the ids of wallets, parties and loans.
_WALLETS: Final = 2
_PARTIES: Final = 3
_LOANS: Final = 4


class Books:
    """An engine, and the loans that it serves."""

    def __init__(self, engine: Engine, clock: SimulatedClock) -> None:
        self.engine = engine
        self.clock = clock
        self._keys = 0

    def asks(self, product: Product, command: Command) -> dict[str, Any]:
        """Carry a command out durably; return its answer."""
        self._keys += 1
        request = command_request(product.name, command, principal="bench", key=str(self._keys))
        (receipt,) = self.engine.execute([request])
        if receipt.code:
            message = f"{type(command).__name__} was refused: {receipt.code}"
            raise BenchFailed(message)
        return dict(receipt.answer)

    def opens(self, items: Rows) -> None:
        """Open accounts or make transfers, all of which are made."""
        (results,) = self.engine.execute([LedgerRequest(items)])
        if results["status"].any():
            raise BenchFailed

    def begins(self, loans: int) -> None:
        """Open wallets with money in most, and take the loans over."""
        self.opens(account_array([Account(id=_NOSTRO, ledger=_EUR, code=1)]))
        for numbers in _parts(loans):
            self.opens(_wallets(numbers))
            self.opens(_funding(numbers[numbers % _UNFUNDED != 0]))
        for part, numbers in enumerate(_parts(loans)):
            command = TakeOverLoans(
                subject=1,
                currency=_EUR,
                terms=_TERMS,
                day=_FIRST,
                next_due=_FIRST + 1 + part % _DUE_DAYS,
                ids=IDS.pack(_ids(_LOANS, numbers)),
                parties=IDS.pack(_ids(_PARTIES, numbers)),
                wallets=IDS.pack(_ids(_WALLETS, numbers)),
                balances=AMOUNTS.pack(np.full(len(numbers), _BALANCE)),
                instalments=AMOUNTS.pack(np.full(len(numbers), _INSTALMENT)),
            )
            self.asks(LOANS, command)

    def closes(self, day: int) -> tuple[int, int]:
        """Close a business date; return how many commands it took, and how many loans paid."""
        self.clock.set(day * DAY + 23 * DAY // 24)
        commands, payments, is_closed = 0, 0, False
        while not is_closed:
            answer = self.asks(BUSINESS_DATES, CloseBusinessDate(subject=day))
            commands, payments = commands + 1, payments + answer.get("payments", 0)
            is_closed = answer["is_closed"]
        return commands, payments


def _parts(loans: int) -> Iterator[Rows]:
    for first in range(0, loans, _PART):
        yield np.arange(first, min(first + _PART, loans), dtype=np.uint64)


def _ids(high: int, numbers: Rows) -> Rows:
    return np.column_stack([np.full(len(numbers), high, np.uint64), numbers + np.uint64(1)])


def _wallets(numbers: Rows) -> Rows:
    wallets = np.zeros(len(numbers), ACCOUNT)
    for name, high in (("id", _WALLETS), ("user_data_128", _PARTIES)):
        wallets[f"{name}_high"], wallets[f"{name}_low"] = _ids(high, numbers).T
    wallets["ledger"], wallets["code"] = _EUR, 2
    wallets["flags"] = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    return wallets


def _funding(numbers: Rows) -> Rows:
    moved = np.zeros(len(numbers), TRANSFER)
    for name in ("id", "credit_account_id"):
        moved[f"{name}_high"], moved[f"{name}_low"] = _ids(_WALLETS, numbers).T
    moved["debit_account_id_low"], moved["amount"] = _NOSTRO, 10 * _INSTALMENT
    moved["ledger"], moved["code"] = _EUR, 1
    return moved


def measure(bench: Bench, books: Books, *, loans: int, dates: int) -> None:
    """Take loans over, close dates, compare, and note what it took."""
    began = time.perf_counter()
    books.begins(loans)
    bench.note("loans", loans)
    bench.note("taken over: seconds", time.perf_counter() - began, 1)
    took = []
    for day in range(_FIRST, _FIRST + dates):
        began = time.perf_counter()
        commands, payments = books.closes(day)
        took.append(time.perf_counter() - began)
        bench.note(f"business date {day - _FIRST + 1}: seconds", took[-1], 2)
        bench.note(f"business date {day - _FIRST + 1}: commands", commands)
        bench.note(f"business date {day - _FIRST + 1}: loans that paid", payments)
    bench.note("slowest business date: seconds", max(took), 2)
    began = time.perf_counter()
    if differences(books.engine.state):
        raise BenchFailed
    bench.note("every balance compared with the ledger: seconds", time.perf_counter() - began, 2)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument("--loans", type=int, default=1_000_000, help="how many")
    parser.add_argument(
        "--dates", type=int, default=4, help="how many business dates; nothing is due on the first"
    )
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    bench = Bench(home, transfers=0, seconds=0)
    warm_up()
    try:
        with bench.supervisor:
            access = bench.supervisor.access()
            migrate(access)
            clock = SimulatedClock(_FIRST * DAY)
            products = (PARTY_PRODUCT, CONSENT_PRODUCT, FACTS_PRODUCT, *LENDING)
            with bench.engine(access, products, clock) as (engine, _):
                measure(bench, Books(engine, clock), loans=options.loans, dates=options.dates)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    bench.show("Close of business", as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
