"""Applications for credit over HTTP, from the request to the decision, and what one costs.

``formicary bench application`` or ``python -m benchmarks.application``. Everything is durable: fsync on, an
answer counts only after its commit. Callers, API worker, engine and PostgreSQL share the machine. Merchants
have payments of their own, a hundred thousand loans of others are on the book, and the model is the one that
is declared. Applications come at a steady rate, and then as fast as a few callers can ask; each is an offer,
or is declined with reasons and a search for what would have been enough.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks._http_callers import call, post, run_callers, run_paced
from benchmarks._machine import machine
from benchmarks._running_api import cpu_seconds, engine_client, running_api
from formicary.base.errors import OperationalFault
from formicary.base.public_ids import Prefix, encode
from formicary.base.purposes import Purpose
from formicary.base.scopes import Scope
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.client import EngineClient
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.products import Command
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, IssueKey
from formicary.factory.identity.keys import new_key
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.ledger import ACCOUNT, TRANSFER, AccountFlags
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import Alias, MoveAlias
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.lending.applications.house import SetCreditPolicy, house_id
from formicary.products.lending.applications.settings import Band, CreditorWords, HouseSettings
from formicary.products.lending.funding.schemas import PayInOwnFunds
from formicary.products.lending.product import FUNDING_PRODUCT, LOANS, POLICIES
from formicary.products.lending.servicing.fields import AMOUNTS, LoanTerms
from formicary.products.lending.servicing.schemas import TakeOverLoans
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from formicary.runtime.settings import Settings

__all__ = ["main"]

Rows = npt.NDArray[Any]

_CURRENCY: Final = 156
_HOUSE: Final = 1
_NOSTRO: Final = 2
# High words of ids: merchants and their wallets, and the parties, wallets and loans that are on the book.
_MERCHANTS, _PURSES, _PARTIES, _WALLETS, _LOANS = (high << 32 for high in range(1, 6))
_PART: Final = 1_000
_PAID_AT_ONCE: Final = 8_000
_TERMS: Final = LoanTerms(kind=2, rate=120_000_000, instalments=12)
_SETTINGS: Final = HouseSettings(
    bands=[Band(default=30_000, sales=1_500_000), Band(default=150_000, sales=500_000)],
    terms=LoanTerms(kind=1, rate=0, day_count=3, share=83_334),
    creditor=CreditorWords(name="Bench", address="This machine", appeal="Nobody"),
    # All payments of this run are of today.
    credit={"history_days_min": 0, "limit_min": 100_000, "rate_cap_millionths": 1_000},
)
_TOLD_YUAN: Final = (("told of MYbank, all costs of a loan", 3), ("told of a bank", 2_000))


class Bench:
    """One run: parties, their payments, a book, a model, and a key of the house."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings = settings
        self.port = port
        self.key = ""
        self._number = 0
        self._random = random.Random(7)
        self._merchants = 0

    def opens(self, *, merchants: int, payments: int, loans: int) -> None:
        """Bring everything into the journal."""
        self._merchants = merchants
        with engine_client(self.settings) as client:
            self._registers(client, merchants)
            client.create_accounts(_accounts(_PURSES, _MERCHANTS, np.arange(merchants, dtype=np.uint64)))
            client.create_accounts(_nostro())
            for moved in _sales(merchants, payments):
                client.create_transfers(moved)
            for first in range(0, loans, _PART):
                self._takes_over(client, np.arange(first, min(first + _PART, loans), dtype=np.uint64))
            self._lends(client)

    def requests(self) -> Iterator[bytes]:
        """Yield applications, for ever: of any merchant, for more or less than it can carry."""
        while True:
            self._number += 1
            party = (_MERCHANTS << 64) + 1 + self._random.randrange(self._merchants)
            body = {
                "party": encode(Prefix.PARTY, party),
                "currency": "CNY",
                "amount": self._random.choice((50_000, 200_000, 1_000_000, 5_000_000)),
            }
            path = "/v1/credit/applications"
            yield post(path, msgspec.json.encode(body), bearer=self.key, key=f"application-{self._number}")

    def outcomes(self, count: int) -> Counter[str]:
        """Return how many of some applications came out as what."""
        requests = self.requests()
        answers = (msgspec.json.decode(call(self.port, next(requests))) for _ in range(count))
        return Counter(answer["outcome"] for answer in answers)

    def _registers(self, client: EngineClient, merchants: int) -> None:
        house = RegisterParty(subject=_HOUSE, kind=PartyKind.HOUSE)
        client.command(PARTY_PRODUCT.name, house, principal="bench", key="house")
        for number in range(1, merchants + 1):
            party = (_MERCHANTS << 64) + number
            register = RegisterParty(subject=party, kind=PartyKind.MERCHANT)
            client.command(PARTY_PRODUCT.name, register, principal="bench", key=f"party {number}")
            grant = GrantConsent(
                subject=party, purpose=Purpose.CREDIT, wording="ab" * 16, act=ConsentAct.WRITTEN
            )
            client.command(CONSENT_PRODUCT.name, grant, principal="bench", key=f"consent {number}")
        made = new_key("test", 1, os.urandom)
        issue = IssueKey(
            subject=1,
            party=f"{_HOUSE:032x}",
            hash_first=made.hash_first,
            hash_last=made.hash_last,
            scopes=int(sum(Scope)),
        )
        client.command(CREDENTIAL_PRODUCT.name, issue, principal="bench", key="issue")
        self.key = made.text

    def _takes_over(self, client: EngineClient, numbers: Rows) -> None:
        client.create_accounts(_accounts(_WALLETS, _PARTIES, numbers))
        today = day_at(time.time_ns())
        command = TakeOverLoans(
            subject=1,
            currency=_CURRENCY,
            terms=_TERMS,
            day=today - 1,
            next_due=today + 1 + int(numbers[0]) % 27,
            ids=IDS.pack(_ids(_LOANS, numbers)),
            parties=IDS.pack(_ids(_PARTIES, numbers)),
            wallets=IDS.pack(_ids(_WALLETS, numbers)),
            balances=AMOUNTS.pack(np.full(len(numbers), 1_000_00)),
            instalments=AMOUNTS.pack(np.full(len(numbers), 90_00)),
        )
        self._asks(client, LOANS.name, command, f"book {numbers[0]}")

    def _lends(self, client: EngineClient) -> None:
        policy = SetCreditPolicy(subject=house_id(_CURRENCY), currency=_CURRENCY, settings=_SETTINGS)
        self._asks(client, POLICIES.name, policy, "policy")
        self._asks(client, FUNDING_PRODUCT.name, PayInOwnFunds(subject=_CURRENCY, amount=10**12), "funds")
        model = MERCHANT_JUDGEMENT.model()
        moved = MoveAlias(
            subject=text_id(model.name),
            model=model.name,
            alias=Alias.CHAMPION,
            hash=model.hash,
            reason="The benchmark asks.",
        )
        registered = registration_of(model, manifest={}, note="")
        for place, command in enumerate((*parts_of(model), registered, moved)):
            self._asks(client, REGISTRY, command, f"model {place}")

    def _asks(self, client: EngineClient, product: str, command: Command, key: str) -> None:
        receipt = client.command(product, command, principal="bench", key=key)
        if receipt.code:
            message = f"the engine refused {type(command).__name__}: {receipt.code}"
            raise OperationalFault(message)


