"""Linked chains: all or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.factory.ledger import (
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
    transfer_array,
)
from tests.factory.ledger.kit import SECOND, Bench
from tests.factory.ledger.oracle import NO_TOTALS, unpack

S, A, F, G = CreateTransferStatus, CreateAccountStatus, TransferFlags, AccountFlags
LINKED = int(F.LINKED)
FUNDED, OTHER, FLOORED = 1, 2, 3


@pytest.fixture
def bench() -> Bench:
    """Return a bench with a floored account that has nothing."""
    bench = Bench()
    bench.accounts(
        Account(id=FUNDED, ledger=1, code=1),
        Account(id=OTHER, ledger=1, code=1),
        Account(id=FLOORED, ledger=1, code=1, flags=G.DEBITS_MUST_NOT_EXCEED_CREDITS),
    )
    return bench


def move(number: int, debit: int, credit: int, *, amount: int = 10, flags: int = LINKED) -> Transfer:
    """Return a transfer, linked unless told otherwise."""
    return Transfer(
        id=number,
        debit_account_id=debit,
        credit_account_id=credit,
        amount=amount,
        ledger=1,
        code=1,
        flags=flags,
    )


def test_members_see_earlier_members(bench: Bench) -> None:
    """Money that one member brings is there for the next."""
    chain = [move(1, FUNDED, FLOORED), move(2, FLOORED, OTHER, flags=0)]
    assert bench.transfers(*chain) == [S.CREATED, S.CREATED]
    bench.check()


def test_a_broken_chain_leaves_nothing(bench: Bench) -> None:
    """The breaker keeps its status, all others fail, and later events see none of it."""
    chain = [
        move(1, FUNDED, FLOORED),
        move(2, FLOORED, OTHER, amount=11),
        move(3, FUNDED, OTHER, flags=0),
        move(4, FLOORED, OTHER, flags=0),
    ]
    assert bench.transfers(*chain) == [
        S.LINKED_EVENT_FAILED,
        S.EXCEEDS_CREDITS,
        S.LINKED_EVENT_FAILED,
        S.EXCEEDS_CREDITS,
    ]
    assert len(bench.ledger.lookup_transfers([1, 2, 3])) == 0
    bench.check()


def test_no_member_of_a_broken_chain_is_answered_totals(bench: Bench) -> None:
    """The totals a member saw were undone; telling them would mislead."""
    answers = bench.answers(move(1, FUNDED, FLOORED), move(2, FLOORED, OTHER, amount=11, flags=0))
    assert [answer.totals for answer in answers] == [NO_TOTALS, NO_TOTALS]


def test_only_the_breaker_s_id_is_burnt(bench: Bench) -> None:
    """Ids of the other members are free; the breaker's is burnt, for its reason depends on state."""
    bench.transfers(move(1, FUNDED, OTHER), move(2, FLOORED, OTHER), move(3, FUNDED, OTHER, flags=0))
    again = [move(number, FUNDED, OTHER, flags=0) for number in (1, 2, 3)]
    assert bench.transfers(*again) == [S.CREATED, S.ID_ALREADY_FAILED, S.CREATED]


def test_a_breaker_with_a_static_fault_burns_nothing(bench: Bench) -> None:
    """A bad field can be put right."""
    broken = [move(1, FUNDED, OTHER), replace(move(2, FUNDED, OTHER, flags=0), code=0)]
    assert bench.transfers(*broken) == [S.LINKED_EVENT_FAILED, S.CODE_MUST_NOT_BE_ZERO]
    assert bench.transfers(move(1, FUNDED, OTHER), move(2, FUNDED, OTHER, flags=0)) == [S.CREATED, S.CREATED]


def test_members_after_the_breaker_are_not_looked_at(bench: Bench) -> None:
    """They fail with the chain whatever is wrong with them, and burn nothing."""
    assert bench.transfers(move(1, FLOORED, OTHER), move(0, 98, 99), move(3, 98, 99, flags=0)) == [
        S.EXCEEDS_CREDITS,
        S.LINKED_EVENT_FAILED,
        S.LINKED_EVENT_FAILED,
    ]
    assert bench.transfers(move(3, FUNDED, OTHER, flags=0)) == [S.CREATED]


