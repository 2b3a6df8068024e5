"""Holds: reserved, then posted, voided or expired; exactly one of these, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from formicary.factory.ledger import (
    ACCOUNT_RESULT,
    AMOUNT_MAX,
    TRANSFER_RESULT,
    Account,
    AccountFlags,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
    account_array,
    machine,
    transfer_array,
)
from tests.factory.ledger.kit import SECOND, Bench
from tests.factory.ledger.oracle import unpack
from tests.factory.ledger.oracle_rules import Record

S, F = CreateTransferStatus, TransferFlags
PAYER, PAYEE, BANK = 1, 2, 3
POST, VOID = int(F.POST_PENDING_TRANSFER), int(F.VOID_PENDING_TRANSFER)
FUNDS: Final = 100


@pytest.fixture
def bench() -> Bench:
    """Return a bench on which the payer has 100 and cannot overdraw."""
    bench = Bench()
    floor = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    bench.accounts(
        Account(id=PAYER, ledger=1, code=1, flags=floor),
        Account(id=PAYEE, ledger=1, code=1),
        Account(id=BANK, ledger=1, code=1),
    )
    funding = Transfer(id=1, debit_account_id=BANK, credit_account_id=PAYER, amount=FUNDS, ledger=1, code=1)
    assert bench.transfers(funding) == [S.CREATED]
    return bench


def hold(number: int, amount: int, *, timeout: int = 0, user_data_64: int = 0) -> Transfer:
    """Return a hold of the payer's money for the payee."""
    return Transfer(
        id=number,
        debit_account_id=PAYER,
        credit_account_id=PAYEE,
        amount=amount,
        ledger=1,
        code=7,
        flags=int(F.PENDING),
        timeout=timeout,
        user_data_64=user_data_64,
    )


def resolve(number: int, hold_id: int, amount: int, flags: int, *, user_data_64: int = 0) -> Transfer:
    """Return a post or void that leaves everything else to the hold."""
    return Transfer(id=number, pending_id=hold_id, amount=amount, flags=flags, user_data_64=user_data_64)


def account(bench: Bench, account_id: int) -> Record:
    """Return an account as it is now."""
    return unpack(bench.ledger.lookup_accounts([account_id]))[0]


def expiries(bench: Bench) -> list[tuple[int, int]]:
    """Return (hold, timestamp) of every expiry so far, in order."""
    rows = unpack(bench.ledger.rows)
    return [(row["pending_id"], row["timestamp"]) for row in rows if row["status"] == S.EXPIRED]


def expired_rows(bench: Bench) -> list[int]:
    """Return the positions of the expiries in memory, of which the ledger may not have taken note yet."""
    rows = bench.ledger._machine.recent_rows(0)
    return [int(row["position"]) for row in rows if row["status"] == S.EXPIRED]


def test_a_hold_reserves_and_moves_nothing(bench: Bench) -> None:
    """A pending transfer adds to the pending totals only, and what it holds cannot be spent twice."""
    assert bench.transfers(hold(10, 60), hold(11, 41)) == [S.CREATED, S.EXCEEDS_CREDITS]
    assert account(bench, PAYER)["debits_pending"] == 60
    assert account(bench, PAYEE)["credits_pending"] == 60
    assert account(bench, PAYEE)["credits_posted"] == 0


@pytest.mark.parametrize(("amount", "posted"), [(AMOUNT_MAX, 60), (60, 60), (25, 25), (0, 0)])
def test_a_post_moves_its_amount_and_releases_the_rest(bench: Bench, amount: int, posted: int) -> None:
    """All, part or none of a hold can be posted; afterwards nothing is held."""
    assert bench.transfers(hold(10, 60), resolve(11, 10, amount, POST)) == [S.CREATED, S.CREATED]
    payer = account(bench, PAYER)
    assert (payer["debits_pending"], payer["debits_posted"]) == (0, posted)
    (post,) = unpack(bench.ledger.lookup_transfers([11]))
    assert (post["amount"], post["debit_account_id"], post["ledger"], post["code"]) == (posted, PAYER, 1, 7)