def _ids(high: int, numbers: Rows) -> Rows:
    return np.column_stack([np.full(len(numbers), high, np.uint64), numbers + np.uint64(1)])


def _accounts(high: int, party: int, numbers: Rows) -> Rows:
    made = np.zeros(len(numbers), ACCOUNT)
    for name, word in (("id", high), ("user_data_128", party)):
        made[f"{name}_high"], made[f"{name}_low"] = _ids(word, numbers).T
    made["ledger"], made["code"] = _CURRENCY, 2
    made["flags"] = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    return made


def _nostro() -> Rows:
    """Return the account of those who buy: its party is nobody's."""
    made = np.zeros(1, ACCOUNT)
    made["id_low"], made["user_data_128_low"] = _NOSTRO, _NOSTRO
    made["ledger"], made["code"] = _CURRENCY, 1
    return made


def _sales(merchants: int, payments: int) -> Iterator[Rows]:
    """Yield payments to merchants, of sizes that are some merchants' usual ones."""
    chance = np.random.default_rng(1)
    usual = chance.lognormal(9.0, 1.2, merchants)
    total = merchants * payments
    for first in range(0, total, _PAID_AT_ONCE):
        numbers = np.arange(first, min(first + _PAID_AT_ONCE, total), dtype=np.uint64)
        moved = np.zeros(len(numbers), TRANSFER)
        moved["id_low"] = numbers + np.uint64(1)
        moved["debit_account_id_low"] = _NOSTRO
        payees = numbers % np.uint64(merchants)
        moved["credit_account_id_high"], moved["credit_account_id_low"] = _ids(_PURSES, payees).T
        moved["amount"] = (usual[payees.astype(int)] * chance.lognormal(0, 0.5, len(numbers))).astype(int) + 1
        moved["ledger"], moved["code"] = _CURRENCY, 102
        yield moved


