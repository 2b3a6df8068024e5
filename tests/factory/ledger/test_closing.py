"""Closing an account, and opening it again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFlags,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
)
from tests.factory.ledger.kit import SECOND, Bench

S, F, G = CreateTransferStatus, TransferFlags, AccountFlags
LEAVING, OTHER, THIRD, BORN_CLOSED = 1, 2, 3, 4
CLOSE = Transfer(
    id=10,
    debit_account_id=LEAVING,
    credit_account_id=OTHER,
    amount=0,
    ledger=1,
    code=1,
    flags=int(F.PENDING | F.CLOSING_DEBIT),
)
MOVE = replace(CLOSE, id=20, flags=0, amount=5)
VOID = Transfer(id=30, pending_id=CLOSE.id, flags=int(F.VOID_PENDING_TRANSFER))


@pytest.fixture
def bench() -> Bench:
    """Return a bench with three open accounts and one that was opened closed."""
    bench = Bench()
    bench.accounts(*(Account(id=number, ledger=1, code=1) for number in (LEAVING, OTHER, THIRD)))
    bench.accounts(Account(id=BORN_CLOSED, ledger=1, code=1, flags=G.CLOSED))
    return bench


def is_closed(bench: Bench, account_id: int) -> bool:
    """Tell whether a look-up shows the account as closed."""
    return bool(bench.ledger.lookup_accounts([account_id])["flags"][0] & G.CLOSED)


def test_a_closing_transfer_closes_at_once(bench: Bench) -> None:
    """While the closing hold is open nothing moves on the account, on either side."""
    incoming = replace(MOVE, id=21, debit_account_id=OTHER, credit_account_id=LEAVING)
    assert bench.transfers(CLOSE, MOVE, incoming) == [
        S.CREATED,
        S.DEBIT_ACCOUNT_ALREADY_CLOSED,
        S.CREDIT_ACCOUNT_ALREADY_CLOSED,
    ]
    assert is_closed(bench, LEAVING)
    assert not is_closed(bench, OTHER)


@pytest.mark.parametrize(
    ("flags", "closed"),
    [
        (F.CLOSING_DEBIT, [LEAVING]),
        (F.CLOSING_CREDIT, [OTHER]),
        (F.CLOSING_DEBIT | F.CLOSING_CREDIT, [LEAVING, OTHER]),
    ],
)
def test_either_side_or_both_are_closed_and_opened_again(
    bench: Bench, flags: TransferFlags, closed: list[int]
) -> None:
    """The flags say which side; the void opens exactly what was closed."""
    bench.transfers(replace(CLOSE, flags=int(F.PENDING | flags)))
    assert [number for number in (LEAVING, OTHER) if is_closed(bench, number)] == closed
    assert bench.transfers(VOID) == [S.CREATED]
    assert not is_closed(bench, LEAVING)
    assert not is_closed(bench, OTHER)
    bench.check()


@pytest.mark.parametrize("flag", [F.CLOSING_DEBIT, F.CLOSING_CREDIT])
def test_only_a_hold_closes(bench: Bench, flag: TransferFlags) -> None:
    """What moves money at once closes neither side."""
    assert bench.transfers(replace(MOVE, flags=int(flag))) == [S.CLOSING_TRANSFER_MUST_BE_PENDING]
    assert bench.transfers(MOVE) == [S.CREATED]


def test_a_closing_hold_that_expires_opens_again(bench: Bench) -> None:
    """Expiry does what a void does."""
    bench.transfers(replace(CLOSE, timeout=1))
    bench.clock.advance(2 * SECOND)
    assert bench.transfers(MOVE) == [S.CREATED]
    bench.check()


def test_a_closing_hold_cannot_be_posted(bench: Bench) -> None:
    """Its account is closed, by itself: it can only be voided, or expire."""
    post = Transfer(id=31, pending_id=CLOSE.id, amount=AMOUNT_MAX, flags=int(F.POST_PENDING_TRANSFER))
    assert bench.transfers(CLOSE, post, VOID) == [S.CREATED, S.DEBIT_ACCOUNT_ALREADY_CLOSED, S.CREATED]
    assert bench.transfers(post) == [S.ID_ALREADY_FAILED]


def test_holds_of_a_closed_account_can_be_voided_only(bench: Bench) -> None:
    """An older hold's money can go back; it can be posted when the account is open again."""
    holds = [replace(MOVE, id=number, flags=int(F.PENDING)) for number in (40, 41, 42)]
    posts = [
        Transfer(id=number + 10, pending_id=number, amount=5, flags=int(F.POST_PENDING_TRANSFER))
        for number in (40, 41)
    ]
    void = Transfer(id=52, pending_id=42, flags=int(F.VOID_PENDING_TRANSFER))
    assert bench.transfers(*holds, CLOSE, posts[0], void) == [S.CREATED] * 4 + [
        S.DEBIT_ACCOUNT_ALREADY_CLOSED,
        S.CREATED,
    ]
    assert is_closed(bench, LEAVING)
    assert bench.transfers(VOID, posts[1]) == [S.CREATED, S.CREATED]
    bench.check()


def test_a_void_of_another_hold_opens_nothing(bench: Bench) -> None:
    """Only the end of the closing hold itself opens the account."""
    hold = replace(MOVE, id=40, flags=int(F.PENDING))
    bench.transfers(hold, CLOSE, replace(VOID, id=41, pending_id=40))
    assert is_closed(bench, LEAVING)


def test_an_account_opened_closed_stays_closed(bench: Bench) -> None:
    """It never had a closing hold that could end."""
    into = replace(MOVE, credit_account_id=BORN_CLOSED)
    assert bench.transfers(into) == [S.CREDIT_ACCOUNT_ALREADY_CLOSED]
    bench.check()


def test_a_broken_chain_closes_nothing(bench: Bench) -> None:
    """Closing and opening are undone with everything else."""
    linked = int(F.LINKED)
    fails = replace(MOVE, id=99, debit_account_id=98)
    bench.transfers(replace(CLOSE, flags=CLOSE.flags | linked), fails)
    assert not is_closed(bench, LEAVING)
    bench.transfers(CLOSE)
    bench.transfers(replace(VOID, flags=VOID.flags | linked), replace(fails, id=97))
    assert is_closed(bench, LEAVING)
    bench.check()
