"""Balances after each entry, as of a time, and in sum."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    AccountFilter,
    AccountFlags,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
)
from tests.factory.ledger.kit import SECOND, START, Bench
from tests.factory.ledger.oracle import unpack
from tests.factory.ledger.oracle_rules import TOTALS
from tests.factory.ledger.workload import Workload

S, F, G = CreateTransferStatus, TransferFlags, AccountFlags
PAYER, PAYEE, DOLLARS = 1, 2, 3
PAYMENT = Transfer(id=10, debit_account_id=PAYER, credit_account_id=PAYEE, amount=5, ledger=826, code=1)
HOLD = replace(PAYMENT, id=11, amount=7, flags=int(F.PENDING), timeout=1)


@pytest.fixture
def bench() -> Bench:
    """Return a bench with a payment, a hold that expired and another payment, seconds apart."""
    bench = Bench()
    bench.accounts(
        Account(id=PAYER, ledger=826, code=1),
        Account(id=PAYEE, ledger=826, code=1),
        Account(id=DOLLARS, ledger=840, code=1),
    )
    for transfer in (PAYMENT, HOLD, replace(PAYMENT, id=12, amount=2)):
        bench.clock.advance(10 * SECOND)
        assert bench.transfers(transfer) == [S.CREATED]
    return bench


def as_of(bench: Bench, account_id: int, timestamp: int) -> tuple[int, ...] | None:
    """Return the four totals as of a time."""
    balance = bench.ledger.balance_as_of(account_id, timestamp)
    return None if balance is None else tuple(int(balance[total]) for total in TOTALS)


def test_balances_after_each_entry(bench: Bench) -> None:
    """One line an entry, the expiry included, with its time: no total jumps without a line."""
    balances = unpack(bench.ledger.get_account_balances(AccountFilter(account_id=PAYER)))
    assert [(line["debits_pending"], line["debits_posted"]) for line in balances] == [
        (0, 5),
        (7, 5),
        (0, 5),
        (0, 7),
    ]
    assert balances[2]["timestamp"] == balances[1]["timestamp"] + SECOND
    payee = bench.ledger.get_account_balances(AccountFilter(account_id=PAYEE, reversed=True, limit=1))
    assert payee["credits_posted"].tolist() == [7]


def test_balances_as_of_a_time(bench: Bench) -> None:
    """The totals as they were: none before the account, zero before its first entry, then after each."""
    times = bench.ledger.lookup_transfers([10, 11, 12])["timestamp"].tolist()
    assert as_of(bench, PAYER, START - 1) is None
    assert as_of(bench, PAYER, START) == (0, 0, 0, 0)
    assert as_of(bench, PAYEE, START) is None
    assert as_of(bench, PAYER, times[0] - 1) == (0, 0, 0, 0)
    assert as_of(bench, PAYER, times[0]) == (0, 5, 0, 0)
    assert as_of(bench, PAYER, times[1]) == (7, 5, 0, 0)
    assert as_of(bench, PAYER, times[1] + SECOND) == (0, 5, 0, 0)
    assert as_of(bench, PAYEE, times[2] + SECOND) == (0, 0, 0, 7)


def test_an_unknown_account_has_no_balance(bench: Bench) -> None:
    """None, not zero."""
    assert bench.ledger.balance_as_of(99, START) is None
    assert len(bench.ledger.get_account_balances(AccountFilter(account_id=99))) == 0


def test_the_balance_now_is_the_look_up_s() -> None:
    """After random work every account's balance as of the end is what a look-up shows."""
    workload = Workload(7)
    bench = Bench(workload.start)
    bench.execute([workload.opening()])
    for _ in range(60):
        bench.clock.set(workload.pause())
        bench.execute([workload.request(5)])
    for account in unpack(bench.ledger.lookup_accounts(list(bench.oracle.books.accounts))):
        assert as_of(bench, account["id"], 2**63 - 1) == tuple(account[total] for total in TOTALS)


def test_the_trial_balance_is_per_ledger(bench: Bench) -> None:
    """Every ledger that has an account has a line, and debits equal credits."""
    assert bench.ledger.trial_balance() == {826: (0, 7, 0, 7), 840: (0, 0, 0, 0)}


def test_the_trial_balance_does_not_overflow() -> None:
    """Two accounts may each be full: the sum is a Python integer."""
    bench = Bench()
    bench.accounts(*(Account(id=number, ledger=1, code=1) for number in (1, 2, 3, 4)))
    full = Transfer(id=1, debit_account_id=1, credit_account_id=2, amount=AMOUNT_MAX, ledger=1, code=1)
    bench.transfers(full, replace(full, id=2, debit_account_id=3, credit_account_id=4))
    assert bench.ledger.trial_balance() == {1: (0, 2 * AMOUNT_MAX, 0, 2 * AMOUNT_MAX)}


def test_an_empty_ledger_balances() -> None:
    """No account, no line, no row."""
    ledger = Bench().ledger
    assert ledger.trial_balance() == {}
    assert len(ledger.rows) == len(ledger.account_rows) == 0


