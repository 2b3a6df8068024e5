"""The nightly run over a whole base, end to end: features, model, decision and offers on a durable journal.

Parties are registered, agree, and sell for four months; a share of them owes the house loans of other books.
Then a run goes over all of them, part by part, each
committed before the next, and a night later over their standing offers. What is measured is all that an
engine does for it: nothing else goes on, but between two parts everybody else would be answered.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks._bench import Bench, BenchFailed
from formicary.base.clock import SimulatedClock
from formicary.base.purposes import Purpose
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import CommandRequest, LedgerRequest, command_request
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.journal.migrations import migrate
from formicary.factory.ledger import ACCOUNT, TRANSFER, Account, account_array
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import Alias, MoveAlias
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.lending.applications.house import SetCreditPolicy, house_id
from formicary.products.lending.applications.settings import Band, CreditorWords, HouseSettings
from formicary.products.lending.funding.schemas import PayInOwnFunds
from formicary.products.lending.nightly.preapproval_run import PreapproveParties, run_id
from formicary.products.lending.product import FUNDING_PRODUCT, LOANS, OFFERS, POLICIES, PREAPPROVALS
from formicary.products.lending.servicing.fields import AMOUNTS, LoanTerms
from formicary.products.lending.servicing.schemas import TakeOverLoans
from formicary.products.lending.servicing.terms import DAY, day_at
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from formicary.runtime.engine_process import warm_up
from formicary.runtime.products import PRODUCTS

__all__ = ["House", "measure_whole", "measured"]

Rows = npt.NDArray[Any]

_FIRST: Final = 20_000
_CNY: Final = 156
_WALLETS: Final = 2
_PARTIES: Final = 3
_MERCHANT_PAYMENT: Final = 102
_AT_ONCE: Final = 4_000
_SALES: Final = 8
"""Of each party, the last one a day before the first run."""

_TURN_DAYS: Final = 14

_FEW: Final = 3
"""Of those that sell nothing lately."""

_BUYERS: Final = 40

_LOANS: Final = 4
"""Of ids, the high word; of those who owe something every third owes two loans."""

_TAKEN_AT_ONCE: Final = 500
_BALANCE: Final = 600_00
_OWED_TERMS: Final = LoanTerms(kind=2, rate=180_000_000, instalments=12)

_SETTINGS: Final = HouseSettings(
    bands=[
        Band(default=10_000, sales=2_000_000),
        Band(default=30_000, sales=1_000_000),
        Band(default=60_000, sales=500_000),
    ],
    terms=LoanTerms(kind=1, rate=0, day_count=3, share=50_000),
    creditor=CreditorWords(name="Anthill Bank", address="1 Ant Road", appeal="https://anthill.example"),
    credit={"limit_min": 50_000, "history_days_min": 30},
    capital={"least": 50_000},
)


class House:
    """An engine with a base of parties."""

    def __init__(self, engine: Engine, clock: SimulatedClock, parties: int, *, borrowers: int = 0) -> None:
        self.engine = engine
        self.clock = clock
        self.parties = parties
        self.borrowers = borrowers
        self._keys = 0

    def request(self, product: str, command: Command) -> CommandRequest:
        """Return the request of a command."""
        self._keys += 1
        return command_request(product, command, principal="bench", key=str(self._keys))

    def asks(self, product: str, *commands: Command) -> dict[str, Any]:
        """Carry commands out durably; return the last one's answer."""
        receipts = self.engine.execute([self.request(product, command) for command in commands])
        if refused := [receipt.code for receipt in receipts if receipt.code]:
            message = f"{type(commands[0]).__name__} was refused: {refused[0]}"
            raise BenchFailed(message)
        return dict(receipts[-1].answer)

    def moves(self, items: Rows) -> None:
        """Open accounts or make transfers, all of which are made."""
        (results,) = self.engine.execute([LedgerRequest(items)])
        if results["status"].any():
            raise BenchFailed

    def begins(self) -> None:
        """Register the base, let it agree and sell, and open for business."""
        buyers = [Account(id=one, ledger=_CNY, code=101, user_data_128=one) for one in range(1, _BUYERS + 1)]
        self.moves(account_array(buyers))
        for numbers in self._parts():
            ids = [_PARTIES << 64 | int(number) + 1 for number in numbers]
            self.asks(
                PARTY_PRODUCT.name, *(RegisterParty(subject=one, kind=PartyKind.MERCHANT) for one in ids)
            )
            self.asks(CONSENT_PRODUCT.name, *(_agreed(one) for one in ids))
            self.moves(_wallets(numbers))
        for turn in range(_SALES):
            self.clock.set(self.clock.now() + _TURN_DAYS * DAY)
            for numbers in self._parts():
                self.moves(_sales(numbers, turn))
        self.clock.set(self.clock.now() + DAY)
        self._lends()
        self.asks(POLICIES.name, SetCreditPolicy(subject=house_id(_CNY), currency=_CNY, settings=_SETTINGS))
        self.asks(FUNDING_PRODUCT.name, PayInOwnFunds(subject=_CNY, amount=10**15))
        model = MERCHANT_JUDGEMENT.model()
        moved = MoveAlias(
            subject=text_id(model.name),
            model=model.name,
            alias=Alias.CHAMPION,
            hash=model.hash,
            reason="It is the first.",
        )
        self.asks(REGISTRY, *parts_of(model), registration_of(model, manifest={}, note=""))
        self.asks(REGISTRY, moved)

    def _lends(self) -> None:
        """Take loans over, of which nothing falls due before both nights are over."""
        numbers = np.arange(self.parties, dtype=np.uint64)
        owing = numbers[numbers * np.uint64(37) % np.uint64(100) < self.borrowers]
        day = day_at(self.clock.now())
        for turn, who in enumerate((owing, owing[::3])):
            for first in range(0, len(who), _TAKEN_AT_ONCE):
                part = who[first : first + _TAKEN_AT_ONCE]
                taken = TakeOverLoans(
                    subject=1,
                    currency=_CNY,
                    terms=_OWED_TERMS,
                    day=day,
                    next_due=day + 20,
                    ids=IDS.pack(_ids(_LOANS + turn, part)),
                    parties=IDS.pack(_ids(_PARTIES, part)),
                    wallets=IDS.pack(_ids(_WALLETS, part)),
                    balances=AMOUNTS.pack(np.full(len(part), _BALANCE)),
                    instalments=AMOUNTS.pack(np.full(len(part), _BALANCE // 12)),
                )
                self.asks(LOANS.name, taken)

    def runs(self) -> tuple[list[float], int]:
        """Go over all parties; return the seconds of each part by the clock, and the offers left."""
        subject = run_id(day_at(self.clock.now()), _CNY)
        took, offered, is_ended = [], 0, False
        while not is_ended:
            began = time.perf_counter()
            answer = self.asks(PREAPPROVALS.name, PreapproveParties(subject=subject))
            took.append(time.perf_counter() - began)
            offered, is_ended = offered + answer["offered"], answer["is_ended"]
        return took, offered

    def _parts(self) -> Iterator[Rows]:
        for first in range(0, self.parties, _AT_ONCE):
            yield np.arange(first, min(first + _AT_ONCE, self.parties), dtype=np.uint64)


def _agreed(party: int) -> GrantConsent:
    return GrantConsent(
        subject=party, purpose=Purpose.CREDIT, wording="ab" * 16, act=ConsentAct.SIGNED_IN_PARTY
    )


def _ids(high: int, numbers: Rows) -> Rows:
    return np.column_stack([np.full(len(numbers), high, np.uint64), numbers + np.uint64(1)])


def _wallets(numbers: Rows) -> Rows:
    wallets = np.zeros(len(numbers), ACCOUNT)
    wallets["id_high"], wallets["user_data_128_high"] = _WALLETS, _PARTIES
    wallets["id_low"] = wallets["user_data_128_low"] = numbers + np.uint64(1)
    wallets["ledger"], wallets["code"] = _CNY, 102
    return wallets


def _sales(numbers: Rows, turn: int) -> Rows:
    """Return a sale of each party: of a size of its own, and every thirteenth sells nothing lately."""
    moved = np.zeros(len(numbers), TRANSFER)
    moved["id_high"], moved["id_low"] = turn + 1, numbers + np.uint64(1)
    moved["debit_account_id_low"] = 1 + (numbers + np.uint64(7 * turn)) % np.uint64(_BUYERS)
    moved["credit_account_id_high"] = _WALLETS
    moved["credit_account_id_low"] = numbers + np.uint64(1)
    moved["amount"] = 1_000_00 + numbers * np.uint64(7_919) % np.uint64(50_000_00)
    moved["ledger"], moved["code"] = _CNY, _MERCHANT_PAYMENT
    made: Rows = moved[(numbers % np.uint64(13) != 0) | (turn < _FEW)]
    return made


def measure_whole(parties: int, *, borrowers: int = 0) -> dict[str, Any]:
    """Return the figures of a run over so many parties, and of the run a night later; see ``measured``.

    So many percent of them are ``borrowers``: they owe the house a loan or two.
    """
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    bench = Bench(home, transfers=0, seconds=0)
    warm_up()
    try:
        with bench.supervisor:
            access = bench.supervisor.access()
            migrate(access)
            clock = SimulatedClock(_FIRST * DAY)
            with bench.engine(access, PRODUCTS, clock) as (engine, _):
                return measured(House(engine, clock, parties, borrowers=borrowers))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def measured(house: House) -> dict[str, Any]:
    """Return the figures of a run over a house's base, and of the run a night later.

    Raises
    ------
    BenchFailed
        Something was refused, nothing was offered, or the second night left other offers than the first.
    """
    house.begins()
    processor = time.process_time()
    first, made = house.runs()
    processor = time.process_time() - processor
    house.clock.set(house.clock.now() + DAY)
    second, renewed = house.runs()
    offers = len(house.engine.state.aggregates[OFFERS.name].records)
    if not offers == made == renewed > 0:
        message = f"{made} offers were made, {renewed} renewed, and {offers} are there"
        raise BenchFailed(message)
    return {
        "whole_parties": house.parties,
        "whole_loans": len(house.engine.state.aggregates[LOANS.name].records),
        "whole_offers": offers,
        "whole_parties_per_second": round(house.parties / sum(first)),
        "whole_parties_per_second_of_a_core": round(house.parties / processor),
        "whole_parts": len(first),
        "whole_longest_part_ms": round(1_000 * max(*first, *second), 1),
        "whole_second_night_per_second": round((house.parties + offers) / sum(second)),
    }
