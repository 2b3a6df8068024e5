"""Retries, conflicts and burnt ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
)
from tests.factory.ledger.kit import SECOND, Bench

S, A, F, G = CreateTransferStatus, CreateAccountStatus, TransferFlags, AccountFlags
BANK, CLIENT, SHOP = 1, 2, 3
PAYMENT = Transfer(id=10, debit_account_id=CLIENT, credit_account_id=SHOP, amount=40, ledger=1, code=1)
HOLD = replace(PAYMENT, id=20, flags=int(F.PENDING), user_data_128=1 << 70, user_data_64=6, user_data_32=5)
POST = Transfer(id=30, pending_id=20, amount=AMOUNT_MAX, flags=int(F.POST_PENDING_TRANSFER))
VOID = Transfer(id=31, pending_id=20, amount=0, flags=int(F.VOID_PENDING_TRANSFER))


@pytest.fixture
def bench() -> Bench:
    """Return a bench on which the client has 100 and cannot overdraw."""
    bench = Bench()
    bench.accounts(
        Account(id=BANK, ledger=1, code=1),
        Account(id=CLIENT, ledger=1, code=1, flags=G.DEBITS_MUST_NOT_EXCEED_CREDITS),
        Account(id=SHOP, ledger=1, code=1),
    )
    fund(bench, 1, 100)
    return bench


def fund(bench: Bench, number: int, amount: int) -> None:
    """Give the client money."""
    funding = Transfer(
        id=number, debit_account_id=BANK, credit_account_id=CLIENT, amount=amount, ledger=1, code=1
    )
    assert bench.transfers(funding) == [S.CREATED]


def test_a_retry_is_answered_as_the_original(bench: Bench) -> None:
    """Time and totals are those of the original, whatever happened since; nothing moves."""
    (original,) = bench.answers(PAYMENT)
    fund(bench, 2, 5)
    bench.clock.advance(SECOND)
    (retry,) = bench.answers(PAYMENT)
    assert retry == original._replace(status=S.EXISTS)
    bench.check()


def test_a_retry_in_the_same_request(bench: Bench) -> None:
    """The second of two equal events exists."""
    first, second = bench.answers(PAYMENT, PAYMENT)
    assert (first.status, second.status) == (S.CREATED, S.EXISTS)
    assert second.timestamp == first.timestamp


def test_a_retry_of_a_success_never_fails(bench: Bench) -> None:
    """It is decided before funds and closure: the account may be empty and closed by now."""
    bench.transfers(PAYMENT, replace(PAYMENT, id=11, amount=60))
    close = replace(PAYMENT, id=12, amount=0, flags=int(F.PENDING | F.CLOSING_DEBIT))
    assert bench.transfers(close, PAYMENT) == [S.CREATED, S.EXISTS]


def test_a_conflict_is_told_before_any_other_fault(bench: Bench) -> None:
    """An id that is in use is compared before anything else about the event is looked at."""
    bench.transfers(PAYMENT)
    assert bench.transfers(replace(PAYMENT, debit_account_id=0)) == [S.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID]
    assert bench.transfers(replace(PAYMENT, ledger=0)) == [S.EXISTS_WITH_DIFFERENT_LEDGER]


@pytest.mark.parametrize(
    ("transfer", "status"),
    [
        (replace(PAYMENT, amount=101), S.EXCEEDS_CREDITS),
        (replace(PAYMENT, debit_account_id=98), S.DEBIT_ACCOUNT_NOT_FOUND),
        (replace(PAYMENT, credit_account_id=99), S.CREDIT_ACCOUNT_NOT_FOUND),
        (replace(POST, id=10, pending_id=97), S.PENDING_TRANSFER_NOT_FOUND),
    ],
)
def test_a_refusal_that_depends_on_state_is_final(
    bench: Bench, transfer: Transfer, status: CreateTransferStatus
) -> None:
    """The id is burnt: even when all is well by now, nothing can succeed under it."""
    assert bench.transfers(transfer) == [status]
    bench.accounts(Account(id=98, ledger=1, code=1), Account(id=99, ledger=1, code=1))
    fund(bench, 2, 1_000)
    bench.transfers(replace(HOLD, id=97))
    assert bench.transfers(transfer, PAYMENT) == [S.ID_ALREADY_FAILED, S.ID_ALREADY_FAILED]
    bench.check()


def test_a_burnt_id_is_a_row(bench: Bench) -> None:
    """The row has the status that burnt it and the fields as asked, and no totals."""
    bench.transfers(replace(PAYMENT, amount=AMOUNT_MAX))
    row = bench.ledger.rows[-1]
    assert (row["status"], row["amount"], row["debit_account_id_low"]) == (
        S.EXCEEDS_CREDITS,
        AMOUNT_MAX,
        CLIENT,
    )
    assert (row["previous_debit"], row["debit_credits_posted"]) == (0, 0)
    assert len(bench.ledger.lookup_transfers([PAYMENT.id])) == 0


def test_a_static_refusal_can_be_put_right(bench: Bench) -> None:
    """An id that failed for a bad field is free."""
    assert bench.transfers(replace(PAYMENT, code=0), PAYMENT) == [S.CODE_MUST_NOT_BE_ZERO, S.CREATED]
    too_much = replace(PAYMENT, id=11, debit_account_id=BANK, amount=AMOUNT_MAX)
    assert bench.transfers(too_much, replace(too_much, amount=1)) == [S.OVERFLOWS_DEBITS_POSTED, S.CREATED]


@pytest.mark.parametrize(
    ("amount", "status"), [(100, S.EXISTS), (AMOUNT_MAX, S.EXISTS), (99, S.EXISTS_WITH_DIFFERENT_AMOUNT)]
)
def test_a_balancing_retry_may_ask_for_as_much_or_more(
    bench: Bench, amount: int, status: CreateTransferStatus
) -> None:
    """What was moved is what there was: the stored amount or more is the same wish, less is not."""
    sweep = replace(PAYMENT, amount=AMOUNT_MAX, flags=int(F.BALANCING_DEBIT))
    assert bench.transfers(sweep) == [S.CREATED]
    assert bench.ledger.lookup_transfers([PAYMENT.id])["amount"].tolist() == [100]
    assert bench.transfers(replace(sweep, amount=amount)) == [status]


RETRIES_OF_A_FULL_POST = [
    ({}, S.EXISTS),
    ({"amount": 40}, S.EXISTS),
    ({"amount": 39}, S.EXISTS_WITH_DIFFERENT_AMOUNT),
    ({"debit_account_id": CLIENT, "credit_account_id": SHOP, "ledger": 1, "code": 1}, S.EXISTS),
    ({"user_data_128": 1 << 70, "user_data_64": 6, "user_data_32": 5}, S.EXISTS),
    ({"pending_id": 21}, S.EXISTS_WITH_DIFFERENT_PENDING_ID),
    ({"timeout": 1}, S.EXISTS_WITH_DIFFERENT_TIMEOUT),
    ({"debit_account_id": SHOP}, S.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID),
    ({"credit_account_id": CLIENT}, S.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID),
    ({"user_data_128": 1 << 69}, S.EXISTS_WITH_DIFFERENT_USER_DATA_128),
    ({"user_data_128": 1}, S.EXISTS_WITH_DIFFERENT_USER_DATA_128),
    ({"user_data_64": 7}, S.EXISTS_WITH_DIFFERENT_USER_DATA_64),
    ({"user_data_32": 7}, S.EXISTS_WITH_DIFFERENT_USER_DATA_32),
    ({"ledger": 2}, S.EXISTS_WITH_DIFFERENT_LEDGER),
    ({"code": 2}, S.EXISTS_WITH_DIFFERENT_CODE),
]


@pytest.mark.parametrize(("changes", "status"), RETRIES_OF_A_FULL_POST)
def test_a_retried_post_compares_as_the_hold(
    bench: Bench, changes: dict[str, int], status: CreateTransferStatus
) -> None:
    """Zero fields mean "as pending", and AMOUNT_MAX all of it."""
    assert bench.transfers(HOLD, POST) == [S.CREATED, S.CREATED]
    assert bench.transfers(replace(POST, **changes)) == [status]


def test_a_retried_partial_post(bench: Bench) -> None:
    """AMOUNT_MAX is not what a partial post did."""
    partial = replace(POST, amount=15)
    assert bench.transfers(HOLD, partial, partial, POST) == [
        S.CREATED,
        S.CREATED,
        S.EXISTS,
        S.EXISTS_WITH_DIFFERENT_AMOUNT,
    ]


def test_a_retried_void(bench: Bench) -> None:
    """Nothing or the held amount is the same void; more or less is not, nor is a post."""
    assert bench.transfers(HOLD, VOID, VOID, replace(VOID, amount=40)) == [
        S.CREATED,
        S.CREATED,
        S.EXISTS,
        S.EXISTS,
    ]
    different = S.EXISTS_WITH_DIFFERENT_AMOUNT
    assert bench.transfers(replace(VOID, amount=39), replace(VOID, amount=AMOUNT_MAX)) == [
        different,
        different,
    ]
    assert bench.transfers(replace(VOID, flags=POST.flags)) == [S.EXISTS_WITH_DIFFERENT_FLAGS]


def test_a_post_s_own_user_data_is_compared(bench: Bench) -> None:
    """A post that brought user data is not the same as one that leaves it to the hold."""
    own = replace(POST, user_data_128=1 << 65, user_data_64=8, user_data_32=9)
    assert bench.transfers(HOLD, own, own) == [S.CREATED, S.CREATED, S.EXISTS]
    assert bench.transfers(
        replace(own, user_data_128=0), replace(own, user_data_64=0), replace(own, user_data_32=0)
    ) == [
        S.EXISTS_WITH_DIFFERENT_USER_DATA_128,
        S.EXISTS_WITH_DIFFERENT_USER_DATA_64,
        S.EXISTS_WITH_DIFFERENT_USER_DATA_32,
    ]


def test_ids_use_all_128_bits(bench: Bench) -> None:
    """Ids that agree in one half are different transfers, and different accounts."""
    ids = [PAYMENT.id, PAYMENT.id << 64, PAYMENT.id << 64 | PAYMENT.id, 1 << 127, 2**64 - 1, 2**128 - 2]
    assert bench.transfers(*(replace(PAYMENT, id=number, amount=1) for number in ids)) == [S.CREATED] * 6
    accounts = [Account(id=number, ledger=1, code=1) for number in (BANK << 64, CLIENT << 64 | BANK)]
    assert bench.accounts(*accounts) == [A.CREATED, A.CREATED]
    bench.check()


def test_an_account_that_was_closed_is_not_the_same_any_more(bench: Bench) -> None:
    """An account's flags are compared as they are now."""
    shop = Account(id=SHOP, ledger=1, code=1)
    bench.transfers(replace(PAYMENT, amount=0, flags=int(F.PENDING | F.CLOSING_CREDIT)))
    assert bench.accounts(shop, replace(shop, flags=int(G.CLOSED))) == [
        A.EXISTS_WITH_DIFFERENT_FLAGS,
        A.EXISTS,
    ]


