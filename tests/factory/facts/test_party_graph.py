"""Slow features as facts: recorded once, and read on the next day like any other feature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.limits import FACT_FIELDS_MAX, FACTS_BYTES_MAX
from formicary.base.purposes import Purpose
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.feature_reads import tell_features
from formicary.factory.engine.requests import KeyReused, LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.facts import FACTS_PRODUCT, FactsRecorded, RecordFacts
from formicary.factory.facts.party_graph import PRINCIPAL, SOURCE, day_commands, rows_max
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.errors import UnknownField
from formicary.factory.features.kinds import EventKind, Transfers, amount, party
from formicary.factory.features.slow.declarations import SLOW_FEATURES
from formicary.factory.features.slow.job import daily
from formicary.factory.features.slow.journaled import known_day
from formicary.factory.features.slow.party_graph import PARTY_GRAPH_GROUPS, slow_features
from formicary.factory.features.slow.spans import DAY, day_start
from formicary.factory.identity import IDENTITY
from formicary.factory.journal.fact_columns import bits_of_reals
from formicary.factory.ledger import Account, Transfer, account_array, transfer_array
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import source_of

TODAY = 20_000
NOON = day_start(TODAY) + DAY // 2
PARTIES = (2**127 + 1, 2**64, 3)
NAMES = tuple(slow.name for slow in SLOW_FEATURES)
PAYMENT = EventKind(
    "payment", Transfers(codes=(7,)), payer=party("debit_party"), payee=party("credit_party"), amount=amount()
)
RISK = FeatureSet(
    name="risk",
    on=PAYMENT,
    owner="tests",
    features=(*slow_features(of="payer"), *slow_features("pagerank", of="payee")),
)


class House:
    """An engine over a journal in memory, with three parties."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.clock = NullJournal(), SimulatedClock(NOON)
        products = (*IDENTITY, replace(FACTS_PRODUCT, features=(RISK,)))
        self.engine = Engine(self.journal, lambda: FactoryState(folder, products), self.clock)
        self.engine.recover()
        self.transfers = 0
        accounts = [
            Account(id=number, ledger=826, code=1, user_data_128=holder)
            for number, holder in enumerate(PARTIES, 1)
        ]
        self.engine.execute([LedgerRequest(account_array(accounts))])

    def pays(self, payer: int, payee: int, minor: int) -> None:
        """Let one party pay another, an hour later."""
        self.transfers += 1
        self.clock.advance(DAY // 24)
        sides = {"debit_account_id": payer, "credit_account_id": payee}
        transfer = Transfer(id=self.transfers, amount=minor, ledger=826, code=7, **sides)
        (results,) = self.engine.execute([LedgerRequest(transfer_array([transfer]))])
        assert not results["status"].any()

    def tells(self, key: str, command: RecordFacts) -> Any:
        """Record facts."""
        request = command_request("facts", command, principal=PRINCIPAL, key=key)
        return self.engine.execute([request])[0]

    def found(self, day: int) -> tuple[pl.DataFrame, Any]:
        """Return what the daily job finds of a day, and the ids of the parties."""
        source, until = source_of(self.journal), day_start(day + 1)
        known = known_day(source.read(after=0, until=source.head()), until=until, labels="fraud_label")
        return daily(known.transfers, known.devices, known.labels, until), known.parties

    def records(self, day: int) -> int:
        """Run the daily job of a day; return how many facts are new."""
        before = self._told()
        for key, command in day_commands(*self.found(day), day):
            receipt = self.tells(key, command)
            assert receipt.code == ""
        return self._told() - before

    def read(self, payer: int = 1, payee: int = 2) -> dict[str, Any]:
        """Return what a payment is told now."""
        asking = {"payer": PARTIES[payer - 1], "payee": PARTIES[payee - 1], "amount": 1}
        told = tell_features(
            self.engine.state, "risk", purpose=Purpose.FRAUD, at=self.clock.now(), asking=asking
        )
        return dict(told.values)

    def _told(self) -> int:
        events = [event for batch in self.journal.batches for event in batch.events]
        recorded = [
            event for event in events if event.kind == "facts.FactsRecorded" and event.subject == SOURCE
        ]
        return sum(len(msgspec.json.decode(event.body)["at"]) for event in recorded)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a house in which a day's payments were made."""
    house = House(tmp_path)
    for payer, payee, minor in ((1, 2, 500), (1, 2, 700), (2, 3, 300), (2, 1, 20)):
        house.pays(payer, payee, minor)
    return house


def test_a_day_is_read_on_the_next(house: House) -> None:
    """Every value is what the job itself found; before it was journaled there was none."""
    found, parties = house.found(TODAY)
    house.clock.set(day_start(TODAY + 1) + 10**9)
    assert set(house.read().values()) == {None}
    assert house.records(TODAY) == len(PARTIES) * len(PARTY_GRAPH_GROUPS)
    told = house.read()
    ids = [(int(high) << 64) + int(low) for high, low in parties]
    rows = {ids[row["node"]]: row for row in found.rows(named=True)}
    assert {name: told[f"payer_{name}"] for name in NAMES} == {name: rows[PARTIES[0]][name] for name in NAMES}
    assert told["payee_pagerank"] == rows[PARTIES[1]]["pagerank"]
    assert told["payer_out_amount_1d"] == 1200
    assert None in {house.read(payer=3)[f"payer_{name}"] for name in NAMES}


def test_what_is_missing_replaces_what_was_there(house: House) -> None:
    """A party that paid nobody of late has no mean of it, not the one of the day before."""
    house.clock.set(day_start(TODAY + 1))
    house.records(TODAY)
    assert house.read()["payer_out_mean_1d"] == 600
    house.clock.set(day_start(TODAY + 2))
    house.records(TODAY + 1)
    assert house.read()["payer_out_mean_1d"] is None
    assert house.read()["payer_out_mean_7d"] == 600


def test_a_stale_value_is_missing(house: House) -> None:
    """Where the job did not run for three days, nothing is told rather than something old."""
    house.clock.set(day_start(TODAY + 1))
    house.records(TODAY)
    house.clock.set(day_start(TODAY + 4) - 2)
    assert house.read()["payer_out_amount_ever"] == 1200
    house.clock.set(day_start(TODAY + 4) - 1)
    assert house.read()["payer_out_amount_ever"] is None


def test_nothing_looks_ahead(house: House) -> None:
    """Payments and labels of the next day change nothing, however late the job runs."""
    found, _ = house.found(TODAY)
    house.clock.set(day_start(TODAY + 1))
    house.pays(1, 3, 9_000)
    at = day_start(TODAY + 1) - 5
    label: dict[str, Any] = {"ids": {"party": [f"{PARTIES[0]:032x}"]}, "numbers": {"is_fraud": [1]}}
    house.tells("late", RecordFacts(subject=1, kind="fraud_label", at=[at], **label))
    later, _ = house.found(TODAY)
    assert later.equals(found)
    house.clock.set(day_start(TODAY + 2))
    assert not house.found(TODAY + 1)[0].equals(found)


def test_the_same_day_again_changes_nothing(house: House) -> None:
    """Not even when the journal has gone on, or when the first run was interrupted."""
    house.clock.set(day_start(TODAY + 1))
    key, command = next(day_commands(*house.found(TODAY), TODAY))
    assert house.tells(key, command).code == ""
    assert house.records(TODAY) == len(PARTIES) * (len(PARTY_GRAPH_GROUPS) - 1)
    house.pays(1, 3, 9_000)
    position = house.engine.state.position
    assert house.records(TODAY) == 0
    assert house.engine.state.position == position


def test_a_day_is_not_told_otherwise(house: House) -> None:
    """Decisions may have read what was told first."""
    house.clock.set(day_start(TODAY + 1))
    found, parties = house.found(TODAY)
    house.records(TODAY)
    key, command = next(day_commands(found.with_columns(pl.col(NAMES[0]) + 1), parties, TODAY))
    assert isinstance(house.tells(key, command), KeyReused)


def test_groups_fit_a_fact() -> None:
    """Every slow feature is in one group, and a group has room in a fact beside the party."""
    assert sorted(name for names in PARTY_GRAPH_GROUPS.values() for name in names) == sorted(NAMES)
    assert max(len(names) for names in PARTY_GRAPH_GROUPS.values()) < FACT_FIELDS_MAX


@pytest.mark.parametrize("names", PARTY_GRAPH_GROUPS.values(), ids=PARTY_GRAPH_GROUPS)
def test_the_widest_rows_fit_an_event(names: tuple[str, ...]) -> None:
    """As many rows as a chunk has, of numbers that take most characters; not many more would fit."""
    widest = bits_of_reals([-5e-324])
    sizes = [
        len(
            msgspec.json.encode(
                FactsRecorded(
                    kind="party_graph_neighbours",
                    at=[day_start(TODAY)] * rows,
                    ids={"party": ["f" * 32] * rows},
                    numbers={},
                    real_bits=dict.fromkeys(names, widest * rows),
                )
            )
        )
        for rows in (rows_max(names), rows_max(names) * 11 // 10)
    ]
    assert sizes[0] <= FACTS_BYTES_MAX < sizes[1]


def test_chunks_hold_every_party_once() -> None:
    """One row more than fits makes a chunk of its own."""
    count = rows_max(PARTY_GRAPH_GROUPS["paid"]) + 1
    parties = np.stack([np.zeros(count, np.uint64), np.arange(1, count + 1, dtype=np.uint64)], axis=1)
    columns = {"node": np.arange(count)} | {name: np.arange(count) for name in NAMES}
    commands = dict(day_commands(pl.DataFrame(columns), parties, TODAY))
    first, second = (commands[f"party_graph_paid:{TODAY}:{chunk}"] for chunk in range(2))
    assert (len(first.at), len(second.at)) == (count - 1, 1)
    assert [*first.ids["party"], *second.ids["party"]] == [f"{one:032x}" for one in range(1, count + 1)]
    assert second.reals["out_count_1d"] == [float(count - 1)]
    assert set(first.at) == {day_start(TODAY + 1) - 1}


def test_a_slow_feature_that_there_is_not() -> None:
    """A wrong name is an error of the definition."""
    with pytest.raises(UnknownField, match="'karma'"):
        slow_features("karma", of="payer")
