"""A history becomes transfers with their own times and facts where they became known; once, however often."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.economy.history.rejections import Reason
from formicary.economy.moments import ReplayRefused
from formicary.factory.facts import FactsRecorded
from formicary.factory.ledger import Account, AccountFlags, Transfer, account_array, transfer_array
from formicary.products.payments.postings import account_id
from tests.economy.history.kit import (
    DAY,
    HEADER,
    JANUARY,
    MAPPING,
    SALES,
    HistoryWorld,
    history,
    rejected,
    written,
)

TEN = JANUARY + 36_000_000_000_000


def test_rows_become_transfers_and_facts(tmp_path: Path) -> None:
    """Each at its own time, a tie by a nanosecond; the label after what was before it was known."""
    world, found = HistoryWorld(tmp_path), history(tmp_path, sales=SALES)
    outcome = world.replay(written(tmp_path), found)
    assert (outcome.parties, outcome.accounts) == (4, 4)
    assert (outcome.created, outcome.existing) == ({0: 4, 1: 1}, {})
    rows = world.rows()
    assert [what for _, what, _ in rows] == ["transfer"] * 3 + ["facts", "transfer"]
    transfers = [row for _, what, row in rows if what == "transfer"]
    assert [int(row["timestamp"]) - JANUARY for row in transfers] == [
        36_000_000_000_000,
        36_000_000_000_001,
        4 * DAY + 28_800_000_000_000,
        8 * DAY,
    ]
    assert [int(row["amount"]) for row in transfers] == [1250, 300, 99, 10_000]
    assert {int(row["code"]) for row in transfers} == {1_000}
    assert [int(row["user_data_64"]) for row in transfers] == [1, 2, 3, 4]


def test_a_fact_says_what_and_of_whom(tmp_path: Path) -> None:
    """It has its own time, the id of the sale's transfer, and the party's."""
    world = HistoryWorld(tmp_path)
    world.replay(written(tmp_path, sales=SALES), history(tmp_path, sales=SALES))
    [event] = [one for _, what, one in world.rows() if what == "facts"]
    fact = msgspec.json.decode(event.body, type=FactsRecorded)
    sale = next(row for _, what, row in world.rows() if what == "transfer" and row["user_data_64"] == 2)
    assert fact.at == [TEN]
    assert event.timestamp >= TEN + 7 * DAY
    assert fact.ids["sale"] == [f"{int(sale['id_high']):016x}{int(sale['id_low']):016x}"]
    bob = world.engine.state.aggregates["party"].find(int(fact.ids["buyer"][0], 16))
    assert bob is not None
    assert account_id(int(fact.ids["buyer"][0], 16), 978) == _debit(sale)


def _debit(row: np.void) -> int:
    return int(row["debit_account_id_high"]) << 64 | int(row["debit_account_id_low"])


def test_a_wallet_is_a_partys_and_may_owe(tmp_path: Path) -> None:
    """Opening balances are unknown, so that nothing is refused for funds."""
    world = HistoryWorld(tmp_path)
    world.replay(written(tmp_path, sales=SALES), history(tmp_path, sales=SALES))
    accounts = world.engine.state.machine.accounts
    assert set(accounts["flags"].tolist()) == {int(AccountFlags.IMPORTED)}
    assert sorted(accounts["code"].tolist()) == [101, 101, 102, 102]
    for account in accounts:
        party = int(account["user_data_128_high"]) << 64 | int(account["user_data_128_low"])
        assert world.engine.state.aggregates["party"].find(party) is not None


def test_again_nothing_is_new(tmp_path: Path) -> None:
    """The journal does not grow by a row, and everything is counted as there before."""
    world, mapping = HistoryWorld(tmp_path), written(tmp_path, sales=SALES)
    world.replay(mapping, history(tmp_path, sales=SALES))
    position = world.position
    again = world.replay(mapping, history(tmp_path, sales=SALES))
    assert world.position == position
    assert (again.parties, again.accounts, again.created) == (0, 0, {})
    assert (again.parties_before, again.accounts_before, again.existing) == (4, 4, {0: 4, 1: 1})
    assert len(again.rejected) == 0


def test_more_rows_later(tmp_path: Path) -> None:
    """A file that grew brings its new rows and new parties; what is older than the journal is told by row."""
    world, mapping = HistoryWorld(tmp_path), written(tmp_path, sales=SALES)
    world.replay(mapping, history(tmp_path, sales=SALES))
    longer = SALES + "5,2020-01-20,cid,s1,1,1\n6,2020-01-02,ann,s1,1,0\n7,2020-01-03,ann,s1,2,1\n"
    outcome = world.replay(mapping, history(tmp_path, sales=longer))
    assert (outcome.parties, outcome.accounts) == (1, 1)
    # The late fact is there: it carries its own time.
    assert outcome.created == {0: 1, 1: 2}
    assert rejected(outcome.rejected) == [
        ("sale", 6, "", Reason.OLDER_THAN_JOURNAL),
        ("sale", 7, "", Reason.OLDER_THAN_JOURNAL),
    ]


def test_a_row_that_changed(tmp_path: Path) -> None:
    """The same key with another amount or label is no second event; it is told."""
    world, mapping = HistoryWorld(tmp_path), written(tmp_path, sales=SALES)
    world.replay(mapping, history(tmp_path, sales=SALES))
    changed = SALES.replace("bob,s1,3,1", "bob,s1,4,1")
    outcome = world.replay(mapping, history(tmp_path, sales=changed))
    assert rejected(outcome.rejected) == [
        ("fraud", 2, "", Reason.CHANGED),
        ("sale", 2, "exists_with_different_amount", Reason.CHANGED),
    ]


def test_the_first_so_many_then_the_rest(tmp_path: Path) -> None:
    """A limit is a prefix in time, so that the whole goes on where it ended."""
    world, mapping = HistoryWorld(tmp_path), written(tmp_path, sales=SALES)
    found = history(tmp_path, sales=SALES)
    for limit, count in ((2, 2), (4, 2), (9, 1)):
        part = found.plan.limited(limit)
        assert len(part.events) == min(limit, 5)
        before = world.position
        outcome = HistoryWorld.replay(
            world, mapping, type(found)(events=found.events, plan=part, rejected=found.rejected)
        )
        assert sum(outcome.created.values()) == count
        assert world.position > before
    assert len(history(tmp_path, sales=SALES).plan.limited(1).events) == 1


def test_a_limit_leaves_facts_told_together_whole(tmp_path: Path) -> None:
    """Labels of one day are one command; half of it would be another command with the same key."""
    rows = HEADER + "".join(f"{n},2020-01-01T0{n}:00:00,ann,s1,1,1\n" for n in range(5))
    plan = history(tmp_path, sales=rows).plan
    assert [len(plan.limited(count).events) for count in (4, 5, 6, 9, 10)] == [4, 5, 5, 5, 10]


def test_an_account_that_is_something_else(tmp_path: Path) -> None:
    """Where a wallet's id is taken by another kind of account, the import ends."""
    world, found = HistoryWorld(tmp_path), history(tmp_path, sales=SALES)
    taken = found.plan.accounts[:1].copy()
    taken["code"], taken["timestamp"] = 7, 1
    world.clock.set(JANUARY)
    world.execute([taken])
    with pytest.raises(ReplayRefused, match="exists_with_different"):
        world.replay(written(tmp_path), found)