@pytest.mark.parametrize("amount", [0, 60])
def test_a_void_releases_everything(bench: Bench, amount: int) -> None:
    """A void names no amount or the held one, and leaves the totals as they were."""
    before = account(bench, PAYER)
    assert bench.transfers(hold(10, 60), resolve(11, 10, amount, VOID)) == [S.CREATED, S.CREATED]
    assert account(bench, PAYER) == before
    (void,) = unpack(bench.ledger.lookup_transfers([11]))
    assert void["amount"] == 60


@pytest.mark.parametrize(("flags", "answer"), [(POST, "POSTED"), (VOID, "VOIDED")])
def test_a_hold_ends_once(bench: Bench, flags: int, answer: str) -> None:
    """Whatever ended a hold, a second end is refused, and moves nothing."""
    amount = AMOUNT_MAX if flags == POST else 0
    bench.transfers(hold(10, 60), resolve(11, 10, amount, flags))
    before = account(bench, PAYER)
    second = [resolve(12, 10, AMOUNT_MAX, POST), resolve(13, 10, 0, VOID)]
    assert bench.transfers(*second) == [S[f"PENDING_TRANSFER_ALREADY_{answer}"]] * 2
    assert account(bench, PAYER) == before


@pytest.mark.parametrize(
    "flags",
    [
        POST | VOID,
        *(
            POST | int(flag)
            for flag in (
                F.PENDING,
                F.BALANCING_DEBIT,
                F.BALANCING_CREDIT,
                F.CLOSING_DEBIT,
                F.CLOSING_CREDIT,
            )
        ),
    ],
)
def test_a_resolution_is_nothing_else(bench: Bench, flags: int) -> None:
    """It posts or voids, and neither holds, balances nor closes; put right, it is made."""
    assert bench.transfers(hold(10, 60), resolve(11, 10, 60, flags)) == [
        S.CREATED,
        S.FLAGS_ARE_MUTUALLY_EXCLUSIVE,
    ]
    assert bench.transfers(resolve(11, 10, 60, POST)) == [S.CREATED]


def test_user_data_is_inherited_or_replaced(bench: Bench) -> None:
    """A post takes the hold's user data where its own is zero."""
    bench.transfers(hold(10, 5, user_data_64=7), resolve(11, 10, AMOUNT_MAX, POST))
    bench.transfers(hold(20, 5, user_data_64=7), resolve(21, 20, AMOUNT_MAX, POST, user_data_64=8))
    posts = unpack(bench.ledger.lookup_transfers([11, 21]))
    assert [post["user_data_64"] for post in posts] == [7, 8]


def test_a_post_never_fails_for_funds(bench: Bench) -> None:
    """The hold has the money: the account being otherwise empty does not matter."""
    spend = Transfer(id=11, debit_account_id=PAYER, credit_account_id=BANK, amount=40, ledger=1, code=1)
    assert bench.transfers(hold(10, 60), spend, resolve(12, 10, 60, POST)) == [S.CREATED] * 3


def test_a_hold_expires_at_its_due_time(bench: Bench) -> None:
    """The nanosecond before the end a post succeeds; at the end the hold has expired by itself."""
    bench.transfers(hold(10, 30, timeout=1), hold(11, 30, timeout=1))
    first, second = (transfer["timestamp"] for transfer in unpack(bench.ledger.lookup_transfers([10, 11])))
    bench.clock.set(first + SECOND - 1)
    assert bench.transfers(resolve(12, 10, 30, POST)) == [S.CREATED]
    bench.clock.set(second + SECOND)
    assert bench.transfers(resolve(13, 11, 30, POST)) == [S.PENDING_TRANSFER_EXPIRED]
    assert expiries(bench) == [(11, second + SECOND)]
    assert account(bench, PAYER)["debits_pending"] == 0


