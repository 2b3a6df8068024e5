"""The ledger on its journal: rates, recovery, reads, the follower's lag, sizes.

``formicary bench ledger`` or ``python -m benchmarks.ledger``. Everything is durable: fsync on, an answer
counts only after its commit. Ids are random, every account has a floor and a credit limit, both
accounts' totals are stored with every transfer.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import psycopg
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks._baseline import row_locked_rate
from benchmarks._bench import Bench, BenchFailed, pump
from benchmarks._callers import single_callers
from benchmarks._loads import ACCOUNTS, SHAPES, Load, opening
from formicary.base.clock import LiveClock
from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.follower import Follower, StateSnapshots
from formicary.factory.history import EntryIndex, History
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.segments import index_closed_segments, summarize
from formicary.factory.ledger import SEMANTICS, AccountFilter, Ledger
from formicary.runtime.children import Child, Children
from formicary.runtime.engine_process import engine_main, warm_up
from formicary.runtime.processes import run_follower
from formicary.runtime.wiring import recovered_state

__all__ = ["main"]

_SECONDS_PER_DAY: Final = 86_400
_BLOCK: Final = REQUEST_ITEMS_MAX
_PROBES: Final = 1_000
# Enough to come by every segment.
_SWEEP: Final = 200
_OPENED_AT_ONCE: Final = 8_000
_ROUNDS: Final = 5


def in_memory(bench: Bench) -> None:
    """Measure the ledger alone, without a journal: what the kernels of this machine can do."""
    ledger, load = Ledger(LiveClock()), Load("uniform", bench.seed())
    for start in range(0, ACCOUNTS, _OPENED_AT_ONCE):
        ledger.create_accounts(opening()[start : start + _OPENED_AT_ONCE])
    requests = [load.request(_BLOCK) for _ in range(60)]
    began = time.perf_counter()
    for request in requests:
        if ledger.create_transfers(request)["status"].any():
            raise BenchFailed
    elapsed = time.perf_counter() - began
    bench.note("in memory alone, batch 8,189: transfers/s", len(requests) * _BLOCK / elapsed)


def rates(bench: Bench, access: Access, progress: Progress) -> None:
    """Measure batch sizes and shapes; the sustained run comes first."""
    with bench.engine(access) as (engine, journal):
        for start in range(0, ACCOUNTS, _OPENED_AT_ONCE):
            engine.execute([LedgerRequest(opening()[start : start + _OPENED_AT_ONCE])])
        pump(engine, journal, Load("uniform", bench.seed()), size=_BLOCK, count=20 * _BLOCK)
        task = progress.add_task("sustained, batch 8,189", total=bench.transfers)
        load = Load("uniform", bench.seed())
        rate = pump(
            engine,
            journal,
            load,
            size=_BLOCK,
            count=bench.transfers,
            tick=lambda done: progress.update(task, completed=done),
        )
        bench.note("uniform, batch 8,189, sustained: transfers/s", rate)
        bench.note("bytes an id in memory, sealed", _sealed_bytes_an_id(engine.state), 2)
        bench.note("bytes an account in memory", _account_bytes(engine.state))
        bench.note("bytes a transfer in memory, recent", _transfer_bytes(engine.state))
        bench.note("engine's memory, MiB", engine.state.machine.bytes_in_memory / 2**20)
        short = max(bench.transfers // 40, 20 * _BLOCK)
        counts = {_BLOCK: short, 100: max(short // 10, 10_000), 1: 2_000}
        samples: dict[str, list[float]] = {}
        task = progress.add_task("shapes and batch sizes", total=_ROUNDS * len(counts) * len(SHAPES))
        # In turns: what else the machine does then meets every shape alike.
        for _ in range(_ROUNDS):
            for size, count in counts.items():
                for shape in SHAPES:
                    rate = pump(engine, journal, Load(shape, bench.seed()), size=size, count=count)
                    samples.setdefault(f"{shape}, batch {size:,}: transfers/s", []).append(rate)
                    progress.advance(task)
        for name, rates_seen in samples.items():
            bench.note(name, float(np.median(rates_seen)))


def _sealed_bytes_an_id(state: FactoryState) -> float:
    sealed = state.machine.sealed
    ids = len(sealed) * state.machine.generation_rows
    return sealed.filter_bytes / ids if ids else 0.0


def _account_bytes(state: FactoryState) -> float:
    arrays = state.machine.state
    return arrays.accounts.itemsize + 2 * arrays.account_slots.itemsize


def _transfer_bytes(state: FactoryState) -> float:
    recent = state.machine.state.recent
    return (recent.words.nbytes + recent.slots.nbytes) / len(recent.rows)


def sizes(bench: Bench, access: Access) -> None:
    """Measure what the journal takes on disk."""
    with psycopg.connect(access.login, autocommit=True) as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
            " WHERE relnamespace = 'journal'::regnamespace AND relkind = 'r'"
        ).fetchone()
        head = connection.execute("SELECT position FROM journal.writer").fetchone()
    if row is None or head is None:
        message = "the journal has no size"
        raise BenchFailed(message)
    a_transfer = float(row[0]) / head[0]
    bench.note("bytes a transfer on disk, indexes included", a_transfer)
    rate = bench.figures["uniform, batch 8,189, sustained: transfers/s"]
    bench.note("GB a day at the sustained rate", rate * a_transfer * _SECONDS_PER_DAY / 1e9)


def callers(bench: Bench, access: Access) -> None:
    """Measure 128 callers with one transfer each through the engine's socket."""
    children = Children(
        [
            Child(
                "engine",
                lambda: engine_main(
                    access, bench.settings.engine_socket, lambda: recovered_state(bench.settings, access)
                ),
            )
        ]
    )
    children.tend()
    try:
        _await_socket(bench.settings.engine_socket)
        single_callers(bench.settings.engine_socket, callers=128, seconds=2, seed=bench.seed())
        measured = single_callers(
            bench.settings.engine_socket, callers=128, seconds=bench.seconds, seed=bench.seed()
        )
    finally:
        children.stop(10)
    bench.note("128 single callers, socket: transfers/s", measured["per_second"])
    bench.note("128 single callers, socket: p50 ms", measured["p50_ms"], 1)
    bench.note("128 single callers, socket: p99 ms", measured["p99_ms"], 1)