def test_a_retried_chain_exists_and_does_nothing(bench: Bench) -> None:
    """`exists` breaks a chain too: its first member says so, with the original's time."""
    chain = [move(1, FUNDED, OTHER), move(2, FUNDED, OTHER), move(3, FUNDED, OTHER, flags=0)]
    first = bench.answers(*chain)
    again = bench.answers(*chain)
    assert [answer.status for answer in again] == [S.EXISTS, S.LINKED_EVENT_FAILED, S.LINKED_EVENT_FAILED]
    assert again[0].timestamp == first[0].timestamp
    assert again[0].totals == NO_TOTALS
    bench.check()


def test_an_open_chain_fails(bench: Bench) -> None:
    """A chain ends with its request: the last event that is still linked says so."""
    assert bench.transfers(move(1, FUNDED, OTHER), move(2, FUNDED, OTHER)) == [
        S.LINKED_EVENT_FAILED,
        S.LINKED_EVENT_CHAIN_OPEN,
    ]
    assert bench.transfers(move(1, 98, OTHER), move(2, FUNDED, OTHER)) == [
        S.DEBIT_ACCOUNT_NOT_FOUND,
        S.LINKED_EVENT_CHAIN_OPEN,
    ]
    bench.check()


def test_an_open_chain_does_not_reach_into_the_next_request(bench: Bench) -> None:
    """Requests of one group are apart: a chain that one leaves open is not the next one's."""
    opened, good = transfer_array([move(1, FUNDED, OTHER)]), transfer_array([move(2, FUNDED, OTHER, flags=0)])
    answers = bench.execute([opened, good])
    assert [[answer.status for answer in one] for one in answers] == [
        [S.LINKED_EVENT_CHAIN_OPEN],
        [S.CREATED],
    ]


def test_several_chains_in_one_request(bench: Bench) -> None:
    """One chain's failure is its own."""
    request = [
        move(1, FUNDED, OTHER),
        move(2, FLOORED, OTHER, flags=0),
        move(3, FUNDED, FLOORED),
        move(4, FLOORED, OTHER, flags=0),
        move(5, FLOORED, OTHER, flags=0),
    ]
    assert bench.transfers(*request) == [
        S.LINKED_EVENT_FAILED,
        S.EXCEEDS_CREDITS,
        S.CREATED,
        S.CREATED,
        S.EXCEEDS_CREDITS,
    ]
    bench.check()


def test_holds_of_a_broken_chain_are_as_before(bench: Bench) -> None:
    """A hold that a chain made is gone, one that it posted or voided is open again, with its timer."""
    pending = int(F.PENDING)
    bench.transfers(
        replace(move(1, FUNDED, OTHER, flags=pending), timeout=5), move(2, FUNDED, OTHER, flags=pending)
    )
    post = Transfer(id=3, pending_id=1, amount=10, flags=int(F.POST_PENDING_TRANSFER | F.LINKED))
    void = Transfer(id=4, pending_id=2, flags=int(F.VOID_PENDING_TRANSFER | F.LINKED))
    made = replace(move(5, FUNDED, OTHER, flags=pending | LINKED), timeout=1)
    assert bench.transfers(post, void, made, move(6, 98, OTHER, flags=0))[-1] == S.DEBIT_ACCOUNT_NOT_FOUND
    bench.check()
    gone = Transfer(id=7, pending_id=5, flags=int(F.VOID_PENDING_TRANSFER))
    assert bench.transfers(gone, replace(void, flags=int(F.VOID_PENDING_TRANSFER))) == [
        S.PENDING_TRANSFER_NOT_FOUND,
        S.CREATED,
    ]
    bench.clock.advance(6 * SECOND)
    bench.tick()
    expired = [row["pending_id"] for row in unpack(bench.ledger.rows) if row["status"] == S.EXPIRED]
    assert expired == [1]