def test_a_hold_may_last_until_the_end_of_time(bench: Bench) -> None:
    """It can fall due in the last nanosecond there is, and not one later."""
    bench.clock.set(AMOUNT_MAX - 5 * SECOND)
    assert bench.transfers(hold(10, 1, timeout=5), hold(11, 1, timeout=5)) == [
        S.CREATED,
        S.OVERFLOWS_TIMEOUT,
    ]
    assert bench.ledger._machine.due == AMOUNT_MAX


def test_expiries_run_in_order_of_their_time(bench: Bench) -> None:
    """A later hold with a shorter timeout expires first, and each row bears its own due time."""
    bench.transfers(hold(10, 1, timeout=3), hold(11, 1, timeout=1), hold(12, 1), hold(13, 1, timeout=2))
    bench.clock.advance(10 * SECOND)
    bench.tick()
    assert [hold_id for hold_id, _ in expiries(bench)] == [11, 13, 10]
    assert account(bench, PAYER)["debits_pending"] == 1
    bench.check()


def test_an_expiry_s_row_is_as_the_hold(bench: Bench) -> None:
    """The row names the hold, its accounts, amount and user data, and the totals it left."""
    bench.transfers(hold(10, 30, timeout=1, user_data_64=7))
    bench.clock.advance(2 * SECOND)
    bench.tick()
    row = unpack(bench.ledger.rows)[-1]
    assert (row["id"], row["pending_id"], row["amount"], row["code"], row["user_data_64"]) == (
        0,
        10,
        30,
        7,
        7,
    )
    assert (row["debit_account_id"], row["credit_account_id"]) == (PAYER, PAYEE)
    assert (row["debit_debits_pending"], row["debit_credits_posted"], row["credit_credits_pending"]) == (
        0,
        FUNDS,
        0,
    )


def test_accounts_pass_time_too(bench: Bench) -> None:
    """Opening an account runs what is due before it, as a transfer does."""
    bench.transfers(hold(10, 30, timeout=1))
    bench.clock.advance(2 * SECOND)
    bench.accounts(Account(id=9, ledger=1, code=1))
    assert [hold_id for hold_id, _ in expiries(bench)] == [10]
    bench.check()


def test_reading_does_not_pass_time(bench: Bench) -> None:
    """A hold that is due is still there until something is executed."""
    bench.transfers(hold(10, 30, timeout=1))
    bench.clock.advance(2 * SECOND)
    assert account(bench, PAYER)["debits_pending"] == 30
    bench.tick()
    assert account(bench, PAYER)["debits_pending"] == 0


def test_a_resolved_hold_does_not_expire(bench: Bench) -> None:
    """The timer of a posted or voided hold does nothing."""
    bench.transfers(hold(10, 30, timeout=1), hold(11, 30, timeout=1))
    bench.transfers(resolve(12, 10, 30, POST), resolve(13, 11, 0, VOID))
    bench.clock.advance(2 * SECOND)
    bench.tick()
    assert expiries(bench) == []
    bench.check()


def test_money_that_expires_can_be_spent_by_the_same_request(bench: Bench) -> None:
    """What is due before an event is released before it is decided."""
    bench.transfers(hold(10, FUNDS, timeout=1))
    assert bench.transfers(hold(11, 1)) == [S.EXCEEDS_CREDITS]
    bench.clock.advance(2 * SECOND)
    assert bench.transfers(hold(12, FUNDS)) == [S.CREATED]


