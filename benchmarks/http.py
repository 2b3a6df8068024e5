"""Payments over HTTP: one by one and in batches, through API workers, the engine, and PostgreSQL.

``formicary bench http`` or ``python -m benchmarks.http``. Everything is durable: fsync on, an answer counts
only after its commit. Callers, workers, engine and PostgreSQL share the machine. A payment to a merchant is
two transfers, itself and its fee: one hot merchant compares with many merchants. Payments also come at a
steady rate, as they are and decided about: 28 features, 200 trees, twenty rules.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks._baseline import row_locked_rate
from benchmarks._checked import Registrar, model_of, policy, rules
from benchmarks._http_callers import post, run_callers, run_paced
from benchmarks._machine import machine
from benchmarks._running_api import cpu_seconds, engine_client, running_api
from formicary.base.errors import OperationalFault
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import Command
from formicary.factory.engine.state import Receipt
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, IssueKey
from formicary.factory.identity.keys import new_key
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.ledger import Account, AccountFlags, account_array
from formicary.factory.registry import DisarmPolicy
from formicary.products.payments.postings import HOUSE, AccountCode, account_id, house_accounts
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.runtime.settings import Settings

__all__ = ["main"]

_PERSONS: Final = 1_000
_MERCHANTS: Final = 100
_PARTIES: Final = _PERSONS + _MERCHANTS
_FIRST_PARTY: Final = 1_000
_POUNDS: Final = 826
_CREDIT_LIMIT: Final = 10**15
_BATCH: Final = 4_000
_PACE: Final = 1_000
_NEVER: Final = 2.0
_LOADS: Final = ("person to person", "many merchants", "one hot merchant")


class Bench:
    """One run: a server, an engine, workers, parties with wallets, and a key of the house."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings = settings
        self.port = port
        self.parties = [encode(Prefix.PARTY, _FIRST_PARTY + number) for number in range(_PARTIES)]
        self.key = ""
        self._number = 0
        self._random = random.Random(7)

    def open(self) -> None:
        """Register the parties, open their wallets, and issue the key."""
        with engine_client(self.settings) as client:
            house = RegisterParty(subject=HOUSE, kind=PartyKind.HOUSE)
            client.command(PARTY_PRODUCT.name, house, principal="bench", key="house")
            for number in range(_PARTIES):
                kind = PartyKind.PERSON if number < _PERSONS else PartyKind.MERCHANT
                register = RegisterParty(subject=_FIRST_PARTY + number, kind=kind)
                client.command(PARTY_PRODUCT.name, register, principal="bench", key=str(number))
            client.create_accounts(account_array([*house_accounts(_POUNDS), *map(_wallet, range(_PARTIES))]))
            made = new_key("test", 1, os.urandom)
            issue = IssueKey(
                subject=1,
                party=f"{HOUSE:032x}",
                hash_first=made.hash_first,
                hash_last=made.hash_last,
                scopes=int(sum(Scope)),
            )
            client.command(CREDENTIAL_PRODUCT.name, issue, principal="bench", key="issue")
            self.key = made.text

    def check(self) -> None:
        """Have every payment decided about: 200 trees that learnt nothing, twenty rules that never hold."""
        names = PAYMENT_POINT.features
        rows = np.random.default_rng(1).lognormal(3.0, 2.0, (20_000, len(names)))
        with engine_client(self.settings) as client:

            def ask(command: Command, key: str) -> Receipt:
                return client.command("registry", command, principal="bench", key=key)

            registrar = Registrar(ask)
            registrar.promote(model_of(rows, names)[0])
            registrar.arm(1, policy(1, score="fraud"), rules(1, names, _NEVER, score="fraud"))

    def check_no_more(self) -> None:
        """Have payments made as they are again."""
        disarm = DisarmPolicy(
            subject=text_id(PAYMENT_POINT.name), point=PAYMENT_POINT.name, reason="The benchmark asks."
        )
        with engine_client(self.settings) as client:
            client.command("registry", disarm, principal="bench", key="disarm")

    def singles(self, load: str) -> Iterator[bytes]:
        """Yield requests of one payment each, for ever."""
        while True:
            self._number += 1
            body = msgspec.json.encode(self._payment(load))
            yield post("/v1/payments", body, bearer=self.key, key=f"one-{self._number}")

    def batches(self, load: str) -> Iterator[bytes]:
        """Yield requests of many payments each, for ever: the same bodies in turn, under new keys."""
        bodies = [
            msgspec.json.encode({"payments": [self._payment(load) for _ in range(_BATCH)]}) for _ in range(8)
        ]
        while True:
            self._number += 1
            body = bodies[self._number % len(bodies)]
            yield post("/v1/payments/batch", body, bearer=self.key, key=f"many-{self._number}")

    def _payment(self, load: str) -> dict[str, Any]:
        payer, person = self._random.sample(self.parties[:_PERSONS], 2)
        payees = {
            "person to person": person,
            "many merchants": self._random.choice(self.parties[_PERSONS:]),
            "one hot merchant": self.parties[_PERSONS],
        }
        return {
            "payer": payer,
            "payee": payees[load],
            "amount": self._random.randint(1, 5_000),
            "currency": "GBP",
        }


