"""What the tests of the invented and replayed worlds share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from formicary.base.clock import SimulatedClock
from formicary.economy.invoices import LINES
from formicary.economy.moments import Moment, Tally, replay
from formicary.factory.ledger import Ledger

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
        return replay(moments, self.ledger.execute, set_time=self.clock.set, done=lambda _: None)

    def balance(self, account_id: int) -> int:
        """Return an account's credits less its debits."""
        account = self.ledger.lookup_accounts([account_id])[0]
        return int(account["credits_posted"] - account["debits_posted"])
