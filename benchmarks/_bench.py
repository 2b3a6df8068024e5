"""One run of a benchmark: its server, its figures, and the pump that drives an engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks._loads import Load
from benchmarks._machine import machine
from formicary.base.clock import Clock, LiveClock
from formicary.base.errors import OperationalFault
from formicary.factory.engine.committer import Committer
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Product
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import known_events
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.supervisor import Supervisor
from formicary.factory.ledger import SEMANTICS
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import recovered_state

__all__ = ["Bench", "BenchFailed", "pump"]


class BenchFailed(OperationalFault):
    """The benchmark saw something that must not be, as a refused transfer: its figures mean nothing."""


class Bench:
    """One run: a server, a database, figures by name."""

    def __init__(self, home: Path, *, transfers: int, seconds: float) -> None:
        self.settings = Settings(home=home)
        self.transfers = transfers
        self.seconds = seconds
        self.supervisor = Supervisor(self.settings.postgres_folder, stop_on_exit=True)
        self.figures: dict[str, Any] = {"machine": machine()}
        self._seed = 0

    def note(self, name: str, value: float, digits: int = 0) -> None:
        """Keep a figure."""
        self.figures[name] = round(value, digits) if digits else round(value)

    def show(self, title: str, *, as_json: bool) -> None:
        """Print all figures, as one JSON document or as a table."""
        if as_json:
            print(json.dumps(self.figures, indent=2))
            return
        table = Table(title=title)
        table.add_column("what")
        table.add_column("figure", justify="right")
        for name, figure in self.figures.items():
            if name != "machine":
                table.add_row(name, f"{figure:,}")
        Console().print(self.figures["machine"])
        Console().print(table)

    def seed(self) -> int:
        """Return a seed that was not used before, so that no id is."""
        self._seed += 1
        return self._seed

    @contextmanager
    def engine(
        self, access: Access, products: Sequence[Product] = (), clock: Clock | None = None
    ) -> Iterator[tuple[Engine, Journal]]:
        """Yield a recovered engine in this process."""
        upcasters = known_events(products)
        with closing(Journal(access, semantics=SEMANTICS, upcasters=upcasters)) as journal:
            new_state = partial(recovered_state, self.settings, access, products)
            engine = Engine(journal, new_state, clock or LiveClock())
            engine.recover()
            yield engine, journal


def _ignore(_: int) -> None:
    """Take no notice of progress."""


def _all_made(answers: npt.NDArray[Any]) -> bool:
    return not answers["status"].any()


def pump(
    engine: Engine,
    journal: Journal,
    load: Load,
    *,
    size: int,
    count: int,
    tick: Callable[[int], None] = _ignore,
    is_right: Callable[[npt.NDArray[Any]], bool] = _all_made,
) -> float:
    """Make ``count`` transfers in requests of ``size``, one batch ahead; return the rate per second.

    Every answer must be as ``is_right`` says.
    """
    committer = Committer(journal.begin)
    try:
        began, done = time.perf_counter(), 0
        while done < count:
            decided = engine.decide([LedgerRequest(load.request(size))])
            if not all(map(is_right, decided.answers)):
                raise BenchFailed
            if committer.busy and (error := committer.finish()) is not None:
                raise error
            if decided.batch is not None:
                committer.start(decided.batch)
            done += size
            tick(done)
        if (error := committer.finish()) is not None:
            raise error
        return done / (time.perf_counter() - began)
    finally:
        committer.close()
