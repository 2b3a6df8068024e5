"""A follower's state becomes an engine's: only the tail is left to fold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import ProgrammingError
from formicary.factory.engine.requests import EngineStopped, LedgerRequest
from formicary.factory.engine.state import known_events
from formicary.factory.follower import promote
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import Fenced
from formicary.factory.journal.journal import Journal
from formicary.factory.ledger import SEMANTICS, Account, account_array
from tests.factory.follower.house import House, open_house


@pytest.fixture
def house(small_segments: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house that has worked a little."""
    with open_house(small_segments, tmp_path) as house:
        house.pay(200)
        yield house


@pytest.fixture
def second_journal(house: House) -> Journal:
    """Give the journal to a second engine; it is closed with the house."""
    journal = Journal(house.access, semantics=SEMANTICS, upcasters=known_events(), deadline_seconds=5)
    house.opened.append(journal)
    return journal


def test_the_standby_takes_over(house: House, second_journal: Journal) -> None:
    """The new engine has the state of the old one, the tail included; the old one is fenced out."""
    follower = house.follower()
    follower.open()
    follower.catch_up()
    folded = follower.state
    house.pay(50, seed=9)
    expected = house.engine.state.state_hash
    engine = promote(follower, second_journal, SimulatedClock(house.clock.now() + 1))
    assert engine.state is folded
    assert engine.state.state_hash == expected
    opening = LedgerRequest(account_array([Account(id=500, ledger=1, code=1)]))
    assert engine.execute([opening])[0]["status"].tolist() == [0]
    with pytest.raises(Fenced):
        house.engine.execute([opening])
    with pytest.raises(EngineStopped):
        _ = house.engine.state


def test_a_promoted_follower_is_none_any_more(house: House, second_journal: Journal) -> None:
    """The state has one owner: the follower has given it away."""
    follower = house.follower()
    follower.open()
    promote(follower, second_journal, house.clock)
    assert not follower.follows
    with pytest.raises(ProgrammingError, match="released"):
        follower.catch_up()


def test_it_recovers_again_later(house: House, second_journal: Journal) -> None:
    """When the new engine has to recover, it begins at the latest snapshot."""
    follower = house.follower()
    follower.open()
    follower.catch_up()
    follower.write_snapshot()
    engine = promote(follower, second_journal, house.clock)
    before = engine.state
    assert engine.recover() == house.journal.head()
    assert engine.state is not before
    assert engine.state.state_hash == before.state_hash