def _wallet(number: int) -> Account:
    party = _FIRST_PARTY + number
    return Account(
        id=account_id(party, _POUNDS),
        ledger=_POUNDS,
        code=AccountCode.PERSON_WALLET,
        # Nobody runs dry: the rule is checked on every payment and refuses none.
        flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
        credit_limit=_CREDIT_LIMIT,
        user_data_128=party,
    )


def measure(home: Path, *, workers: int, callers: int, seconds: float) -> dict[str, Any]:
    """Return the figures by name."""
    figures: dict[str, Any] = {"machine": machine(), "workers": workers}
    with running_api(home, workers=workers) as (settings, port, supervisor, children):
        bench = Bench(settings, port)
        bench.open()
        run_callers(bench.port, bench.singles(_LOADS[0]), callers=8, seconds=1, expected=b"completed")
        for load in _LOADS:
            before = cpu_seconds(children)
            found = run_callers(
                bench.port, bench.singles(load), callers=callers, seconds=seconds, expected=b"completed"
            )
            count = found["per_second"] * seconds
            spent = {name: after - before[name] for name, after in cpu_seconds(children).items()}
            figures[f"{load}, {callers} callers"] = found | {
                f"{name} us a payment": spent[name] / count * 1e6 for name in spent
            }
        # Before the batches: what those leave PostgreSQL to write is no part of a quiet day.
        pace: dict[str, Any] = {"rate": _PACE, "callers": callers, "seconds": seconds}
        for name, prepare in (("as they are", None), ("each decided about", bench.check)):
            if prepare is not None:
                prepare()
            found = run_paced(bench.port, bench.singles(_LOADS[0]), **pace, expected=b"completed")
            figures[f"{_PACE:,} a second, {name}"] = found
        bench.check_no_more()
        for load in _LOADS:
            before = cpu_seconds(children)
            found = run_callers(
                bench.port, bench.batches(load), callers=4, seconds=seconds, expected=b'"refused":0,'
            )
            count = found["per_second"] * _BATCH * seconds
            spent = {name: after - before[name] for name, after in cpu_seconds(children).items()}
            figures[f"{load}, batches of {_BATCH:,}"] = found | {
                "per_second": found["per_second"] * _BATCH,
                **{f"{name} us a payment": spent[name] / count * 1e6 for name in spent},
            }
        for hot in (False, True):
            rate = row_locked_rate(
                supervisor.conninfo("formicary"), accounts=_PARTIES, seconds=seconds, hot_pair=hot
            )
            figures[f"row-locked SQL, 8 clients, {'one hot pair' if hot else 'uniform'}"] = {
                "per_second": rate
            }
    return figures


def _print(figures: dict[str, Any]) -> None:
    table = Table(title="Payments over HTTP")
    for column in ("load", "payments/s", "p50 ms", "p99 ms", "us a payment by process"):
        table.add_column(column, justify="left" if column == "load" else "right")
    for name, found in figures.items():
        if isinstance(found, dict) and "per_second" in found:
            spent = ", ".join(
                f"{key.split()[0]} {value:.1f}" for key, value in found.items() if key.endswith("a payment")
            )
            times = [f"{found[key]:.1f}" if key in found else "" for key in ("p50_ms", "p99_ms")]
            table.add_row(name, f"{found['per_second']:,.0f}", *times, spent)
    Console().print(figures["machine"])
    Console().print(table)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    try:
        figures = measure(home, workers=options.workers, callers=options.callers, seconds=options.seconds)
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
