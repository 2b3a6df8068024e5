"""Look-ups and queries: what is found, in which order, and that a filter is never an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.base.limits import QUERY_LIMIT_MAX, REQUEST_ITEMS_MAX
from formicary.factory.ledger import (
    AMOUNT_MAX,
    TRANSFER,
    Account,
    AccountFilter,
    CreateTransferStatus,
    Ledger,
    MalformedRequest,
    QueryFilter,
    RequestTooLarge,
    Transfer,
    TransferFlags,
    account_array,
    id_column,
    views,
)
from tests.factory.ledger.kit import SECOND, Bench
from tests.factory.ledger.oracle import unpack

S, F = CreateTransferStatus, TransferFlags
HIGH = 1 << 100


@pytest.fixture(scope="module")
def bench() -> Bench:
    """Return a bench on which six transfers were made, one id burnt and one hold expired."""
    bench = Bench()
    bench.accounts(
        Account(id=1, ledger=1, code=1, user_data_128=HIGH, user_data_64=6, user_data_32=3),
        Account(id=2, ledger=1, code=2, user_data_64=6),
        Account(id=3, ledger=1, code=2, user_data_32=3),
        Account(id=HIGH, ledger=2, code=1),
    )
    base = Transfer(id=10, debit_account_id=1, credit_account_id=2, amount=5, ledger=1, code=1)
    transfers = [
        base,
        replace(base, id=11, debit_account_id=2, credit_account_id=1, code=2, user_data_128=HIGH),
        replace(base, id=12, debit_account_id=1, credit_account_id=3, user_data_64=6),
        replace(base, id=13, debit_account_id=3, credit_account_id=2, user_data_32=3),
        replace(base, id=14, flags=int(F.PENDING), timeout=1, user_data_64=6),
        replace(base, id=15, debit_account_id=99),
        Transfer(id=16, pending_id=14, amount=AMOUNT_MAX, flags=int(F.POST_PENDING_TRANSFER)),
        replace(base, id=17, flags=int(F.PENDING), timeout=1),
    ]
    bench.transfers(*transfers)
    bench.clock.advance(5 * SECOND)
    bench.tick()
    return bench


def stamp(bench: Bench, number: int) -> int:
    """Return when a transfer was made."""
    return int(bench.ledger.lookup_transfers([number])["timestamp"][0])


def test_look_ups_keep_the_order_asked_and_leave_out_the_unknown(bench: Bench) -> None:
    """Unknown and burnt ids are left out, an id asked twice is found twice."""
    assert id_column(bench.ledger.lookup_accounts([HIGH, 98, 1, 2, 1])) == [HIGH, 1, 2, 1]
    assert id_column(bench.ledger.lookup_transfers([16, 15, 10, 98, 0, 16])) == [16, 10, 16]
    assert len(bench.ledger.lookup_accounts([])) == len(bench.ledger.lookup_transfers([])) == 0


def test_a_look_up_shows_what_is_stored(bench: Bench) -> None:
    """An account with its totals; a post with the amount it posted and what it took from its hold."""
    (account,) = unpack(bench.ledger.lookup_accounts([1]))
    assert (account["user_data_128"], account["user_data_64"], account["user_data_32"]) == (HIGH, 6, 3)
    assert (account["debits_posted"], account["credits_posted"], account["debits_pending"]) == (15, 5, 0)
    (post,) = unpack(bench.ledger.lookup_transfers([16]))
    assert (post["amount"], post["debit_account_id"], post["user_data_64"], post["pending_id"]) == (
        5,
        1,
        6,
        14,
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, [10, 11, 12, 14, 16, 17]),
        ({"credits": False}, [10, 12, 14, 16, 17]),
        ({"debits": False}, [11]),
        ({"debits": False, "credits": False}, []),
        ({"reversed": True}, [17, 16, 14, 12, 11, 10]),
        ({"limit": 2}, [10, 11]),
        ({"limit": 2, "reversed": True}, [17, 16]),
        ({"limit": 0}, []),
        ({"code": 2}, [11]),
        ({"user_data_128": HIGH}, [11]),
        ({"user_data_128": 1}, []),
        ({"user_data_64": 6}, [12, 14, 16]),
        ({"user_data_32": 3}, []),
        ({"user_data_64": 6, "code": 2}, []),
        ({"account_id": 99}, []),
        ({"account_id": HIGH}, []),
        ({"timestamp_min": -1}, []),
        ({"timestamp_max": -1}, []),
    ],
)
def test_the_transfers_of_an_account(bench: Bench, changes: dict[str, Any], found: list[int]) -> None:
    """Sides, fields, order and limit; expiries and burnt ids are no transfers."""
    wanted = AccountFilter(**({"account_id": 1} | changes))
    assert id_column(bench.ledger.get_account_transfers(wanted)) == found


def test_a_time_window_includes_its_ends(bench: Bench) -> None:
    """From the 12th to the 14th, both included; an empty window finds nothing."""
    first, last = stamp(bench, 12), stamp(bench, 14)
    window = AccountFilter(account_id=1, timestamp_min=first, timestamp_max=last)
    assert id_column(bench.ledger.get_account_transfers(window)) == [12, 14]
    assert len(bench.ledger.get_account_transfers(replace(window, timestamp_max=first - 1))) == 0
    at_once = QueryFilter(timestamp_min=first, timestamp_max=first)
    assert id_column(bench.ledger.query_transfers(at_once)) == [12]
    assert id_column(bench.ledger.query_transfers(QueryFilter(timestamp_min=last))) == [14, 16, 17]
    assert id_column(bench.ledger.query_transfers(QueryFilter(timestamp_max=first))) == [10, 11, 12]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (QueryFilter(), [1, 2, 3, HIGH]),
        (QueryFilter(ledger=1), [1, 2, 3]),
        (QueryFilter(code=1), [1, HIGH]),
        (QueryFilter(ledger=1, code=2, reversed=True), [3, 2]),
        (QueryFilter(user_data_64=6), [1, 2]),
        (QueryFilter(user_data_64=6, user_data_32=3), [1]),
        (QueryFilter(user_data_128=HIGH), [1]),
        (QueryFilter(limit=3), [1, 2, 3]),
        (QueryFilter(limit=0), []),
        (QueryFilter(limit=-1), []),
        (QueryFilter(timestamp_min=2, timestamp_max=1), []),
    ],
)
def test_queries_of_accounts(bench: Bench, wanted: QueryFilter, found: list[int]) -> None:
    """Every field that is not zero must match."""
    assert id_column(bench.ledger.query_accounts(wanted)) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (QueryFilter(), [10, 11, 12, 13, 14, 16, 17]),
        (QueryFilter(ledger=2), []),
        (QueryFilter(code=2), [11]),
        (QueryFilter(user_data_32=3), [13]),
        (QueryFilter(user_data_64=6, reversed=True), [16, 14, 12]),
        (QueryFilter(limit=1, reversed=True), [17]),
        (QueryFilter(limit=0), []),
    ],
)
def test_queries_of_transfers(bench: Bench, wanted: QueryFilter, found: list[int]) -> None:
    """The same for transfers; expiries and burnt ids are none."""
    assert id_column(bench.ledger.query_transfers(wanted)) == found


def test_no_query_returns_more_than_the_limit(bench: Bench) -> None:
    """However many are asked for."""
    rows = np.zeros(QUERY_LIMIT_MAX + 1, TRANSFER)
    assert len(views.cut(rows, QueryFilter(limit=QUERY_LIMIT_MAX + 1))) == QUERY_LIMIT_MAX
    assert len(bench.ledger.query_transfers(QueryFilter(limit=QUERY_LIMIT_MAX + 1))) == 7


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: np.zeros((2, 2), TRANSFER),
        lambda: np.zeros((), TRANSFER),
        lambda: np.zeros(3, np.int64),
    ],
)
def test_what_is_no_request_is_refused(request_of: Callable[[], Any]) -> None:
    """A request is a one-dimensional array of accounts or of transfers."""
    bench = Bench()
    with pytest.raises(MalformedRequest):
        bench.ledger.create_transfers(request_of())


def test_a_request_that_is_too_large_is_refused_with_its_group() -> None:
    """Nothing of the group is done, also not the requests before it."""
    bench = Bench()
    good = account_array([Account(id=1, ledger=1, code=1)])
    with pytest.raises(RequestTooLarge):
        bench.ledger.execute([good, np.zeros(REQUEST_ITEMS_MAX + 1, TRANSFER)])
    assert len(bench.ledger.lookup_accounts([1])) == 0
    assert len(bench.ledger.create_transfers(np.zeros(REQUEST_ITEMS_MAX, TRANSFER))) == REQUEST_ITEMS_MAX


def test_an_empty_request_has_an_empty_answer() -> None:
    """Also among others, of either kind; no time passes for it."""
    bench = Bench()
    nobody, nothing = account_array([]), np.zeros(0, TRANSFER)
    good = account_array([Account(id=1, ledger=1, code=1)])
    assert [len(answers) for answers in bench.execute([nobody, good, nobody, nothing])] == [0, 1, 0, 0]
    assert bench.ledger.execute([]) == []
    bench.check()


def test_a_strided_request_is_as_good() -> None:
    """A view into a larger array, which is not contiguous, is decided the same."""
    bench = Bench()
    accounts = account_array([Account(id=number, ledger=1, code=1) for number in range(1, 7)])
    (answers,) = bench.execute([accounts[::2]])
    assert [answer.status for answer in answers] == [S.CREATED] * 3
    assert id_column(bench.ledger.query_accounts(QueryFilter())) == [1, 3, 5]


def test_the_largest_request_of_each_kind() -> None:
    """8,189 linked events are one chain, and one that fails is undone as a whole."""
    ledger = Ledger(Bench().clock)
    count = REQUEST_ITEMS_MAX
    accounts = account_array([Account(id=number + 1, ledger=1, code=1) for number in range(count)])
    accounts["flags"][:-1] |= 1
    assert not ledger.create_accounts(accounts)["status"].any()
    transfers = np.zeros(count, TRANSFER)
    transfers["id_low"] = np.arange(1, count + 1)
    transfers["debit_account_id_low"] = np.arange(1, count + 1)
    transfers["credit_account_id_low"] = np.arange(count, 0, -1)
    transfers["credit_account_id_low"][count // 2] = 1
    transfers["amount"], transfers["ledger"], transfers["code"] = 1, 1, 1
    transfers["flags"][:-1] = F.LINKED
    transfers["code"][-1] = 0
    statuses = ledger.create_transfers(transfers)["status"]
    assert statuses[-1] == S.CODE_MUST_NOT_BE_ZERO
    assert set(statuses[:-1].tolist()) == {int(S.LINKED_EVENT_FAILED)}
    assert ledger.trial_balance() == {1: (0, 0, 0, 0)}
    transfers["code"][-1] = 1
    assert not ledger.create_transfers(transfers)["status"].any()
    assert ledger.trial_balance() == {1: (0, count, 0, count)}
