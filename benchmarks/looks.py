"""What a look at a model takes within a day, in a journal with a week of decisions before it.

``formicary bench looks``: payments are decided about by the house's own features and a forest of 200 trees,
so many in the hour that is looked at and in the same hour of the seven days before, and as many again in the
rest of each day. Every look is that of a process which has just connected, as the learner's are; a new
champion is watched, so that all guards are run. In so young a journal much is new from day to day: alarms
that come of it are thrown away, so that one look finds what the one before did.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.console import Console

from benchmarks._bench import Bench, BenchFailed
from benchmarks._checked import model_of, values_of
from formicary.base.clock import SimulatedClock
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import Receipt, known_events
from formicary.factory.journal.access import Access
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.reader import JournalReader
from formicary.factory.learning.journaled import Tell
from formicary.factory.learning.live_looks import HOUR, LiveLooker
from formicary.factory.learning.messages import RecordDay, RolledBack, StageEntered, Told
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.product import NAME
from formicary.factory.learning.standing import Stage
from formicary.factory.ledger import TRANSFER, Account, account_array
from formicary.factory.models.model import Model
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import ArmPolicy
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.payments.fraud import PAYMENT_FRAUD
from formicary.products.payments.learning import LEARNING_PLANS
from formicary.products.payments.postings import TransferCode
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.runtime.engine_process import warm_up
from formicary.runtime.products import PRODUCTS

__all__ = ["main"]

_START: Final = 19_700 * DAY
_NOW: Final = _START + 8 * DAY + 15 * HOUR
_PARTIES: Final = 2_000
_CURRENCY: Final = 826
_LOOKS: Final = 7
_BATCH: Final = 5_000


class Payments:
    """An engine whose payments are decided about."""

    def __init__(self, engine: Engine, clock: SimulatedClock) -> None:
        self.engine = engine
        self.clock = clock
        self._random = np.random.default_rng(1)
        self._keys = 0
        parties = range(1, _PARTIES + 1)
        opened = [Account(id=one, user_data_128=one, ledger=_CURRENCY, code=101) for one in parties]
        engine.execute([LedgerRequest(account_array(opened))])

    def pay(self, until: int, count: int) -> None:
        """Have payments asked for just before a time."""
        for first in range(0, count, _BATCH):
            self.clock.set(until - HOUR // 2 + first)
            (answer,) = self.engine.execute([LedgerRequest(self._transfers(min(_BATCH, count - first)))])
            if isinstance(answer, Exception):
                raise answer

    def tell(self, product: str, command: Command, _: str = "") -> Receipt:
        """Carry out a command."""
        self._keys += 1
        request = command_request(product, command, principal="bench", key=str(self._keys))
        receipt: Receipt = self.engine.execute([request])[0]
        if receipt.code:
            raise BenchFailed(receipt.code)
        return receipt

    def let_in(self, model: Model, day: int) -> None:
        """Store a model, and tell that it is the champion."""
        for command in (*parts_of(model), registration_of(model, manifest={}, note="")):
            self.tell(REGISTRY, command)
        at, name = self.clock.now(), PAYMENT_FRAUD.name
        entered: list[Told] = [
            StageEntered(
                model=name, at=at, hash=model.hash, stage=stage, share=0, reason="The benchmark asks."
            )
            for stage in (Stage.SHADOW, Stage.CHAMPION)
        ]
        counts = {"rows": 0, "positives": 0, "decisions": 0}
        told = RecordDay(subject=text_id(name), model=name, at=at, day=day, happened=entered, **counts)
        self.tell(NAME, told)

    def arm(self) -> None:
        """Let a policy decide whose rule never holds."""
        point, version = PAYMENT_POINT.name, 1
        rule = {
            "name": "never",
            "when": "score.fraud > 2",
            "outcome": "reject",
            "reason": "The benchmark asks.",
        }
        policy = {"name": "bench", "version": version, "scores": {"fraud": {"model": PAYMENT_FRAUD.name}}}
        rules = {"name": "bench", "version": version, "point": point, "rules": [rule]}
        texts = {"policy": json.dumps(policy), "rules": json.dumps(rules)}
        self.tell(
            REGISTRY,
            ArmPolicy(
                subject=text_id(point), point=point, version=version, reason="The benchmark asks.", **texts
            ),
        )

    def _transfers(self, count: int) -> npt.NDArray[Any]:
        made = np.zeros(count, TRANSFER)
        made["id_low"] = self._random.integers(1, 2**63, count, np.uint64)
        made["id_high"] = 1
        payers = self._random.integers(0, _PARTIES, count, np.uint64)
        others = self._random.integers(1, 20, count, np.uint64)
        made["debit_account_id_low"] = payers + np.uint64(1)
        made["credit_account_id_low"] = (payers + others) % np.uint64(_PARTIES) + np.uint64(1)
        made["amount"] = np.exp(self._random.normal(8.0, 1.0, count)).astype(np.uint64) + np.uint64(1)
        made["ledger"], made["code"] = _CURRENCY, TransferCode.PERSON_PAYMENT
        return made


def _models(reader: JournalReader) -> tuple[Model, Model]:
    """Return two versions of a model that learnt chance from what was read at decisions."""
    names = PAYMENT_FRAUD.names
    decisions = reader.decisions_between(first=0, after=2**62)
    values = values_of(decisions, len(PAYMENT_POINT.features))
    places = [PAYMENT_POINT.features.index(name) for name in names]
    model, _ = model_of(np.ascontiguousarray(values[:, places]), names)
    model = replace(model, name=PAYMENT_FRAUD.name)
    return model, replace(model, evidence=replace(model.evidence, rows=1))


def _filled(bench: Bench, access: Access, each: int, clock: SimulatedClock) -> Callable[[], LiveLooker]:
    """Fill a journal; return what makes one who looks at it."""

    def reader() -> JournalReader:
        return JournalReader(access, upcasters=known_events(PRODUCTS))

    with bench.engine(access, PRODUCTS, clock) as (engine, _):
        payments = Payments(engine, clock)
        looker = _looker(reader(), payments.tell)
        payments.arm()
        payments.pay(_START + HOUR, each)
        with closing(reader()) as source:
            first, second = _models(source)
        payments.let_in(first, 1)
        looker.look(clock.now())
        for day in range(7, 0, -1):
            payments.pay(_NOW - day * DAY, each)
            payments.pay(_NOW - day * DAY + 8 * HOUR, each)
        clock.set(_NOW - HOUR)
        payments.let_in(second, 2)
        looker.look(clock.now())
        payments.pay(_NOW, each)
        bench.note("decisions an hour", each)
        bench.note("positions of the journal", engine.state.position)

    def told(product: str, *_: object) -> Receipt:
        return Receipt(product=product, fingerprint="", code="")

    return lambda: _looker(reader(), told)


def _looker(source: JournalReader, tell: Tell) -> LiveLooker:
    return LiveLooker(
        spec=PAYMENT_FRAUD,
        plan=LEARNING_PLANS[0],
        point=PAYMENT_POINT,
        source=source,
        tell=tell,
        clock=time.perf_counter_ns,
    )


def _looked(bench: Bench, made: Callable[[], LiveLooker], each: int) -> None:
    """Look some times, each time anew."""
    taken, cpu = [], []
    for _ in range(_LOOKS):
        began, worked = time.perf_counter(), time.process_time()
        seen = made().look(_NOW)
        taken.append(1_000 * (time.perf_counter() - began))
        cpu.append(1_000 * (time.process_time() - worked))
        if seen.decisions != each or any(isinstance(one, RolledBack) for one in seen.happened):
            raise BenchFailed
    bench.note("look, ms", median(taken))
    bench.note("of it in this process, ms of a core", median(cpu))
    bench.note("longest look, ms", max(taken))


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument("--each", type=int, default=5_000, help="decisions of an hour")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    bench = Bench(home, transfers=0, seconds=0)
    warm_up()
    try:
        with bench.supervisor:
            access = bench.supervisor.access()
            migrate(access)
            made = _filled(bench, access, options.each, SimulatedClock(_START))
            _looked(bench, made, options.each)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if options.json:
        print(json.dumps(bench.figures, indent=2))
        return 0
    for name, figure in bench.figures.items():
        Console().print(f"{name}: {figure}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
