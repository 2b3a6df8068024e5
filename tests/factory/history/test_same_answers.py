"""History gives the answers of the ledger in memory, wherever the rows are by now."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from formicary.factory.history import History
from formicary.factory.journal.segments import index_closed_segments
from formicary.factory.ledger import AccountFilter, Ledger, QueryFilter
from tests.factory.follower.house import House, open_house
from tests.fixtures_postgres import PostgresServer

FILTERS = 60
SEGMENT_POSITIONS = 256
FIELDS: dict[str, tuple[int, ...]] = {
    "user_data_128": (0, 0, 0, 1, 2**127, 5),
    "user_data_64": (0, 0, 0, 1, 2**63, 5, 2**64 + 1, -1),
    "user_data_32": (0, 0, 0, 1, 2**31, 5),
    "code": (0, 0, 0, 1, 2, 3, 9),
    "limit": (1, 3, 50, 8_189, 0),
}


@pytest.fixture(scope="module", params=["nothing", "half", "all"])
def indexed(request: pytest.FixtureRequest) -> str:
    """How much of the journal the follower has indexed."""
    return str(request.param)


@pytest.fixture(scope="module")
def house(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, indexed: str
) -> Iterator[House]:
    """Give a house with long histories of which the older part has left memory, in several segments."""
    name, access = postgres.create(segment_positions=SEGMENT_POSITIONS)
    with open_house(access, tmp_path_factory.mktemp("house")) as house:
        house.pay(500)
        follower = house.follower()
        follower.open()
        if indexed != "nothing":
            follower.catch_up()
            follower.write_index()
        house.work(7, groups=30)
        house.pay(700, accounts=8, seed=2)
        if indexed == "all":
            follower.catch_up()
            follower.write_index()
        index_closed_segments(access)
        yield house
    postgres.drop(name)


def _moments(house: House, random: Random, *, every: bool) -> list[tuple[int, int]]:
    """Return accounts and times: of all their entries or of a few, just before them, and the ends of time."""
    found = []
    for account_id in [*house.account_ids, 77]:
        balances = house.ledger.get_account_balances(AccountFilter(account_id=account_id))
        times = np.unique(balances["timestamp"]).tolist()
        some = random.sample(times, min(len(times), 8))
        # Of two accounts with long histories all; of the others it would only take longer.
        moments = [
            *(times if every and account_id <= 2 else some),
            *(time - 1 for time in some),
            0,
            2**63 - 1,
        ]
        found += [(account_id, moment) for moment in moments]
    return found


def _same(mine: Any, theirs: Any) -> bool:
    return bool(mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes())


def _filter(random: Random, house: House, **fixed: Any) -> dict[str, Any]:
    times = house.ledger.rows["timestamp"]
    wanted = {name: random.choice(values) for name, values in FIELDS.items()}
    if random.random() < 0.5:
        wanted.update(user_data_128=0, user_data_64=0, user_data_32=0)
    for name in ("timestamp_min", "timestamp_max"):
        wanted[name] = random.choice((0, int(times[random.randrange(len(times))]), 2**63 - 1, 2**63))
    return {**wanted, "reversed": random.random() < 0.5, **fixed}


def test_balance_as_of_every_moment(house: House, indexed: str) -> None:
    """Every account's totals at every moment are those of the ledger in memory."""
    history = house.history()
    for account_id, moment in _moments(house, Random(3), every=indexed == "all"):
        mine = history.balance_as_of(account_id, moment)
        theirs = house.ledger.balance_as_of(account_id, moment)
        assert (mine is None) == (theirs is None)
        assert mine is None or _same(mine, theirs), (account_id, moment)


@pytest.mark.parametrize("read", ["get_account_transfers", "get_account_balances"])
def test_pages_of_entries(house: House, read: str) -> None:
    """Pages from either end, with any condition, are those of the ledger in memory."""
    history, random = house.history(), Random(5)
    ids = [*house.account_ids, 77]
    for _ in range(FILTERS):
        wanted = AccountFilter(
            account_id=random.choice(ids),
            debits=random.random() < 0.8,
            credits=random.random() < 0.8,
            **_filter(random, house),
        )
        assert _same(getattr(history, read)(wanted), getattr(house.ledger, read)(wanted)), wanted


@pytest.mark.parametrize("account_id", [1, 77])
def test_pages_that_are_hard_to_fill(house: House, account_id: int) -> None:
    """A page is looked for in all of the history, and not beyond the time asked for."""
    history, times = house.history(), np.sort(house.ledger.rows["timestamp"])
    early, middle = int(times[len(times) // 10]), int(times[len(times) // 2])
    hard: tuple[dict[str, Any], ...] = (
        {"user_data_64": 77, "limit": 1},
        {"user_data_64": 77, "timestamp_max": early},
        {"timestamp_max": early},
        {"timestamp_min": early, "timestamp_max": middle, "limit": 70},
        {"timestamp_min": middle, "limit": 2},
        {"timestamp_min": middle, "timestamp_max": early},
    )
    for conditions in (*hard, *({**each, "reversed": True} for each in hard)):
        wanted = AccountFilter(account_id=account_id, **conditions)
        assert _same(history.get_account_transfers(wanted), house.ledger.get_account_transfers(wanted)), (
            wanted
        )


@pytest.mark.parametrize("read", ["query_transfers", "query_accounts"])
def test_queries(house: House, read: str) -> None:
    """Transfers and accounts by what they are, in either order, are those of the ledger in memory."""
    history, random = house.history(), Random(6)
    for _ in range(FILTERS):
        wanted = QueryFilter(ledger=random.choice((0, 0, 1, 2, 2**31)), **_filter(random, house))
        assert _same(getattr(history, read)(wanted), getattr(house.ledger, read)(wanted)), wanted


def test_lookups(house: House) -> None:
    """Transfers and accounts are found by id in the order asked; unknown and burnt ids are left out."""
    history, random = house.history(), Random(8)
    rows = house.ledger.rows
    ids = [
        int(high) << 64 | int(low)
        for high, low in zip(rows["id_high"].tolist(), rows["id_low"].tolist(), strict=True)
    ]
    for count in (0, 1, 10, 200):
        wanted = [*random.sample(ids, count), 2**127, 12]
        assert _same(history.lookup_transfers(wanted), house.ledger.lookup_transfers(wanted))
    in_memory = ids[-1:]
    assert _same(history.lookup_transfers(in_memory), house.ledger.lookup_transfers(in_memory))
    accounts = [77, *house.account_ids[::-1]]
    assert _same(history.lookup_accounts(accounts), house.ledger.lookup_accounts(accounts))


def _reads(source: History | Ledger) -> list[Any]:
    wanted = AccountFilter(account_id=1, limit=100)
    return [source.get_account_transfers(wanted), source.query_transfers(QueryFilter(limit=100))]


def test_connections_come_back(house: House) -> None:
    """History that was closed opens its connections again."""
    history = house.history()
    before = _reads(history)
    history.close()
    assert all(_same(*pair) for pair in zip(_reads(history), before, strict=True))
    assert all(_same(*pair) for pair in zip(_reads(house.ledger), before, strict=True))
