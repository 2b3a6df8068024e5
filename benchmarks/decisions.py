"""Decisions: what one takes, what a forest takes beside its trainer, payments that are checked and durable.

``formicary bench decisions`` or ``python -m benchmarks.decisions``. A whole decision: sixty features of
payer, payee and pair are read, 200 trees of 31 leaves score them, twenty rules are run, the ledger moves
the money, the decision is recorded with everything that was read, and the features follow. The trees learnt
labels of pure chance, so nobody can guess where a row goes. Rates are those of one engine and one PostgreSQL
on this machine: an answer counts only after its commit. Where nothing is said, one decision in a hundred is
adverse and gets its reasons; beside it stands the worst case, where every single one is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import lightgbm
import numpy as np
import numpy.typing as npt

from benchmarks._bench import Bench, BenchFailed, pump
from benchmarks._checked import POINT, PRODUCTS, Registrar, accounts, model_of, policy, rules, values_of
from benchmarks._loads import Load, opening
from benchmarks.forest import fast_single_rows, measured
from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.migrations import migrate
from formicary.factory.ledger import TRANSFER_RESULT, CreateTransferStatus
from formicary.factory.models.forest import Scorer
from formicary.runtime.engine_process import warm_up

__all__ = ["main"]

Rows = npt.NDArray[np.float64]

_START: Final = 1_700_000_000 * 10**9
_HOUR: Final = 3_600 * 10**9
_BATCH: Final = 8_000
_TAUGHT: Final = 24
_SINGLES: Final = 20_000
_ROUNDS: Final = 3
_ADVERSE_SHARE: Final = 0.01
_NEVER: Final = 2.0
_EVERY_ONE: Final = -1.0
_ANSWERS: Final = (int(CreateTransferStatus.CREATED), int(CreateTransferStatus.DECLINED))


class Checked:
    """An engine that checks every transfer, with a model that learnt nothing from what it was told."""

    def __init__(self, engine: Engine, journal: Journal, clock: SimulatedClock, bench: Bench) -> None:
        self.engine = engine
        self.journal = journal
        self.clock = clock
        self.registrar = Registrar.of(engine)
        self._version = 0
        self._load = Load("uniform", bench.seed())
        opened = accounts()
        for first in range(0, len(opened), _BATCH):
            engine.execute([LedgerRequest(opened[first : first + _BATCH])])
        self.rows, self.model, self.booster = self._learn()
        scores = self.model.calibration.apply(self.model.forest.raw_scores(self.rows[-_BATCH:]))
        self.limit = float(np.quantile(scores, 1 - _ADVERSE_SHARE))

    def arm(self, limit: float, *, is_scored: bool = True) -> None:
        """Reject what scores above a limit."""
        self._version += 1
        told = policy(self._version) if is_scored else json.dumps({"name": "bench", "version": self._version})
        self.registrar.arm(self._version, told, rules(self._version, POINT.features, limit))

    def limits(self) -> list[tuple[str, float]]:
        """Return what is rejected: one in a hundred, and every single one."""
        return [("one in a hundred with reasons", self.limit), ("every one with reasons", _EVERY_ONE)]

    def request(self, size: int) -> npt.NDArray[Any]:
        """Return transfers that nobody asked for yet, an hour after the last ones."""
        self.clock.advance(_HOUR)
        return self._load.request(size)

    def _learn(self) -> tuple[Rows, Any, lightgbm.Booster]:
        """Let rows be told by the engine itself, and train on them."""
        self.arm(_NEVER, is_scored=False)
        told = []
        for _ in range(_TAUGHT):
            decided = self.engine.decide([LedgerRequest(self.request(_BATCH))])
            self.engine.commit(decided)
            if decided.batch is not None:
                told.append(values_of(decided.batch.decisions, len(POINT.features)))
        rows = np.concatenate(told[_TAUGHT // 3 :])
        model, booster = model_of(rows, POINT.features)
        self.registrar.promote(model)
        return rows, model, booster


def one_decision(bench: Bench, checked: Checked) -> None:
    """Measure decisions one by one, in the kernel's process: all of it, but for the journal."""
    for name, limit in (
        ("one in a hundred with reasons", checked.limit),
        ("every one with reasons", _EVERY_ONE),
    ):
        checked.arm(limit)
        state = checked.engine.state
        judges, machine = state.judges, state.machine
        if judges is None:
            raise BenchFailed
        taken = np.zeros(_SINGLES)
        results, ordinals = np.zeros(1, TRANSFER_RESULT), np.zeros(1, np.int64)
        for place in range(_SINGLES):
            item = checked.request(1)
            machine.reserve(transfers=1)
            judges.prepare(1)
            stamp = max(checked.clock.now(), machine.timestamp + 1)
            began = time.perf_counter_ns()
            machine.decide_transfers(item, ordinals, results, first_stamp=stamp, decide=judges.decide)
            taken[place] = time.perf_counter_ns() - began
            judges.take(machine.take_decisions())
            judges.note_followed(machine.position)
        p50, p99 = np.quantile(taken[_SINGLES // 10 :] / 1e3, (0.5, 0.99))
        bench.note(f"one decision, {name}: p50 us", float(p50), 1)
        bench.note(f"one decision, {name}: p99 us", float(p99), 1)


def in_the_kernel(bench: Bench, checked: Checked) -> None:
    """Measure decisions in batches on one core, without the journal."""
    for name, limit in (
        ("one in a hundred with reasons", checked.limit),
        ("every one with reasons", _EVERY_ONE),
    ):
        checked.arm(limit)
        taken = []
        for _ in range(7):
            request = checked.request(_BATCH)
            began = time.thread_time()
            checked.engine.decide([LedgerRequest(request)])
            taken.append((time.thread_time() - began) / _BATCH * 1e6)
        bench.note(f"decided in batches, {name}: us of one core", median(taken), 2)


def forests(bench: Bench, checked: Checked) -> None:
    """Measure the forest by itself, and its trainer, on the rows that were told."""
    rows = np.ascontiguousarray(checked.rows[-2 * _BATCH :])
    scorer, booster = Scorer(checked.model.forest), checked.booster
    few = rows[:1_000]

    def of_lightgbm(given: Rows) -> Rows:
        return np.asarray(booster.predict(given, raw_score=True, num_threads=1))

    def one_by_one(given: Rows) -> Rows:
        return np.concatenate([of_lightgbm(given[place : place + 1]) for place in range(len(given))])

    if not np.array_equal(scorer.raw_scores(rows), of_lightgbm(rows)):
        message = "our scores are not those of LightGBM"
        raise BenchFailed(message)
    ways: list[tuple[str, Callable[[Rows], Rows], Rows]] = [
        ("ours", scorer.raw_scores, rows),
        ("LightGBM's Booster.predict", of_lightgbm, rows),
        ("LightGBM's Booster.predict, row by row", one_by_one, few[:200]),
        ("LightGBM's C path for single rows", fast_single_rows(booster), few),
    ]
    for name, score, given in ways:
        bench.note(f"scoring, {name}: rows/s of one core", 1e6 / median(measured(score, given, 5)))
    reasons = measured(lambda given: scorer.explain(given).scores, rows, 5)
    bench.note("scoring, ours with reasons, row by row: rows/s of one core", 1e6 / median(reasons))


def durable(bench: Bench, access: Access, checked: Checked) -> None:
    """Measure checked payments and the unchecked ledger, in turns."""

    def is_right(answer: npt.NDArray[Any]) -> bool:
        return bool(np.isin(answer["status"], _ANSWERS).all())

    checked.arm(checked.limit)
    seen: dict[str, list[float]] = {}
    with bench.engine(access) as (plain, plain_journal):
        opened = opening()
        for first in range(0, len(opened), _BATCH):
            plain.execute([LedgerRequest(opened[first : first + _BATCH])])
        for _ in range(_ROUNDS):
            load = Load("uniform", bench.seed())
            rate = pump(
                checked.engine, checked.journal, load, size=_BATCH, count=bench.transfers, is_right=is_right
            )
            seen.setdefault("checked", []).append(rate)
            load = Load("uniform", bench.seed())
            seen.setdefault("plain", []).append(
                pump(plain, plain_journal, load, size=_BATCH, count=bench.transfers)
            )
    bench.note("durable, risk-checked: payments/s", median(seen["checked"]))
    bench.note("durable, unchecked ledger: payments/s", median(seen["plain"]))
    bench.note("unchecked to checked: ratio", median(seen["plain"]) / median(seen["checked"]), 2)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument("--transfers", type=int, default=800_000, help="of each round")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    bench = Bench(home, transfers=options.transfers, seconds=0)
    warm_up()
    try:
        with bench.supervisor:
            checked_access, plain_access = bench.supervisor.access(), bench.supervisor.access("plain")
            for access in (checked_access, plain_access):
                migrate(access)
            clock = SimulatedClock(_START)
            with bench.engine(checked_access, PRODUCTS, clock) as (engine, journal):
                checked = Checked(engine, journal, clock, bench)
                durable(bench, plain_access, checked)
                forests(bench, checked)
                # From here on what is decided is not journaled.
                checked.registrar = Registrar.of(engine, is_journaled=False)
                one_decision(bench, checked)
                in_the_kernel(bench, checked)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    bench.show("Decisions: 60 features, 200 trees of 31 leaves, 20 rules", as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
