"""Aggregates as columns on a real journal: recovery, snapshots, standby and verification come to the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.columnar import ids_of
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import command_request
from formicary.factory.engine.state import FactoryState, known_events
from formicary.factory.follower import Verification, new_state, promote, verify
from formicary.factory.follower.follower import Pace, _records_of
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.ledger import ACCOUNT, SEMANTICS, Account, account_array
from tests.factory.engine.meters_product import (
    CODE,
    LEDGER,
    METER,
    METERS,
    ROUNDS,
    BillMeters,
    FitMeter,
    FitMeters,
    GoRound,
    ReadMeters,
    TurnMeters,
)
from tests.factory.follower.house import House, open_house
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer

ROUND = 2**100


def _asks(house: House, key: str, command: Command, product: str = METERS.name) -> None:
    request = command_request(product, command, principal="p", key=key)
    (receipt,) = house.engine.execute([request])
    assert receipt.code == ""
    # The engine is now ahead of the ledger beside it.
    house.clock.advance(100)


def _work(house: House, key: str, count: int = 30) -> None:
    """Let meters be fitted, read, billed and turned, one by one and many at once."""
    random = Random(key)
    _asks(house, f"{key} fit", FitMeters(subject=ROUND, tariffs=[random.randrange(9) for _ in range(count)]))
    for number in range(5):
        _asks(house, f"{key} one {number}", FitMeter(subject=random.randrange(2, 9), tariff=number))
        there = len(house.engine.state.aggregates["meters"])
        first = random.randrange(there)
        shown = [random.randrange(2**31) for _ in range(random.randint(0, there - first))]
        _asks(house, f"{key} read {number}", ReadMeters(subject=3, first=first, shown=shown))
        _asks(house, f"{key} turn {number}", TurnMeters(subject=ROUND, first=0, after=there, steps=2))
    _asks(house, f"{key} bill", BillMeters(subject=ROUND, first=0, after=there))
    _asks(house, f"{key} round", GoRound(subject=ROUND), ROUNDS.name)


@pytest.fixture
def house(small_segments: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house with meters, half of them in a snapshot."""
    with open_house(small_segments, tmp_path, products=[METERS, ROUNDS]) as house:
        house.execute([account_array([Account(id=one, ledger=LEDGER, code=CODE) for one in range(1, 9)])])
        _work(house, "first")
        follower = house.follower()
        follower.open()
        follower.catch_up()
        follower.write_snapshot()
        _work(house, "second")
        yield house


def _columns(state: FactoryState) -> bytes:
    return bytes(state.aggregates["meters"].records.tobytes())


def test_recovery_comes_to_the_same(house: House) -> None:
    """From the journal alone, or from a snapshot and the rest: the same meters, the same hash."""
    before = house.engine.state
    snapshot = new_state(house.folder / "snapshot", house.snapshots, house.products, house.reader())
    assert 0 < snapshot.state.position < before.position
    house.engine.recover()
    alone = house.engine.state
    assert alone is not before
    assert alone.state_hash == before.state_hash
    assert _columns(alone) == _columns(before)
    follower = house.follower(name="again")
    assert follower.open() == snapshot.state.position
    follower.catch_up()
    assert follower.state.state_hash == before.state_hash
    assert _columns(follower.state) == _columns(before)


def test_a_standby_takes_over(house: House) -> None:
    """Its engine has the meters, and lets them turn on."""
    follower = house.follower(name="standby", pace=Pace(positions_max=7))
    follower.open()
    follower.catch_up()
    expected = house.engine.state.state_hash
    journal = Journal(
        house.access, semantics=SEMANTICS, upcasters=known_events(house.products), deadline_seconds=5
    )
    house.opened.append(journal)
    engine = promote(follower, journal, SimulatedClock(house.clock.now() + 1))
    assert engine.state.state_hash == expected
    house.engine = engine
    _work(house, "third")
    engine.recover()
    assert len(engine.state.aggregates["meters"]) > 90


def _verify(house: House) -> Verification:
    upcasters = known_events(house.products)
    return verify(house.access, snapshots=house.snapshots, products=house.products, upcasters=upcasters)


def test_a_verification_finds_what_is_wrong(house: House, postgres: PostgresServer) -> None:
    """It is silent about a sound journal; a value in a column that is another is found at its commit."""
    found = _verify(house)
    assert found.findings == ()
    assert (found.snapshots, found.state_hash) == (1, house.engine.state.state_hash)
    tamper(
        postgres,
        house.access,
        "UPDATE journal.events"
        " SET body = jsonb_set(body, '{shown}', to_jsonb('//' || substr(body->>'shown', 3)))"
        " WHERE kind = 'meters.MetersRead' AND body->>'shown' <> ''",
    )
    assert [finding.what for finding in _verify(house).findings] == ["journal"]


def test_snapshots_are_rarer_where_they_are_large(tmp_path: Path) -> None:
    """Aggregates are written whole, so they count as the accounts that take as many bytes."""
    state = FactoryState(tmp_path, [METERS])
    state.columns["meters"].create(ids_of(range(1, 1_001)), timestamp=1)
    assert _records_of(state) == 1_000 * METER.itemsize // ACCOUNT.itemsize