def test_more_holds_than_one_step_expires(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are due, all expire, before the next event and in a tick."""
    monkeypatch.setattr(machine, "TIMERS_PER_STEP_MAX", 3)
    bench.transfers(*(hold(number, 1, timeout=1) for number in range(10, 20)))
    bench.transfers(*(hold(number, 1, timeout=5) for number in range(20, 30)))
    bench.clock.advance(2 * SECOND)
    assert bench.transfers(hold(40, FUNDS - 10)) == [S.CREATED]
    assert len(expiries(bench)) == 10
    bench.clock.advance(5 * SECOND)
    bench.tick()
    assert len(expiries(bench)) == 20
    bench.check()


@pytest.mark.parametrize("kind", ["transfers", "accounts"])
def test_a_step_stops_where_it_expired_its_share(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The share is one step's, whatever events the holds fall due before: the rest waits for the next."""
    monkeypatch.setattr(machine, "TIMERS_PER_STEP_MAX", 3)
    bench.transfers(*(hold(number, 1, timeout=1) for number in range(10, 15)))
    ledger = bench.ledger._machine
    ledger.reserve(accounts=3, transfers=3)
    decide: Callable[..., int]
    if kind == "transfers":
        items, decide = transfer_array([hold(number, 1) for number in (20, 21, 22)]), ledger.decide_transfers
        results = np.zeros(3, TRANSFER_RESULT)
    else:
        accounts = [Account(id=number, ledger=1, code=1) for number in (20, 21, 22)]
        items, decide = account_array(accounts), ledger.decide_accounts
        results = np.zeros(3, ACCOUNT_RESULT)
    assert ledger.due is not None
    # The holds fall due nanosecond by nanosecond: three before the first event, one before each other.
    first_stamp = ledger.due + 2
    assert decide(items, np.arange(3), results, first_stamp=first_stamp) == 1
    assert len(expired_rows(bench)) == 3
    assert decide(items, np.arange(3), results, first_stamp=first_stamp, start=1) == 3
    assert len(expired_rows(bench)) == 5


def test_no_stamp_is_before_an_expiry(bench: Bench) -> None:
    """A clock that goes back after a tick does not take the expiries' time back: the next event has it."""
    bench.transfers(hold(10, 30, timeout=1))
    due = bench.ledger._machine.due
    assert due is not None
    bench.clock.set(due + 5)
    bench.tick()
    bench.clock.set(due - 100)
    (answer,) = bench.answers(hold(11, 1))
    assert answer.timestamp == due


def test_a_timer_of_others_comes_before_later_holds(bench: Bench) -> None:
    """Holds that fall due before it expire; it stops the step, which goes on when it has been taken."""
    bench.transfers(hold(10, 1, timeout=1), hold(11, 1, timeout=3))
    ledger = bench.ledger._machine
    assert ledger.due is not None
    first, other = ledger.due, ledger.due + SECOND
    ledger.set_timer(other, 77)
    assert ledger.take_timer(other) is None
    assert not ledger.tick(first + 5 * SECOND)
    assert len(expired_rows(bench)) == 1
    assert (ledger.due, ledger.take_timer(other - 1)) == (other, None)
    assert ledger.take_timer(other) == 77
    assert ledger.tick(first + 5 * SECOND)
    assert len(expired_rows(bench)) == 2
    assert ledger.due is None


def test_a_retried_hold_after_it_expired_reserves_nothing(bench: Bench) -> None:
    """The retry is answered `exists` with the totals of then; there is no new reservation."""
    bench.transfers(hold(10, 30, timeout=1))
    bench.clock.advance(2 * SECOND)
    (answer,) = bench.answers(hold(10, 30, timeout=1))
    assert answer.status == S.EXISTS
    assert answer.totals[0] == 30
    assert account(bench, PAYER)["debits_pending"] == 0


def test_open_holds_are_counted(bench: Bench) -> None:
    """The count grows with each hold and shrinks with each end: posted, voided, expired."""
    counts = []
    for transfer in (
        hold(10, 5),
        hold(11, 5),
        hold(12, 5, timeout=1),
        resolve(13, 10, 5, POST),
        resolve(14, 11, 0, VOID),
    ):
        assert bench.transfers(transfer) == [S.CREATED]
        counts.append(bench.ledger._machine.open_holds)
    assert counts == [1, 2, 3, 2, 1]
    bench.clock.advance(2 * SECOND)
    bench.tick()
    assert bench.ledger._machine.open_holds == 0