def test_a_broken_chain_opens_no_other_hold_again(bench: Bench) -> None:
    """Only what the chain itself ended is open again; a hold that had ended before has still ended."""
    pending = int(F.PENDING)
    bench.transfers(*(move(number, FUNDED, OTHER, flags=pending) for number in (1, 2, 3)))
    posts = [
        Transfer(id=10 + number, pending_id=number, amount=10, flags=int(F.POST_PENDING_TRANSFER))
        for number in (1, 2, 3)
    ]
    assert bench.transfers(posts[0]) == [S.CREATED]
    chain = [replace(post, flags=post.flags | LINKED) for post in posts[1:]]
    assert bench.transfers(*chain, move(20, FLOORED, OTHER, flags=0))[-1] == S.EXCEEDS_CREDITS
    again = replace(posts[0], id=21)
    assert bench.transfers(again, *posts[1:]) == [S.PENDING_TRANSFER_ALREADY_POSTED, S.CREATED, S.CREATED]
    bench.check()


def test_a_hold_that_a_chain_makes_expires(bench: Bench) -> None:
    """The timers of a chain are set when it holds together."""
    pending = int(F.PENDING)
    chain = [
        replace(move(1, FUNDED, OTHER, flags=pending | LINKED), timeout=1),
        move(2, FUNDED, OTHER, flags=0),
    ]
    assert bench.transfers(*chain) == [S.CREATED, S.CREATED]
    bench.clock.advance(2 * SECOND)
    bench.tick()
    assert unpack(bench.ledger.rows)[-1]["pending_id"] == 1
    bench.check()


def test_nothing_expires_inside_a_chain(bench: Bench) -> None:
    """Time stands still within a chain, but a hold whose end has come can no longer be posted."""
    bench.transfers(replace(move(1, FUNDED, OTHER, flags=int(F.PENDING)), timeout=1))
    (held,) = unpack(bench.ledger.lookup_transfers([1]))
    bench.clock.set(held["timestamp"] + SECOND - 1)
    post = Transfer(id=3, pending_id=1, amount=10, flags=int(F.POST_PENDING_TRANSFER))
    chain = [move(2, FUNDED, OTHER), post]
    assert bench.transfers(*chain) == [S.LINKED_EVENT_FAILED, S.PENDING_TRANSFER_EXPIRED]
    chain = [move(4, FUNDED, OTHER), move(5, FUNDED, OTHER, flags=0)]
    assert bench.transfers(*chain) == [S.CREATED, S.CREATED]
    positions = {row["id"] or row["pending_id"]: row["status"] for row in unpack(bench.ledger.rows)[1:]}
    assert list(positions) == [1, 4, 5]


def test_accounts_are_chained_too(bench: Bench) -> None:
    """Accounts are opened together or not at all, and their ids stay free."""
    linked = int(G.LINKED)
    good = Account(id=10, ledger=1, code=1, flags=linked)
    assert bench.accounts(good, Account(id=11, ledger=1, code=0)) == [
        A.LINKED_EVENT_FAILED,
        A.CODE_MUST_NOT_BE_ZERO,
    ]
    assert len(bench.ledger.lookup_accounts([10, 11])) == 0
    assert bench.accounts(good, Account(id=11, ledger=1, code=1)) == [A.CREATED, A.CREATED]
    assert bench.accounts(good, Account(id=12, ledger=1, code=1)) == [A.EXISTS, A.LINKED_EVENT_FAILED]
    assert bench.accounts(Account(id=13, ledger=1, code=1, flags=linked)) == [A.LINKED_EVENT_CHAIN_OPEN]
    bench.check()


def test_a_broken_chain_leaves_positions_without_gaps(bench: Bench) -> None:
    """Rows that were undone leave no hole, and stamps go on."""
    bench.transfers(move(1, FUNDED, OTHER), move(2, FUNDED, OTHER), move(3, FLOORED, OTHER, flags=0))
    bench.transfers(move(4, FUNDED, OTHER, flags=0))
    assert [row["position"] for row in unpack(bench.ledger.rows)] == [4, 5]
    bench.check()
