"""The follower: the engine's state, the index, the snapshots, and what it does about damage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.follower import Follower, Pace, follower
from formicary.factory.follower.follower import require_balanced
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalCorrupted, JournalTooNew, JournalUnavailable
from formicary.factory.journal.reader import JournalReader
from tests.factory.engine.example_product import ESCROW_PRODUCT
from tests.factory.follower.house import House, open_house
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer

NEVER = Pace(snapshot_rows=10**9, snapshot_seconds=10**9, index_seconds=10**9)


@pytest.fixture
def house(small_segments: Access, tmp_path: Path) -> Iterator[House]:
    """Give an empty house."""
    with open_house(small_segments, tmp_path, products=[ESCROW_PRODUCT]) as house:
        yield house


def _index(house: House) -> list[Any]:
    with psycopg.connect(house.access.conninfo_for(Role.READER)) as connection:
        return connection.execute(
            "SELECT * FROM read_models.entry_index ORDER BY position, account"
        ).fetchall()


def _every_64th(house: House) -> list[Any]:
    """Return what the index must hold, counted in Python from the ledger's rows."""
    entries: dict[int, int] = {}
    points = []
    for row in house.ledger.rows[np.isin(house.ledger.rows["status"], (0, 101))]:
        for side in ("debit", "credit"):
            account = int(row[f"{side}_account_id_high"]) << 64 | int(row[f"{side}_account_id_low"])
            entries[account] = entries.get(account, 0) + 1
            if entries[account] % 64 == 0:
                points.append((account, int(row["timestamp"])))
    return points


def test_the_state_is_the_engines(house: House) -> None:
    """Folded bit by bit or all at once, the follower's state is the engine's, with events among the rows."""
    step_by_step = house.follower(pace=Pace(positions_max=20))
    assert step_by_step.open() == 0
    for number in range(6):
        house.pay(40, seed=number)
        house.rate(900, key=str(number))
        step_by_step.catch_up()
    at_once = house.follower(name="at_once")
    at_once.open()
    assert at_once.catch_up() == house.journal.head()
    for each in (step_by_step, at_once):
        assert each.state.state_hash == house.engine.state.state_hash
        assert each.catch_up() == 0


def test_every_64th_entry_is_indexed(house: House) -> None:
    """The index holds exactly every 64th entry of each account, however often the follower starts again."""
    for number in range(8):
        house.pay(70, seed=number, accounts=3)
        again = house.follower(name=f"follower-{number}", pace=NEVER)
        again.open()
        again.catch_up()
        if number % 3 == 1:
            again.write_snapshot()
        elif number % 3 == 2:
            again.write_index()
    again.write_index()
    expected = _every_64th(house)
    assert len(expected) > 10
    # The ledger beside has one row less, the one that activated the semantics.
    assert sorted((point[0].int, point[1]) for point in _index(house)) == sorted(expected)


def test_a_lost_index_is_made_again(house: House, postgres: PostgresServer) -> None:
    """Without its table's content the follower does not begin at a snapshot that has seen more than it."""
    house.pay(200, accounts=3)
    first = house.follower()
    first.open()
    first.catch_up()
    first.write_snapshot()
    before = _index(house)
    tamper(postgres, house.access, "DELETE FROM read_models.entry_index")
    tamper(postgres, house.access, "UPDATE read_models.follower SET position = 0")
    second = house.follower(name="second", pace=NEVER)
    assert second.open() == 0
    second.catch_up()
    second.write_index()
    assert _index(house) == before


class _Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_snapshots_are_written_when_due(house: House) -> None:
    """A snapshot is due after so many rows, or after so long if there were rows at all."""
    clock = _Clock()
    pace = Pace(snapshot_rows=50, snapshot_seconds=10, index_seconds=10**9)
    each = house.follower(pace=pace, monotonic=clock)
    each.open()
    written: list[bool] = []
    for payments, seconds in ((20, 0), (40, 0), (5, 5), (5, 6), (0, 11), (5, 0)):
        if payments:
            house.pay(payments, seed=payments + len(written))
        clock.seconds += seconds
        each.catch_up()
        written.append(each.state.position in house.snapshots.positions())
    assert written == [False, True, False, True, True, True]
    assert len(house.snapshots.positions()) == 3