def _await_socket(path: Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        if time.monotonic() > until:
            message = "the engine did not open its socket"
            raise BenchFailed(message)
        time.sleep(0.01)


def baseline(bench: Bench) -> None:
    """Measure row-locked transfers on the same server."""
    conninfo = bench.supervisor.conninfo("postgres")
    rate = row_locked_rate(conninfo, accounts=ACCOUNTS, seconds=bench.seconds)
    hot = row_locked_rate(conninfo, accounts=ACCOUNTS, seconds=bench.seconds, hot_pair=True)
    bench.note("row-locked SQL, 8 clients, uniform: transfers/s", rate)
    bench.note("row-locked SQL, 8 clients, hot pair: transfers/s", hot)
    ours = bench.figures["uniform, batch 8,189, sustained: transfers/s"]
    bench.note("ratio to row-locked SQL, uniform", ours / rate)


def recovery(bench: Bench, access: Access) -> None:
    """Measure recovery from the journal alone, of ten million rows at most."""
    began = time.perf_counter()
    with closing(Journal(access, semantics=SEMANTICS)) as journal:
        folder = Path(tempfile.mkdtemp(dir=bench.settings.home))
        head = journal.take_over().position
        rows = min(head, 10_000_000)
        state = FactoryState(folder)
        began = time.perf_counter()
        for block in journal.read(after=0, until=rows):
            parts = (block.accounts, block.transfers, block.events)
            state.fold(*parts, until=block.until, decisions=block.decisions)
        bench.note(f"recovery of {rows:,} rows from the journal alone: s", time.perf_counter() - began, 2)
        shutil.rmtree(folder)


def follow(bench: Bench, access: Access) -> None:
    """Let the follower catch up, then measure its lag behind an engine at full rate, and what reads cost."""
    follower = Follower(
        reader=JournalReader(access),
        index=EntryIndex(access),
        snapshots=StateSnapshots(bench.settings.snapshots_folder),
        folder=bench.settings.follower_folder,
    )
    with closing(follower):
        position = follower.open()
        began = time.perf_counter()
        follower.catch_up()
        folded = follower.state.position - position
        bench.note("follower catching up: rows/s", folded / (time.perf_counter() - began))
        follower.write_index()
        follower.write_snapshot()
    summarize(access)
    index_closed_segments(access)
    _lag(bench, access)


def _lag(bench: Bench, access: Access) -> None:
    children = Children([Child("follower", lambda: run_follower(bench.settings, access, ()))])
    children.tend()
    try:
        with bench.engine(access) as (engine, journal):
            load, count, began = Load("uniform", bench.seed()), 0, time.perf_counter()
            while time.perf_counter() - began < 4 * bench.seconds:
                pump(engine, journal, load, size=_BLOCK, count=32 * _BLOCK)
                count += 32 * _BLOCK
            elapsed = time.perf_counter() - began
            reader = EntryIndex(access)
            behind = engine.state.position - reader.position()
            bench.note("with the follower beside: transfers/s", count / elapsed)
            bench.note(f"follower's lag after {elapsed:.0f} s at full rate: rows", behind)
            bench.note("follower's lag: s at that rate", behind * elapsed / count, 2)
            reader.close()
    finally:
        children.stop(60)


def recovery_from_snapshot(bench: Bench, access: Access) -> None:
    """Measure recovery from the latest snapshot and the tail behind it."""
    with closing(Journal(access, semantics=SEMANTICS)) as journal:
        engine = Engine(journal, lambda: recovered_state(bench.settings, access), LiveClock())
        began = time.perf_counter()
        position = engine.recover()
        seconds = time.perf_counter() - began
        snapshot = max(StateSnapshots(bench.settings.snapshots_folder).positions(), default=0)
        bench.note(f"recovery at {position:,} rows from snapshot and tail: s", seconds, 2)
        bench.note("rows in that tail", position - snapshot)


def reads(bench: Bench, access: Access) -> None:
    """Measure pages of 50 entries and as-of balances on everything that is there.

    A connection plans its first read of each segment; that is noted apart from what comes after it.
    """
    drawn = np.random.default_rng(7)
    with bench.engine(access) as (engine, _journal):
        history = History(access, lambda read: read(engine.state.machine))
        with closing(history):
            first = int(engine.state.machine.accounts["timestamp"].max()) + 1
            last = engine.state.machine.timestamp
            began = time.perf_counter()
            for moment in np.linspace(first, last, _SWEEP).tolist():
                history.get_account_transfers(
                    AccountFilter(account_id=1, limit=50, reversed=True, timestamp_max=int(moment))
                )
            bench.note(
                f"first pages, {_SWEEP} over all of it: mean ms",
                1e3 * (time.perf_counter() - began) / _SWEEP,
                2,
            )
            pages, balances = [], []
            for number in drawn.integers(1, ACCOUNTS + 1, _PROBES).tolist():
                moment = int(drawn.integers(first, last))
                began = time.perf_counter()
                wanted = AccountFilter(account_id=number, limit=50, reversed=True, timestamp_max=moment)
                if len(history.get_account_transfers(wanted)) == 0 and moment > first + (last - first) // 100:
                    message = "an account has no entries"
                    raise BenchFailed(message)
                pages.append(time.perf_counter() - began)
                began = time.perf_counter()
                history.balance_as_of(number, moment)
                balances.append(time.perf_counter() - began)
            position = engine.state.position
    for name, samples in (("page of 50 entries", pages), ("as-of balance", balances)):
        p50, p99 = np.quantile(np.array(samples) * 1e3, (0.5, 0.99))
        bench.note(f"{name} at {position:,} rows: p50 ms", float(p50), 2)
        bench.note(f"{name} at {position:,} rows: p99 ms", float(p99), 2)


def main() -> int:
    """Run everything and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--transfers", type=int, default=20_000_000, help="in the sustained run")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each timed part")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    bench = Bench(home, transfers=arguments.transfers, seconds=arguments.seconds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console.print("compiling or loading kernels")
    warm_up()
    try:
        with bench.supervisor, Progress(console=console) as progress:
            access = bench.supervisor.access()
            migrate(access)
            parts: list[tuple[str, Callable[[], None]]] = [
                ("in memory", lambda: in_memory(bench)),
                ("rates", lambda: rates(bench, access, progress)),
                ("row-locked baseline", lambda: baseline(bench)),
                ("128 callers", lambda: callers(bench, access)),
                ("recovery from the journal", lambda: recovery(bench, access)),
                ("follower", lambda: follow(bench, access)),
                ("sizes", lambda: sizes(bench, access)),
                ("recovery from snapshot", lambda: recovery_from_snapshot(bench, access)),
                ("reads", lambda: reads(bench, access)),
            ]
            for name, part in parts:
                progress.console.print(name)
                part()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if arguments.json:
        sys.stdout.write(json.dumps(bench.figures, indent=2) + "\n")
        return 0
    table = Table("figure", "measured")
    for name, value in bench.figures.items():
        if name != "machine":
            table.add_row(name, f"{value:,}")
    output = Console()
    output.print("  ".join(f"{key} {value}" for key, value in bench.figures["machine"].items()))
    output.print(table)
    return 0


if __name__ == "__main__":
    # The processes that it forks must not run what the parent has left to do.
    code = main()
    sys.stdout.flush()
    os._exit(code)