def measure(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures by name."""
    figures: dict[str, Any] = {"machine": machine(), "loans on the book": options.loans}
    expected = b'"outcome"'
    with running_api(home, workers=1) as (settings, port, _, children):
        bench = Bench(settings, port)
        began = time.perf_counter()
        bench.opens(merchants=options.merchants, payments=options.payments, loans=options.loans)
        figures["seconds to prepare"] = time.perf_counter() - began
        figures["outcomes"] = dict(bench.outcomes(200))
        before = cpu_seconds(children)
        paced = run_paced(
            bench.port,
            bench.requests(),
            rate=options.rate,
            callers=8,
            seconds=options.seconds,
            expected=expected,
        )
        figures[f"{options.rate} a second"] = paced
        spent = {name: after - before[name] for name, after in cpu_seconds(children).items()}
        count = paced["per_second"] * options.seconds
        figures["ms of a processor a decision"] = {name: one / count * 1e3 for name, one in spent.items()}
        seconds = sum(spent.values()) / count
        figures["CPU seconds a decision"] = seconds
        figures["yuan a decision"] = seconds / 3_600 * options.core_hour
        figures["8 callers"] = run_callers(
            bench.port, bench.requests(), callers=8, seconds=options.seconds, expected=expected
        )
    return figures


def _print(figures: dict[str, Any]) -> None:
    table = Table(title=f"Applications over HTTP, {figures['loans on the book']:,} loans on the book")
    for column in ("load", "decisions/s", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "load" else "right")
    for name, found in figures.items():
        if isinstance(found, dict) and "per_second" in found:
            times = [f"{found[key]:.1f}" for key in ("p50_ms", "p99_ms")]
            table.add_row(name, f"{found['per_second']:,.0f}", *times)
    costs = Table("what one costs", "yuan")
    costs.add_row(
        f"the processor's time of a decision, {figures['CPU seconds a decision'] * 1e3:.2f} ms",
        f"{figures['yuan a decision']:.1e}",
    )
    for told, yuan in _TOLD_YUAN:
        costs.add_row(told, f"{yuan:,}")
    console = Console()
    console.print(figures["machine"])
    console.print(table)
    console.print("outcomes", figures["outcomes"], "ms by process", figures["ms of a processor a decision"])
    console.print(costs)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument("--loans", type=int, default=100_000, help="of others, on the book")
    parser.add_argument("--merchants", type=int, default=1_000, help="who apply")
    parser.add_argument("--payments", type=int, default=100, help="to each of them")
    parser.add_argument("--rate", type=int, default=50, help="applications a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--core-hour", type=float, default=1.0, help="what one costs, in yuan")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    try:
        figures = measure(home, options)
    except OperationalFault as fault:
        print(f"failed: {fault}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        _print(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
