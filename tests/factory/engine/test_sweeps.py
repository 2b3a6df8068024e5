"""Sweeps: one event that creates or changes many aggregates, decided, journaled, folded again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import ProgrammingError
from formicary.base.limits import SWEEP_BYTES_MAX
from formicary.factory.engine.columnar import ids_of
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.context import DecidingContext
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command, Consequence, Decision, Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.ledger import Account, AccountFlags, Transfer, account_array, transfer_array
from tests.factory.engine.meters_product import (
    CODE,
    HOUSE,
    LEDGER,
    METERS,
    PART,
    ROUNDS,
    TARIFFS,
    BillMeters,
    FitMeter,
    FitMeters,
    GoRound,
    MeterFitted,
    MetersFitted,
    MetersTurned,
    ReadMeters,
    TurnMeters,
)
from tests.factory.engine.null_journal import NullJournal

PRODUCTS = (METERS, ROUNDS)
ROUND = 2**100
FLOORED = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS


class Works:
    """An engine with meters, and beside it what they must be, in plain Python."""

    def __init__(self, folder: Path, products: tuple[Product, ...] = PRODUCTS) -> None:
        self.folder = folder
        self.journal = NullJournal()
        self.products = products
        self.clock = SimulatedClock(10**18)
        self.engine = Engine(self.journal, self.new_state, self.clock)
        self.engine.recover()
        self.numbers: dict[int, int] = {}
        self.tariffs: list[int] = []
        self.shows: list[int] = []
        self.led: list[int] = []
        self.events: list[int] = []
        self._keys = 0

    def new_state(self) -> FactoryState:
        """Return a state before the first event."""
        return FactoryState(self.folder, self.products)

    def does(self, command: Command, product: str = METERS.name) -> Any:
        """Carry out a command and return its receipt."""
        self._keys += 1
        request = command_request(product, command, principal="p", key=str(self._keys))
        (receipt,) = self.engine.execute([request])
        return receipt

    @property
    def meters(self) -> Any:
        """Every meter."""
        return self.engine.state.aggregates["meters"].records

    def fit(self, subject: int, tariff: int) -> None:
        """Fit one meter, or set the tariff of one that is there."""
        self.does(FitMeter(subject=subject, tariff=tariff))
        if subject in self.numbers:
            number = self.numbers[subject]
            self.tariffs[number] = tariff
            self.events[number] += 1
        else:
            self._add(subject, tariff)

    def _add(self, subject: int, tariff: int) -> None:
        self.numbers[subject] = len(self.numbers)
        self.tariffs.append(tariff)
        self.shows.append(0)
        self.led.append(0)
        self.events.append(1)

    def _leads(self, subject: int) -> None:
        if subject in self.numbers:
            self.led[self.numbers[subject]] += 1
            self.events[self.numbers[subject]] += 1

    def fit_many(self, subject: int, tariffs: list[int]) -> None:
        """Fit many meters by one event."""
        receipt = self.does(FitMeters(subject=subject, tariffs=tariffs))
        for one, tariff in zip(receipt.answer["ids"], tariffs, strict=True):
            self._add(int(one, 16), tariff)
        self._leads(subject)

    def turn(self, subject: int, first: int, after: int, steps: int) -> None:
        """Let meters turn."""
        assert self.does(TurnMeters(subject=subject, first=first, after=after, steps=steps)).code == ""
        for number in range(first, after):
            self.shows[number] += steps * self.tariffs[number]
        self._leads(subject)

    def read(self, subject: int, first: int, shown: list[int]) -> None:
        """Write down what meters show."""
        assert self.does(ReadMeters(subject=subject, first=first, shown=shown)).code == ""
        self.shows[first : first + len(shown)] = shown
        self._leads(subject)

    def require_right(self) -> None:
        """Compare every meter with what it must be."""
        meters = self.meters
        columns = (self.tariffs, self.shows, self.led, self.events)
        names = ("tariff", "shows", "led", "events")
        assert {name: meters[name].tolist() for name in names} == dict(zip(names, columns, strict=True))
        ids = [(high << 64) | low for high, low in meters[["id_high", "id_low"]].tolist()]
        assert ids == list(self.numbers)

    def work(self, random: Random, count: int) -> None:
        """Do a number of things, whatever comes."""
        for _ in range(count):
            self.clock.advance(random.randrange(100))
            there = len(self.numbers)
            some = random.choice([*self.numbers, ROUND, random.getrandbits(100)])
            first = random.randint(0, there)
            after = random.randint(first, there)
            match random.randrange(4):
                case 0:
                    self.fit(some, random.randrange(50))
                case 1:
                    self.fit_many(some, [random.randrange(50) for _ in range(random.choice((0, 1, 40)))])
                case 2:
                    self.turn(some, first, after, random.randrange(9))
                case _:
                    self.read(some, first, [random.randrange(2**32) for _ in range(after - first)])


@pytest.fixture
def works(tmp_path: Path) -> Works:
    """Give works without a meter."""
    return Works(tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_single_events_and_sweeps_mix(works: Works, seed: int) -> None:
    """Whatever comes after whatever, each meter is what happened to it, one by one and with others."""
    works.work(Random(seed), 60)
    assert len(works.meters) > PART
    works.require_right()


def pieces(batches: list[Batch], random: Random) -> list[tuple[Any, Any, tuple[Any, ...], int]]:
    """Return a journal's rows, cut between any two positions."""
    events = [event for batch in batches for event in batch.events]
    found, last = [], batches[-1].last
    after = 0
    while after < last:
        until = min(last, after + random.choice((1, 2, 30)))
        inside = tuple(event for event in events if after < event.position <= until)
        found.append((batches[0].accounts[:0], batches[0].transfers[:0], inside, until))
        after = until
    return found


