"""What history refuses, and what it does with questions that make no sense."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formicary.factory.history import History, IndexBehind, QueryTooBroad, chain
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.ledger import AccountFilter, QueryFilter
from tests.factory.follower.house import House, open_house


@pytest.fixture
def house(access: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house with histories of some hundred entries that nobody has indexed."""
    with open_house(access, tmp_path) as house:
        house.pay(600, accounts=3)
        yield house


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow a question to pass little more than what is in memory and one stretch of the index."""
    monkeypatch.setattr(chain, "HISTORY_ENTRIES_MAX", 150)


@pytest.mark.usefixtures("impatient")
def test_a_broad_question_is_refused(house: House) -> None:
    """A page that would pass too many entries is refused, instead of keeping the database busy."""
    rare = AccountFilter(account_id=1, user_data_64=77)
    for wanted in (rare, AccountFilter(account_id=1, user_data_64=77, reversed=True)):
        with pytest.raises(QueryTooBroad, match="shorter time"):
            house.history().get_account_transfers(wanted)


@pytest.mark.usefixtures("impatient")
def test_a_balance_waits_for_the_index(house: House) -> None:
    """A balance so far back that its entries are not indexed yet is "not now", until the follower has."""
    early = int(house.ledger.rows["timestamp"][0])
    with pytest.raises(IndexBehind, match="try again"):
        house.history().balance_as_of(1, early)
    follower = house.follower()
    follower.open()
    follower.catch_up()
    follower.write_index()
    assert house.history().balance_as_of(1, early) == house.ledger.balance_as_of(1, early)


def test_values_that_fit_no_field_find_nothing(house: House) -> None:
    """A value too wide for its field is no error; no row has it."""
    assert not len(house.history().query_transfers(QueryFilter(user_data_128=2**128)))
    assert not len(house.history().get_account_transfers(AccountFilter(account_id=1, user_data_128=2**128)))
    assert house.history().balance_as_of(1, -1) is None


def test_a_chain_that_leads_nowhere_is_damage(house: House) -> None:
    """An entry that memory names and the journal does not have is reported, never skipped."""

    def look(read: Any) -> Any:
        machine = house.engine.state.machine
        machine.accounts["last_entry"][0] = 1
        return read(machine)

    history = History(house.access, look)
    house.opened.append(history)
    with pytest.raises(JournalCorrupted, match="position 1"):
        history.get_account_transfers(AccountFilter(account_id=1, reversed=True))