def test_old_ids_stay_known_when_their_rows_leave_memory() -> None:
    """Tiers make no difference: retries, burnt ids and ended holds of long ago are answered the same."""
    bench = Bench(generation_rows=16)
    bench.accounts(Account(id=BANK, ledger=1, code=1), Account(id=CLIENT, ledger=1, code=1))
    bench.accounts(Account(id=SHOP, ledger=1, code=1))
    partial = replace(POST, amount=15)
    work = [PAYMENT, HOLD, partial, replace(PAYMENT, id=11, debit_account_id=98), replace(HOLD, id=21)]
    bench.transfers(*work)
    for number in range(100, 130):
        bench.transfers(replace(PAYMENT, id=number, amount=1))
    void_late = replace(VOID, id=32)
    assert bench.transfers(
        PAYMENT, partial, work[3], POST, void_late, replace(VOID, id=33, pending_id=21)
    ) == [
        S.EXISTS,
        S.EXISTS,
        S.ID_ALREADY_FAILED,
        S.EXISTS_WITH_DIFFERENT_AMOUNT,
        S.PENDING_TRANSFER_ALREADY_POSTED,
        S.CREATED,
    ]
    assert bench.transfers(replace(VOID, id=34, pending_id=PAYMENT.id)) == [S.PENDING_TRANSFER_NOT_PENDING]
