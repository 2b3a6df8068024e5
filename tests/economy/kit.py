"""What the tests of the invented and replayed worlds share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from formicary.base.clock import SimulatedClock
from formicary.economy.invoices import LINES
from formicary.economy.moments import Moment, Tally, replay
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import CommandRequest, LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.events import Event
from formicary.factory.ledger import Ledger
from formicary.products.payments import PAYMENTS
from tests.factory.engine.null_journal import NullJournal

ROOT = Path(__file__).parents[2]
START = 1_291_190_400_000_000_000
MINUTE = 60_000_000_000


def real_data(data_set: Path) -> Path:
    """Return the file of a data set, or skip where it is absent."""
    folder = Path(os.environ.get("FORMICARY_DATA") or ROOT / ".." / "shared" / "data")
    path = folder / data_set
    if not path.is_file():
        pytest.skip(f"the data set {data_set} is not there; set FORMICARY_DATA to the folder of data sets")
    return path


def lines(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Return invoice lines of (invoice, customer, quantity, price in mills), a minute apart."""
    return pl.DataFrame(
        [(invoice, START + i * MINUTE, *rest) for i, (invoice, *rest) in enumerate(rows)],
        LINES,
        orient="row",
    )


class World:
    """A ledger in memory to replay moments on."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(0)
        self.ledger = Ledger(self.clock)

    def replay(self, moments: Iterable[Moment]) -> Tally:
        """Ask the ledger for moments."""
        execute: Any = self.ledger.execute
        return replay(moments, execute, set_time=self.clock.set, done=lambda _: None)

    def balance(self, account_id: int) -> int:
        """Return an account's credits less its debits."""
        account = self.ledger.lookup_accounts([account_id])[0]
        return int(account["credits_posted"] - account["debits_posted"])


class EngineWorld:
    """An engine in memory to replay moments on that hold products' commands."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(0)
        self.journal = NullJournal()
        self.engine = Engine(self.journal, lambda: FactoryState(folder, PAYMENTS), self.clock)
        self.engine.recover()

    def replay(self, moments: Iterable[Moment]) -> Tally:
        """Ask the engine for moments."""
        return replay(moments, self.execute, set_time=self.clock.set, done=lambda _: None)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Decide requests of the ledger and of products."""
        asked = [one if isinstance(one, CommandRequest) else LedgerRequest(one) for one in requests]
        return self.engine.execute(asked)

    def balance(self, account_id: int) -> int:
        """Return an account's credits less its debits."""
        machine = self.engine.state.machine
        account = machine.account_view(machine.account_number(account_id))
        return int(account["credits_posted"]) - int(account["debits_posted"])

    def transfers(self, *codes: int) -> Any:
        """Return the transfers of some codes, in order."""
        rows = np.concatenate([batch.transfers for batch in self.journal.batches])
        return rows[np.isin(rows["code"], codes)]

    @property
    def events(self) -> list[Event]:
        """Every event of the journal."""
        return [event for batch in self.journal.batches for event in batch.events]
