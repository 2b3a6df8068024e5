"""Sweeps: a million aggregates, created and changed by events of the journal that are about thousands each.

``formicary bench sweeps`` or ``python -m benchmarks.sweeps``. A record has 128 bytes. Rates are those of one
engine and one PostgreSQL on this machine, part by part, one commit ahead: a part counts after its commit.

- *fit*: aggregates are created, with an id and a number each in the journal.
- *turn*: each is changed by a rule of its own columns; the event says which ones, and no more.
- *bill*: each is changed by a number of its own, which stands in the event.
- *pay*: a chain of transfers, one for each, and what became of the aggregates.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks._bench import Bench, BenchFailed
from benchmarks._meters import (
    FITTED_AT_ONCE,
    HOUSE,
    LEDGER,
    METERS,
    BillMeters,
    FitMeters,
    PayMeters,
    TurnMeters,
)
from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.factory.engine.committer import Committer
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import Receipt, known_events
from formicary.factory.follower import Follower, Pace, StateSnapshots
from formicary.factory.history import EntryIndex
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import ACCOUNT, SEMANTICS
from formicary.runtime.engine_process import warm_up
from formicary.runtime.wiring import recovered_state

__all__ = ["main"]

_PART: Final = 8_000


class Works:
    """An engine with meters, whose commands are carried out one commit ahead."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self.engine = engine
        self.journal = journal
        self.event_bytes = 0
        self._commands = 0

    def carry_out(self, commands: Iterator[Command]) -> float:
        """Carry out commands; return how many seconds that took."""
        committer = Committer(self.journal.begin)
        began = time.perf_counter()
        try:
            for command in commands:
                self._commands += 1
                key = str(self._commands)
                decided = self.engine.decide([command_request("meters", command, principal="bench", key=key)])
                (receipt,) = decided.answers
                if not isinstance(receipt, Receipt) or receipt.code or decided.batch is None:
                    raise BenchFailed(str(receipt))
                self.event_bytes += sum(len(event.body) for event in decided.batch.events)
                if committer.busy and (error := committer.finish()) is not None:
                    raise error
                committer.start(decided.batch)
            if committer.busy and (error := committer.finish()) is not None:
                raise error
            return time.perf_counter() - began
        finally:
            committer.close()

    def open_accounts(self, count: int) -> None:
        """Open the house's account, and those of the first meters."""
        meters = self.engine.state.aggregates["meters"].records[:count]
        opened = np.zeros(1 + count, ACCOUNT)
        opened["id_high"][1:], opened["id_low"][1:] = meters["id_high"], meters["id_low"]
        opened["id_low"][0] = HOUSE
        opened["ledger"], opened["code"] = LEDGER, 1
        for first in range(0, len(opened), REQUEST_ITEMS_MAX):
            (answer,) = self.engine.execute([LedgerRequest(opened[first : first + REQUEST_ITEMS_MAX])])
            if answer["status"].any():
                raise BenchFailed


def parts(kind: Callable[..., Command], count: int, size: int = _PART) -> Iterator[Command]:
    """Yield the commands that are about so many aggregates, part by part."""
    for first in range(0, count, size):
        yield kind(subject=first + 1, first=first, after=min(count, first + size))


def fits(count: int) -> Iterator[Command]:
    """Yield the commands that fit so many meters."""
    for first in range(0, count, FITTED_AT_ONCE):
        yield FitMeters(subject=first + 1, count=min(FITTED_AT_ONCE, count - first))


def sweep(bench: Bench, works: Works, count: int, transfers: int) -> None:
    """Create all aggregates, and sweep them in each of the ways."""
    ways = (
        ("fit", count, fits(count)),
        ("turn", count, parts(TurnMeters, count)),
        ("turn by one event", count, parts(TurnMeters, count, count)),
        ("bill", count, parts(BillMeters, count)),
        ("pay", transfers, parts(PayMeters, transfers)),
    )
    for name, swept, commands in ways:
        if name == "pay":
            works.open_accounts(transfers)
        works.event_bytes = 0
        seconds = works.carry_out(commands)
        bench.note(f"{name}, {swept:,}: s", seconds, 2)
        bench.note(f"{name}: records/s", swept / seconds)
        bench.note(f"{name}: bytes of events a record", works.event_bytes / swept, 2)
    require_paid(works, transfers)


def require_paid(works: Works, transfers: int) -> None:
    """Compare what the house was paid with what meters say that they paid."""
    (house,) = works.engine.state.machine.account_views([HOUSE])
    meters = works.engine.state.aggregates["meters"].records[:transfers]
    if int(house["credits_posted"]) != int(meters["paid"].sum()):
        message = "the house was paid another sum than the meters paid"
        raise BenchFailed(message)


def recovery(bench: Bench, access: Access, expected: int) -> None:
    """Measure recovery from the journal alone, the follower and its snapshot, and recovery from that."""
    bench.note("recovery from the journal alone: s", _recovered(bench, access, expected), 2)
    follower = Follower(
        reader=JournalReader(access, upcasters=known_events([METERS])),
        index=EntryIndex(access),
        snapshots=StateSnapshots(bench.settings.snapshots_folder),
        folder=bench.settings.follower_folder,
        products=[METERS],
        pace=Pace(snapshot_rows=1 << 40, snapshot_seconds=1 << 40),
    )
    with closing(follower):
        began = time.perf_counter()
        follower.open()
        follower.catch_up()
        bench.note("the follower's fold, compared at each commit: s", time.perf_counter() - began, 2)
        began = time.perf_counter()
        follower.write_snapshot()
        bench.note("a snapshot: s", time.perf_counter() - began, 2)
    files = [path for path in bench.settings.snapshots_folder.rglob("*") if path.is_file()]
    bench.note("a snapshot: bytes", sum(path.stat().st_size for path in files))
    bench.note("recovery from the snapshot: s", _recovered(bench, access, expected), 2)


def _recovered(bench: Bench, access: Access, expected: int) -> float:
    with closing(Journal(access, semantics=SEMANTICS, upcasters=known_events([METERS]))) as journal:
        began = time.perf_counter()
        position = journal.take_over().position
        state = recovered_state(bench.settings, access, [METERS])
        for block in journal.read(after=state.position, until=position):
            rows = (block.accounts, block.transfers, block.events)
            state.fold(*rows, until=block.until, decisions=block.decisions)
        seconds = time.perf_counter() - began
        if state.state_hash != expected:
            message = "a recovered state is another one"
            raise BenchFailed(message)
        return seconds


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    parser.add_argument("--aggregates", type=int, default=1_000_000)
    parser.add_argument("--transfers", type=int, default=200_000, help="how many of them pay")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="formicary-bench-"))
    home.chmod(0o755)
    bench = Bench(home, transfers=options.transfers, seconds=0)
    warm_up()
    try:
        with bench.supervisor:
            access = bench.supervisor.access()
            migrate(access)
            with bench.engine(access, [METERS]) as (engine, journal):
                works = Works(engine, journal)
                sweep(bench, works, options.aggregates, options.transfers)
                expected = engine.state.state_hash
            recovery(bench, access, expected)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    bench.show(f"Sweeps of {options.aggregates:,} aggregates of 128 bytes", as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