def test_snapshots_are_rarer_with_many_accounts(house: House) -> None:
    """Accounts are written whole: a snapshot waits for a row for every four of them."""
    each = house.follower(pace=Pace(snapshot_rows=5, snapshot_seconds=10**9))
    each.open()
    house.pay(1, accounts=400)
    each.catch_up()
    (first,) = house.snapshots.positions()
    house.pay(60, accounts=400, seed=2)
    each.catch_up()
    assert house.snapshots.positions() == (first,)
    house.pay(60, accounts=400, seed=3)
    each.catch_up()
    assert len(house.snapshots.positions()) == 2


def test_the_index_is_written_when_due(house: House) -> None:
    """The index follows after its pause, and only when there is something new."""
    clock = _Clock()
    each = house.follower(pace=Pace(index_seconds=5, snapshot_seconds=10**9), monotonic=clock)
    each.open()
    house.pay(150, accounts=2)
    each.catch_up()
    assert _index(house) == []
    clock.seconds += 6
    each.catch_up()
    assert len(_index(house)) == 4
    clock.seconds += 6
    each.catch_up()
    assert len(_index(house)) == 4


def test_an_interrupted_fold_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database fails in the middle of a commit, the next call goes on behind the last block."""
    house.pay(300)
    each = house.follower(pace=NEVER)
    each.open()
    read = JournalReader.read
    failures = count()

    def failing(self: JournalReader, *, after: int, until: int) -> Iterator[Any]:
        for block in read(self, after=after, until=until):
            yield block
            if next(failures) % 2 == 0:
                message = "pulled the plug"
                raise JournalUnavailable(message)

    monkeypatch.setattr(JournalReader, "read", failing)
    attempts = 0
    while each.state.position < house.journal.head():
        attempts += 1
        try:
            each.catch_up()
        except JournalUnavailable:
            continue
    assert attempts > 1
    assert each.state.state_hash == house.engine.state.state_hash


def test_damage_ends_the_following(house: House, postgres: PostgresServer) -> None:
    """A row that somebody changed is found, and the state that has seen it is gone."""
    house.pay(100)
    tamper(
        postgres,
        house.access,
        "UPDATE journal.transfers"
        " SET rare = decode(repeat('00', 32) || repeat('01', 8) || repeat('00', 8), 'hex')"
        " WHERE position = 77",
    )
    each = house.follower()
    each.open()
    with pytest.raises(JournalCorrupted, match="left the state"):
        each.catch_up()
    assert not each.follows
    with pytest.raises(ProgrammingError, match="no state"):
        each.catch_up()


def test_newer_semantics_are_not_followed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A follower of an older release stops, at its start and at the row that activates newer semantics."""
    each = house.follower()
    each.open()
    monkeypatch.setattr(follower, "SEMANTICS", 0)
    with pytest.raises(JournalTooNew):
        each.catch_up()
    with pytest.raises(JournalTooNew):
        house.follower(name="other").open()


def test_a_book_that_does_not_balance_is_damage(house: House) -> None:
    """Debits and credits of a ledger that differ stop everything."""
    house.pay(10)
    each = house.follower()
    each.open()
    each.catch_up()
    require_balanced(each.state)
    each.state.machine.accounts["debits_posted"][0] += 1
    with pytest.raises(JournalCorrupted, match="ledger 1 does not balance"):
        each.write_snapshot()


def test_closing_and_coming_back(house: House) -> None:
    """Closed connections are opened again by the next call; the state stays."""
    each: Follower = house.follower()
    each.open()
    house.pay(30)
    each.close()
    each.catch_up()
    each.write_index()
    assert each.state.state_hash == house.engine.state.state_hash