@pytest.mark.parametrize("seed", range(3))
def test_cuts_and_snapshots_change_nothing(works: Works, seed: int) -> None:
    """A journal cut anywhere folds to the same state; so does one that a snapshot stands in the middle of."""
    random = Random(seed)
    works.work(random, 40)
    expected = works.engine.state
    cuts = pieces(works.journal.batches, random)
    middle = random.randrange(len(cuts))
    state = works.new_state()
    for number, (accounts, transfers, events, until) in enumerate(cuts):
        if number == middle:
            restored = works.new_state()
            restored.restore({name: array.copy() for name, array in state.sections().items()})
            assert restored.state_hash == state.state_hash
            state = restored
        state.fold(accounts, transfers, events, until=until)
    assert state.state_hash == expected.state_hash
    assert state.aggregates["meters"].records.tobytes() == works.meters.tobytes()
    works.engine.recover()
    works.require_right()
    works.work(random, 10)
    works.require_right()


def test_a_round_sweeps_a_neighbour_part_by_part(works: Works) -> None:
    """It goes on where it was, also after a restart, and the meters have no record of the round."""
    works.fit_many(1, [1] * (2 * PART + 3))
    for done in (PART, 2 * PART, 2 * PART + 3):
        works.engine.recover()
        assert works.does(GoRound(subject=ROUND), "rounds").code == ""
        assert works.meters["shows"].tolist() == [1] * done + [0] * (2 * PART + 3 - done)
    assert works.does(GoRound(subject=ROUND), "rounds").code == "round_over"
    assert len(works.meters) == 2 * PART + 3
    assert set(works.meters["events"].tolist()) == {1}


@pytest.mark.parametrize(("first", "after"), [(0, 5), (4, 5), (3, 2), (5, 5)])
def test_a_sweep_of_what_is_not_there_is_refused(works: Works, first: int, after: int) -> None:
    """The engine goes on, and nothing has changed."""
    works.fit_many(1, [1, 2, 3, 4])
    before = works.meters.tobytes()
    assert works.does(TurnMeters(subject=1, first=first, after=after, steps=1)).code == "sweep_out_of_range"
    assert works.meters.tobytes() == before
    works.turn(1, 4, 4, 1)
    works.require_right()