@pytest.mark.parametrize(("limit", "amount"), [(0, 100), (50, 150), (AMOUNT_MAX, AMOUNT_MAX)])
def test_the_credit_limit_moves_the_floor(limit: int, amount: int) -> None:
    """Debits may exceed credits by the limit exactly; the largest limit does not overflow."""
    bench = Bench()
    floor = G.DEBITS_MUST_NOT_EXCEED_CREDITS
    bench.accounts(
        Account(id=PAYER, ledger=826, code=1, flags=floor, credit_limit=limit),
        Account(id=PAYEE, ledger=826, code=1),
    )
    bench.transfers(replace(PAYMENT, id=1, debit_account_id=PAYEE, credit_account_id=PAYER, amount=100))
    more = [] if amount == AMOUNT_MAX else [replace(PAYMENT, id=2, amount=amount + 1)]
    assert bench.transfers(*more, replace(PAYMENT, id=3, amount=amount)) == [S.EXCEEDS_CREDITS] * len(
        more
    ) + [S.CREATED]
    bench.check()


def test_pending_credits_are_no_funds() -> None:
    """What is merely on its way cannot be spent, nor balanced."""
    bench = Bench()
    bench.accounts(
        Account(id=PAYER, ledger=826, code=1, flags=G.DEBITS_MUST_NOT_EXCEED_CREDITS),
        Account(id=PAYEE, ledger=826, code=1),
    )
    incoming = replace(PAYMENT, id=1, debit_account_id=PAYEE, credit_account_id=PAYER, flags=int(F.PENDING))
    sweep = replace(PAYMENT, id=3, amount=AMOUNT_MAX, flags=int(F.BALANCING_DEBIT))
    assert bench.transfers(incoming, PAYMENT, sweep) == [S.CREATED, S.EXCEEDS_CREDITS, S.CREATED]
    assert bench.ledger.lookup_transfers([3])["amount"].tolist() == [0]


@pytest.mark.parametrize(
    ("flags", "moved"),
    [
        (F.BALANCING_DEBIT, 70),
        (F.BALANCING_CREDIT, 25),
        (F.BALANCING_DEBIT | F.BALANCING_CREDIT, 25),
        (F.BALANCING_DEBIT | F.PENDING, 70),
    ],
)
def test_balancing_moves_what_there_is(flags: TransferFlags, moved: int) -> None:
    """At most what the side has, less what is held, and the smaller of the two; never a credit limit."""
    bench = Bench()
    bank = 9
    bench.accounts(
        Account(id=PAYER, ledger=826, code=1, flags=G.DEBITS_MUST_NOT_EXCEED_CREDITS, credit_limit=1_000),
        Account(id=PAYEE, ledger=826, code=1),
        Account(id=bank, ledger=826, code=1),
    )
    held = int(F.PENDING)
    bench.transfers(
        replace(PAYMENT, id=1, debit_account_id=bank, credit_account_id=PAYER, amount=100),
        replace(PAYMENT, id=2, credit_account_id=bank, amount=20),
        replace(PAYMENT, id=3, credit_account_id=bank, amount=10, flags=held),
        replace(PAYMENT, id=4, debit_account_id=PAYEE, credit_account_id=bank, amount=50),
        replace(PAYMENT, id=5, debit_account_id=bank, amount=20),
        replace(PAYMENT, id=6, debit_account_id=bank, amount=5, flags=held),
    )
    sweep = replace(PAYMENT, id=7, amount=AMOUNT_MAX, flags=int(flags))
    (answer,) = bench.answers(sweep)
    assert answer.status == S.CREATED
    assert bench.ledger.lookup_transfers([7])["amount"].tolist() == [moved]
    assert bench.transfers(replace(sweep, id=8, amount=3, flags=int(F.BALANCING_DEBIT))) == [S.CREATED]
    bench.check()


def test_balancing_an_account_that_is_overdrawn_moves_nothing() -> None:
    """Below zero there is nothing to move: a transfer of zero is made."""
    bench = Bench()
    bench.accounts(Account(id=PAYER, ledger=826, code=1), Account(id=PAYEE, ledger=826, code=1))
    sweep = replace(PAYMENT, id=3, amount=9, flags=int(F.BALANCING_DEBIT | F.BALANCING_CREDIT))
    assert bench.transfers(PAYMENT, sweep) == [S.CREATED, S.CREATED]
    assert bench.ledger.lookup_transfers([3])["amount"].tolist() == [0]


@pytest.mark.parametrize("flags", [F.BALANCING_DEBIT, F.BALANCING_CREDIT])
def test_balancing_moves_the_last_unit(flags: TransferFlags) -> None:
    """One is more than nothing, on either side."""
    bench = Bench()
    bench.accounts(Account(id=PAYER, ledger=826, code=1), Account(id=PAYEE, ledger=826, code=1))
    back = replace(PAYMENT, id=1, debit_account_id=PAYEE, credit_account_id=PAYER, amount=1)
    sweep = replace(PAYMENT, id=2, amount=AMOUNT_MAX, flags=int(flags))
    assert bench.transfers(back, sweep) == [S.CREATED, S.CREATED]
    assert bench.ledger.lookup_transfers([2])["amount"].tolist() == [1]
