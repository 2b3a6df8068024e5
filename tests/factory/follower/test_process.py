"""The follower's process: it follows, survives the database's restarts, and leaves when told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from formicary.factory.follower import Follower, Pace, follow, process
from formicary.factory.follower.process import look_after
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalCorrupted, JournalUnavailable
from tests.factory.follower.house import House, open_house
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer

PATIENCE_SECONDS = 20.0


@pytest.fixture
def house(small_segments: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house that has worked a little."""
    with open_house(small_segments, tmp_path) as house:
        house.pay(150)
        yield house


def _await(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _follows(follower: Follower, house: House) -> bool:
    return follower.follows and follower.state.position == house.engine.state.position


def _started(house: House, follower: Follower, stop: Event) -> Thread:
    thread = Thread(
        target=follow, args=(follower, stop), kwargs={"access": house.access, "poll_seconds": 0.01}
    )
    thread.start()
    return thread


def test_it_follows_until_told_to_stop(house: House) -> None:
    """What the engine commits is folded soon; at the end all indexes are complete."""
    follower, stop = house.follower(pace=Pace(index_seconds=1_000)), Event()
    thread = _started(house, follower, stop)
    _await(lambda: _follows(follower, house))
    house.pay(40, seed=3)
    _await(lambda: _follows(follower, house))
    stop.set()
    thread.join(PATIENCE_SECONDS)
    assert follower.state.state_hash == house.engine.state.state_hash
    with psycopg.connect(house.access.conninfo_for(Role.READER)) as connection:
        row = connection.execute("SELECT position FROM read_models.follower").fetchone()
        indexed = connection.execute("SELECT to_regclass('journal.transfers_0_position')").fetchone()
    assert row == (house.journal.head(),)
    assert indexed is not None
    assert indexed[0] is not None


def test_it_survives_a_restart_of_the_database(
    house: House, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """When the database is back the follower goes on where it was."""
    follower, stop = house.follower(), Event()
    thread = _started(house, follower, stop)
    _await(lambda: _follows(follower, house))
    state = follower.state
    postgres.supervisor.stop()
    _await(lambda: caplog.text.count("is unavailable") > 3)
    postgres.supervisor.start()
    house.engine.recover()
    house.pay(40, seed=4)
    _await(lambda: _follows(follower, house))
    stop.set()
    thread.join(PATIENCE_SECONDS)
    assert follower.state is state
    assert follower.state.state_hash == house.engine.state.state_hash


def test_it_leaves_while_the_database_is_gone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A follower that cannot reach the database still obeys."""
    asked, stop = Event(), Event()

    def gone(_: object) -> int:
        asked.set()
        raise JournalUnavailable

    monkeypatch.setattr(Follower, "open", gone)
    thread = _started(house, house.follower(), stop)
    assert asked.wait(PATIENCE_SECONDS)
    stop.set()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_damage_ends_the_process(house: House, postgres: PostgresServer) -> None:
    """The process ends with the error when a row is not what it must be."""
    tamper(postgres, house.access, "UPDATE journal.transfers SET amount = amount + 1 WHERE position = 99")
    stop = Event()
    with pytest.raises(JournalCorrupted):
        follow(house.follower(), stop, access=house.access)
    assert stop.is_set()


def test_pauses_grow_and_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts come ever more slowly, up to a limit; after a good time pauses begin short again."""
    pauses: list[float] = []

    class Stop(Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return len(pauses) == 10

    times = iter([*range(14), *range(100, 1_000, 50)])
    monkeypatch.setattr("time.monotonic", lambda: next(times))

    def summarize(_: Access) -> int:
        raise JournalUnavailable

    monkeypatch.setattr(process, "summarize", summarize)
    look_after(Access(conninfo="", roles=False), Stop())
    assert pauses[:7] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2]
    assert pauses[8:] == [0.05, 0.05]