def fitted(first: int, subjects: list[int]) -> MetersFitted:
    """Return the event that fits meters with ids."""
    return MetersFitted(
        first=first,
        after=first + len(subjects),
        ids=IDS.pack(ids_of(subjects)),
        tariffs=TARIFFS.pack(np.ones(len(subjects), np.uint32)),
    )


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([fitted(2, [7, 8])], ""),
        ([fitted(1, [7, 8])], "sweep_out_of_range"),
        ([fitted(3, [7, 8])], "sweep_out_of_range"),
        ([fitted(2, [7, 7])], "sweep_out_of_range"),
        ([fitted(2, [7, 1])], "sweep_out_of_range"),
        ([fitted(2, [7, 8]), fitted(4, [9])], ""),
        ([fitted(2, [7, 8]), fitted(2, [9])], "sweep_out_of_range"),
        ([fitted(2, [7, 8]), fitted(4, [8])], "sweep_out_of_range"),
        # The command's own subject is a new meter, or one of those that were created.
        ([MeterFitted(tariff=1), fitted(3, [7])], ""),
        ([MeterFitted(tariff=1), fitted(2, [7])], "sweep_out_of_range"),
        ([MeterFitted(tariff=1), fitted(3, [5])], "sweep_out_of_range"),
        ([fitted(2, [5]), MeterFitted(tariff=1), fitted(3, [6])], ""),
        ([fitted(2, [7]), MetersTurned(first=0, after=3, steps=1)], ""),
        ([MetersTurned(first=0, after=3, steps=1), fitted(2, [7])], "sweep_out_of_range"),
        ([msgspec.structs.replace(fitted(2, [7, 8]), tariffs="")], "sweep_out_of_range"),
        ([msgspec.structs.replace(fitted(2, [7, 8]), after=3)], "sweep_out_of_range"),
        ([fitted(2, list(range(10, 3_600)))], ""),
        ([fitted(2, list(range(10, 5_000)))], "sweep_too_large"),
        ([fitted(2, list(range(10, 2_010))), fitted(2_002, list(range(2_010, 4_010)))], "sweep_too_large"),
    ],
)
def test_a_decision_is_looked_at_in_its_order(tmp_path: Path, events: list[Any], code: str) -> None:
    """Each event finds what the ones before it leave; one that could not be applied refuses all of them."""
    works = Works(tmp_path, (replace(METERS, decide=lambda *_: Decision(events=events)),))
    works.engine.state.columns["meters"].create(ids_of([1, 2]), timestamp=1)
    before = works.meters.tobytes()
    assert works.does(FitMeter(subject=5, tariff=1)).code == code
    assert (works.meters.tobytes() == before) == bool(code)
    written = [event.body for batch in works.journal.batches for event in batch.events]
    assert max(map(len, written)) <= SWEEP_BYTES_MAX


def test_events_of_other_products_are_passed_over(tmp_path: Path) -> None:
    """A product without columns may say that a neighbour's sweep happens, before and after its own events."""

    def decide(command: Any, *_: Any) -> Decision:
        swept = MetersTurned(first=0, after=0, steps=1)
        return Decision(
            consequences=[
                Consequence(product="meters", subject=command.subject, event=one)
                for one in (swept, MeterFitted(tariff=3), MetersTurned(first=0, after=1, steps=2))
            ],
        )

    works = Works(tmp_path, (METERS, replace(ROUNDS, decide=decide)))
    assert works.does(GoRound(subject=ROUND), "rounds").code == ""
    assert works.meters["shows"].tolist() == [6]


@pytest.mark.parametrize(
    "body", [{"first": 0, "after": 1}, {"first": 2, "after": 4}, {"ids": "", "tariffs": ""}]
)
def test_a_journal_that_was_tampered_with_is_found(works: Works, body: dict[str, Any]) -> None:
    """A sweep of what is not there, or that creates what is, changes nothing in silence."""
    works.fit(3, 1)
    works.does(FitMeters(subject=ROUND, tariffs=[5, 6]))
    last = works.journal.batches[-1]
    sweep = last.events[0]
    wrong = msgspec.json.encode(msgspec.json.decode(sweep.body) | body)
    works.journal.batches[-1] = replace(last, events=(replace(sweep, body=wrong), *last.events[1:]))
    with pytest.raises(JournalCorrupted, match="other aggregates than there are"):
        works.engine.recover()


