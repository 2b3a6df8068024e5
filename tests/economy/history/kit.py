"""Small histories in files, read and asked for as the command does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from formicary.base.clock import SimulatedClock
from formicary.economy.history.mapping_file import MappingFile
from formicary.economy.history.reading import History, read_history
from formicary.economy.history.replay import Outcome, replay_history
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import CommandRequest, LedgerRequest
from formicary.factory.engine.state import ANSWERED, FactoryState
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.identity import IDENTITY
from tests.factory.engine.null_journal import NullJournal

NOW = 1_767_225_600_000_000_000  # 2026-01-01
DAY = 86_400_000_000_000
JANUARY = 1_577_836_800_000_000_000  # 2020-01-01

MAPPING = """\
source: shop
currency: EUR
files:
  sales: {path: sales.csv, format: csv}
parties:
  buyer: {kind: person}
  seller: {kind: merchant}
events:
  - kind: sale
    file: sales
    key: id
    at: {column: at}
    transfer:
      payer: {party: buyer, key: buyer}
      payee: {party: seller, key: seller}
      amount: {column: amount}
  - kind: fraud
    file: sales
    key: id
    where: [{column: fraud, equals: 1}]
    at: {column: at}
    fact:
      ids:
        sale: {event: sale, key: id}
        buyer: {party: buyer, key: buyer}
      numbers: {fraud: fraud}
      reals: {amount: amount}
      known_after: 7d
"""
HEADER = "id,at,buyer,seller,amount,fraud\n"
SALES = (
    HEADER
    + "1,2020-01-01T10:00:00Z,ann,s1,12.50,0\n"
    + "2,2020-01-01T10:00:00Z,bob,s1,3,1\n"
    + "3,2020-01-05 08:00:00,ann,s2,0.99,0\n"
    + "4,2020-01-09,bob,s2,100.00,0\n"
)


def written(folder: Path, mapping: str = MAPPING, **files: str) -> MappingFile:
    """Write a mapping and its files, ``sales`` as ``sales.csv``, and return the mapping as it was written."""
    (folder / "mapping.yaml").write_text(mapping)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return MappingFile(folder / "mapping.yaml")


def history(folder: Path, mapping: str = MAPPING, **files: str) -> History:
    """Read a history from a mapping and its files."""
    return read_history(written(folder, mapping, **files), data_sets=folder, now=NOW)


def rejected(found: pl.DataFrame) -> list[tuple[str, int, str, str]]:
    """Return rejected rows as (event, row, column, reason)."""
    return found.select("event", "row", "column", "reason").sort("event", "row").rows()


class HistoryWorld:
    """An engine in memory, in a history's time, that lives as long as its journal."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(1)
        self.journal = NullJournal()
        products = (*IDENTITY, FACTS_PRODUCT)
        self.engine = Engine(self.journal, lambda: FactoryState(folder, products), self.clock)
        self.engine.recover()
        self.set_time = self.clock.set

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Decide requests together."""
        asked = [one if isinstance(one, CommandRequest) else LedgerRequest(one) for one in requests]
        return self.engine.execute(asked)

    def answered(self, command_ids: Sequence[int]) -> set[int]:
        """Return which commands were answered before."""
        return set(self.journal.caused_by(command_ids, kind=ANSWERED))

    @property
    def latest(self) -> int:
        """The time of the ledger's last account or transfer."""
        machine = self.engine.state.machine
        return max(machine.scalar("account_timestamp"), machine.scalar("transfer_timestamp"))

    @property
    def position(self) -> int:
        """How many rows there are."""
        return self.engine.state.position

    def replay(self, mapping: MappingFile, found: History) -> Outcome:
        """Ask for a history."""
        done: list[int] = []
        outcome = replay_history(mapping.mapping, found.plan, self, done=done.append)
        assert sum(done) == len(found.plan)
        return outcome

    def rows(self) -> list[tuple[int, str, Any]]:
        """Return the journal's transfers, and facts that were recorded, as (position, what, row or event)."""
        transfers = [
            (int(row["position"]), "transfer", row)
            for batch in self.journal.batches
            for row in batch.transfers
        ]
        facts = [
            (event.position, "facts", event)
            for batch in self.journal.batches
            for event in batch.events
            if event.kind == "facts.FactsRecorded"
        ]
        return sorted([*transfers, *facts], key=lambda one: one[0])
