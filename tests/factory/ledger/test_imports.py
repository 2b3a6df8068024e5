"""Bringing history along: events with times of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from tests.factory.ledger.kit import SECOND, START, Bench

S, A, F, G = CreateTransferStatus, CreateAccountStatus, TransferFlags, AccountFlags
IMPORTED: Final = int(F.IMPORTED)
THEN: Final = START - 1_000 * SECOND


def old_account(number: int, timestamp: int) -> Account:
    """Return an imported account."""
    return Account(id=number, ledger=1, code=1, flags=int(G.IMPORTED), timestamp=timestamp)


def old_transfer(number: int, timestamp: int, *, flags: int = 0) -> Transfer:
    """Return an imported transfer."""
    return Transfer(
        id=number,
        debit_account_id=1,
        credit_account_id=2,
        amount=5,
        ledger=1,
        code=1,
        flags=IMPORTED | flags,
        timestamp=timestamp,
    )


@pytest.fixture
def bench() -> Bench:
    """Return a bench with two imported accounts."""
    bench = Bench()
    assert bench.accounts(old_account(1, THEN), old_account(2, THEN + 10)) == [A.CREATED, A.CREATED]
    return bench


def test_imported_events_keep_their_time(bench: Bench) -> None:
    """Answers, look-ups and rows carry the time that was brought; a retry finds it."""
    first, second, retry = bench.answers(
        old_transfer(1, THEN + 20), old_transfer(2, THEN + 21), old_transfer(1, THEN + 20)
    )
    assert [first.timestamp, second.timestamp, retry.timestamp] == [THEN + 20, THEN + 21, THEN + 20]
    assert retry.status == S.EXISTS
    assert bench.ledger.lookup_accounts([1, 2])["timestamp"].tolist() == [THEN, THEN + 10]
    assert bench.ledger.rows["timestamp"].tolist() == [THEN + 20, THEN + 21]
    bench.check()


def test_time_only_grows(bench: Bench) -> None:
    """A transfer must be after every transfer: at its own nanosecond is too early."""
    times = [THEN + 20, THEN + 20, THEN + 19, THEN + 21]
    answers = bench.transfers(*(old_transfer(number, time) for number, time in enumerate(times, 1)))
    regress = S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS
    assert answers == [S.CREATED, regress, regress, S.CREATED]


def test_imported_time_has_passed(bench: Bench) -> None:
    """The nanosecond in which the ledger stamps the event is too late, the one before is not."""
    now = START + SECOND
    bench.clock.set(now)
    assert bench.transfers(old_transfer(1, now)) == [S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE]
    assert bench.transfers(old_transfer(1, now)) == [S.CREATED]
    bench.clock.set(now + SECOND)
    now += SECOND
    assert bench.accounts(old_account(3, now)) == [A.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE]
    assert bench.accounts(old_account(3, now)) == [A.CREATED]


def test_a_regression_burns_nothing(bench: Bench) -> None:
    """The time can be put right."""
    bench.transfers(old_transfer(1, THEN + 20), old_transfer(2, THEN + 15))
    assert bench.transfers(old_transfer(2, THEN + 25)) == [S.CREATED]


def test_a_transfer_is_after_both_its_accounts(bench: Bench) -> None:
    """Later than the younger account, by a nanosecond at least."""
    bench.accounts(old_account(3, THEN + 30))
    swapped = replace(old_transfer(3, THEN + 5), debit_account_id=2, credit_account_id=1)
    assert bench.transfers(old_transfer(1, THEN + 5), swapped, old_transfer(2, THEN + 11)) == [
        S.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_CREDIT_ACCOUNT,
        S.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_DEBIT_ACCOUNT,
        S.CREATED,
    ]


@pytest.mark.parametrize("account", [0, 1, 2])
def test_a_transfer_is_at_no_account_s_nanosecond(account: int) -> None:
    """Timestamps are unique over accounts and transfers, whichever account it is."""
    bench = Bench()
    bench.accounts(*(old_account(number, THEN + 10 * number) for number in (1, 2, 3)))
    taken = bench.ledger.lookup_accounts([account + 1])["timestamp"][0]
    assert bench.transfers(old_transfer(1, int(taken))) == [S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS]
    assert bench.transfers(old_transfer(1, THEN + 31)) == [S.CREATED]


def test_an_account_is_after_everything(bench: Bench) -> None:
    """An imported account is later than every account and every transfer."""
    regress = A.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS
    assert bench.accounts(old_account(3, THEN + 10), old_account(3, THEN + 11)) == [regress, A.CREATED]
    bench.transfers(old_transfer(1, THEN + 20))
    assert bench.accounts(old_account(4, THEN + 20), old_account(4, THEN + 21)) == [regress, A.CREATED]


def test_a_transfer_that_was_undone_does_not_count(bench: Bench) -> None:
    """The times of a broken chain are free again."""
    broken = [old_transfer(1, THEN + 50, flags=int(F.LINKED)), replace(old_transfer(2, THEN + 51), code=0)]
    first, breaker = bench.answers(*broken)
    assert (first.status, breaker.status) == (S.LINKED_EVENT_FAILED, S.CODE_MUST_NOT_BE_ZERO)
    # A refused event is answered with its stamp, not with the time it brought.
    assert first.timestamp == breaker.timestamp - 1
    assert bench.transfers(old_transfer(1, THEN + 20)) == [S.CREATED]


def test_an_account_that_was_taken_back_does_not_count(bench: Bench) -> None:
    """The times of a broken chain of accounts are free again, too."""
    linked = replace(old_account(3, THEN + 30), flags=int(G.IMPORTED | G.LINKED))
    broken = bench.accounts(linked, replace(old_account(4, THEN + 31), code=0))
    assert broken == [A.LINKED_EVENT_FAILED, A.CODE_MUST_NOT_BE_ZERO]
    assert bench.transfers(old_transfer(1, THEN + 30)) == [S.CREATED]


def test_an_expiry_counts(bench: Bench) -> None:
    """Imported time is after every hold that ended by itself: totals changed then."""
    hold = replace(old_transfer(1, 0), flags=int(F.PENDING), timeout=1)
    bench.transfers(hold)
    bench.clock.advance(10 * SECOND)
    bench.tick()
    ended = int(bench.ledger.rows[-1]["timestamp"])
    assert bench.transfers(old_transfer(2, ended), old_transfer(3, ended + 1)) == [
        S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS,
        S.CREATED,
    ]
    bench.check()


def test_an_expiry_does_not_turn_imported_time_back(bench: Bench) -> None:
    """A hold that ends late, after a chain with later stamps, does not make those times free."""
    bench.transfers(replace(old_transfer(1, 0), flags=int(F.PENDING), timeout=1))
    held_at = int(bench.ledger.lookup_transfers([1])["timestamp"][0])
    bench.clock.set(held_at + SECOND - 1)
    plain = replace(old_transfer(2, 0), flags=0)
    chain = [replace(plain, id=number, flags=int(F.LINKED)) for number in (2, 3, 4)]
    assert bench.transfers(*chain, replace(plain, id=5)) == [S.CREATED] * 4
    bench.clock.advance(SECOND)
    bench.tick()
    # The chain went first: the expiry is stamped with its last event, past its own due time.
    assert bench.ledger.rows[-1]["timestamp"] == bench.ledger.rows[-2]["timestamp"] > held_at + SECOND
    taken = held_at + SECOND + 1
    assert bench.transfers(old_transfer(6, taken)) == [S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS]


def test_the_first_event_of_each_request_sets_its_mode(bench: Bench) -> None:
    """Requests of one group are apart: one may import, the next not."""
    now = replace(old_transfer(2, 0), flags=0)
    imports, others = [old_transfer(1, THEN + 20), now], [now, old_transfer(3, THEN + 30)]
    answers = bench.execute([transfer_array(imports), transfer_array(others)])
    assert [[answer.status for answer in one] for one in answers] == [
        [S.CREATED, S.IMPORTED_EVENT_EXPECTED],
        [S.CREATED, S.IMPORTED_EVENT_NOT_EXPECTED],
    ]
    accounts = [old_account(5, START + SECOND // 2), Account(id=6, ledger=1, code=1)]
    bench.clock.advance(SECOND)
    (opened,) = bench.execute([account_array(accounts)])
    assert [answer.status for answer in opened] == [A.CREATED, A.IMPORTED_EVENT_EXPECTED]


def test_holds_can_be_imported_and_resolved(bench: Bench) -> None:
    """An imported hold never expires; an imported post has its own time."""
    post = Transfer(
        id=2,
        pending_id=1,
        amount=AMOUNT_MAX,
        flags=int(F.POST_PENDING_TRANSFER | F.IMPORTED),
        timestamp=THEN + 25,
    )
    early = replace(post, timestamp=THEN + 20)
    held = old_transfer(1, THEN + 20, flags=int(F.PENDING))
    answers = bench.answers(held, early, post)
    assert [answer.status for answer in answers] == [
        S.CREATED,
        S.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS,
        S.CREATED,
    ]
    assert answers[2].timestamp == THEN + 25
    bench.check()


def test_a_live_hold_is_not_posted_into_the_past(bench: Bench) -> None:
    """That a hold has ended is judged by the event's stamp, not by the time it brings."""
    bench.transfers(replace(old_transfer(1, 0), flags=int(F.PENDING), timeout=1))
    bench.clock.advance(10 * SECOND)
    post = Transfer(
        id=2, pending_id=1, flags=int(F.POST_PENDING_TRANSFER) | IMPORTED, timestamp=START + SECOND // 2
    )
    assert bench.transfers(post) == [S.PENDING_TRANSFER_EXPIRED]