def test_ids_that_are_there_cannot_be_created_again(works: Works) -> None:
    """Not by a journal, either."""
    works.does(FitMeters(subject=ROUND, tariffs=[5, 6]))
    sweep = works.journal.batches[-1].events[0]
    state = works.engine.state
    body = msgspec.json.encode(msgspec.json.decode(sweep.body) | {"first": 2, "after": 4})
    with pytest.raises(JournalCorrupted, match="other aggregates than there are"):
        state.apply([replace(sweep, body=body)])


def test_bills_are_one_chain(works: Works) -> None:
    """Every meter with an account pays by the same command, or none does."""
    works.fit_many(ROUND, [1] * 5)
    subjects = list(works.numbers)
    accounts = [Account(id=one, ledger=LEDGER, code=CODE, flags=FLOORED) for one in subjects[1:]]
    bank = [Account(id=one, ledger=LEDGER, code=CODE) for one in (HOUSE, 2)]
    works.engine.execute([LedgerRequest(account_array([*bank, *accounts]))])
    works.turn(ROUND, 0, 4, 10)
    bill = BillMeters(subject=ROUND, first=0, after=5)
    # The third of them has too little.
    for subject, amount in zip(subjects[1:], (25, 15, 5), strict=False):
        paid = Transfer(id=subject, debit_account_id=2, credit_account_id=subject, amount=amount)
        moved = transfer_array([replace(paid, ledger=LEDGER, code=CODE)])
        works.engine.execute([LedgerRequest(moved)])
    before = works.meters.tobytes()
    assert works.does(bill).code == "exceeds_credits"
    assert works.meters.tobytes() == before
    assert house_has(works) == 0
    extra = Transfer(
        id=9, debit_account_id=2, credit_account_id=subjects[3], amount=5, ledger=LEDGER, code=CODE
    )
    works.engine.execute([LedgerRequest(transfer_array([extra]))])
    receipt = works.does(bill)
    assert (receipt.code, receipt.answer) == ("", {"paid": 30})
    assert house_has(works) == 30
    assert works.meters["billed"].tolist() == [10, 10, 10, 10, 0]
    works.engine.recover()
    assert house_has(works) == 30


def house_has(works: Works) -> int:
    """Return what was paid to the house."""
    (account,) = works.engine.state.machine.account_views([HOUSE])
    return int(account["credits_posted"])


def test_a_decider_sees_columns(works: Works) -> None:
    """All aggregates in order of creation, not to be written to; accounts, zeros where there is none."""
    works.fit_many(ROUND, [3, 4])
    works.does(GoRound(subject=ROUND), "rounds")
    works.engine.execute([LedgerRequest(account_array([Account(id=2**70, ledger=LEDGER, code=CODE)]))])
    context = DecidingContext(10**18, 7, works.engine.state, works.journal)
    columns = context.columns("meters")
    assert np.shares_memory(columns, works.meters)
    assert columns["tariff"].tolist() == [3, 4]
    with pytest.raises(ValueError, match="read-only"):
        columns["tariff"] = 0
    assert context.columns("rounds")["done"].tolist() == [2]
    accounts = context.accounts(ids_of([5, 2**70, 2**64]))
    assert accounts["ledger"].tolist() == [0, LEDGER, 0]
    single: Any = context.account(2**70)
    assert accounts[1].tobytes() == single.tobytes()


def test_sweeps_need_columns(tmp_path: Path) -> None:
    """A product whose aggregates are found by a dictionary cannot be swept."""
    with pytest.raises(ProgrammingError, match="no columns to sweep"):
        FactoryState(tmp_path, [replace(METERS, is_columnar=False)])