def test_a_transfer_that_the_ledger_refuses(tmp_path: Path) -> None:
    """A wallet with a limit serves; what it refuses is told by row with the ledger's word."""
    world, found = HistoryWorld(tmp_path), history(tmp_path, sales=SALES)
    world.clock.set(JANUARY - DAY)
    floored = found.plan.accounts[:1].copy()
    floored["flags"] = int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
    world.execute([floored])
    outcome = world.replay(written(tmp_path), found)
    assert rejected(outcome.rejected) == [
        ("sale", 1, "exceeds_credits", Reason.REFUSED),
        ("sale", 3, "exceeds_credits", Reason.REFUSED),
    ]
    assert outcome.accounts_before == 1


def test_a_ledger_that_has_gone_on(tmp_path: Path) -> None:
    """Where the ledger's last transfer is later, every sale is older; facts are taken."""
    world, found = HistoryWorld(tmp_path), history(tmp_path, sales=SALES)
    world.clock.set(JANUARY + 1_000 * DAY)
    world.execute([account_array([Account(id=n, ledger=978, code=1) for n in (1, 2)])])
    paid = Transfer(id=9, debit_account_id=1, credit_account_id=2, amount=1, ledger=978, code=1)
    world.execute([transfer_array([paid])])
    outcome = world.replay(written(tmp_path), found)
    assert {one[3] for one in rejected(outcome.rejected)} == {Reason.OLDER_THAN_JOURNAL}
    assert (outcome.created, len(outcome.rejected)) == ({1: 1}, 4)


SALE = st.tuples(
    st.integers(0, 40), st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 10**6), st.booleans()
)


@settings(max_examples=25)
@given(rows=st.lists(SALE, max_size=30))
def test_any_history_comes_once(
    rows: list[tuple[int, str, str, int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the times and ties: amounts arrive, stamps grow, no label is early, again is nothing."""
    folder = tmp_path_factory.mktemp("history")
    sales = HEADER + "".join(
        f"{n},{JANUARY + quarter * DAY // 4},{buyer},{seller},{cents / 100:.2f},{int(fraud)}\n"
        for n, (quarter, buyer, seller, cents, fraud) in enumerate(rows)
    )
    text = MAPPING.replace("{column: at}", "{column: at, step: 1ns}")
    mapping, world = written(folder, text, sales=sales), HistoryWorld(folder)
    outcome = world.replay(mapping, history(folder, text, sales=sales))
    assert sum(outcome.created.values()) == len(rows) + sum(row[4] for row in rows)
    transfers = [row for _, what, row in world.rows() if what == "transfer"]
    assert sum(int(row["amount"]) for row in transfers) == sum(row[3] for row in rows)
    stamps = [int(row["timestamp"]) for row in transfers]
    assert stamps == sorted(set(stamps))
    known = JANUARY
    for _, what, row in world.rows():
        if what == "transfer":
            known = int(row["timestamp"])
        else:
            at = msgspec.json.decode(row.body, type=FactsRecorded).at
            assert max(at) + 7 * DAY >= known - len(rows)
    position = world.position
    world.replay(mapping, history(folder, text, sales=sales))
    assert world.position == position
