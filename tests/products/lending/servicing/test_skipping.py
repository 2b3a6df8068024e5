"""A collection that the ledger would refuse, or refuses, stops nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.ledger import Account, Transfer, TransferFlags, transfer_array
from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing.close import CloseBusinessDate
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, NOSTRO, START, WALLETS, Bank, hex_of

PARTIES = (11, 12, 13)
FIRST_DUE = START + 31


@pytest.fixture
def due(tmp_path: Path) -> Bank:
    """Return a bank of which each party owes an instalment tonight, and has the money."""
    bank = Bank(tmp_path)
    bank.has(*PARTIES)
    for loan, party in enumerate(PARTIES, start=1):
        bank.lends(loan, party, 600_00, INSTALMENTS)
    for day in range(START, FIRST_DUE):
        bank.closes(day)
    return bank


def closes_account(bank: Bank, account: int) -> None:
    """Close an account past every product, as the ledger's own callers may."""
    closing = Transfer(
        id=2**70 + account,
        debit_account_id=account,
        credit_account_id=NOSTRO,
        amount=0,
        ledger=EUR,
        code=1,
        flags=TransferFlags.CLOSING_DEBIT | TransferFlags.PENDING,
    )
    (results,) = bank.engine.execute([LedgerRequest(transfer_array([closing]))])
    assert not results["status"].any()


@pytest.mark.parametrize("account", [WALLETS + 12, 2])
def test_a_closed_account_is_skipped(due: Bank, account: int) -> None:
    """The wallet, or the loan's own account: the others pay, and the date says who did not."""
    closes_account(due, account)
    answers = due.closes(FIRST_DUE)
    assert (answers[2]["payments"], answers[2]["skipped"]) == (2, 1)
    (event,) = [one for one in due.events("business_date.DateCollected") if one.subject == FIRST_DUE]
    assert event.data["skips"] == [hex_of(2)]
    assert [int(due.loan(loan)["arrears_since"]) for loan in (1, 2, 3)] == [0, FIRST_DUE, 0]
    due.is_sound()
    due.recovers()


def test_an_account_that_holds_less_is_skipped(due: Bank) -> None:
    """What somebody moved past its product could not be paid back: nobody is asked for it."""
    due.opens(Account(id=99, ledger=EUR, code=3))
    due.moves(99, 2, 600_00)
    assert due.closes(FIRST_DUE)[2]["skipped"] == 1


def test_all_may_be_skipped(due: Bank) -> None:
    """Where no wallet is open nothing is paid, and the date is closed."""
    for party in PARTIES:
        closes_account(due, WALLETS + party)
    assert due.closes(FIRST_DUE)[2]["skipped"] == 3
    due.is_sound()


def test_whoever_closes_may_ask_for_less(due: Bank) -> None:
    """A part of one loan, and one that passes the next: what the ledger refuses does not stop the rest."""
    for _ in range(2):
        assert due.does(BUSINESS_DATES, CloseBusinessDate(subject=FIRST_DUE)).code == ""
    one = due.does(BUSINESS_DATES, CloseBusinessDate(subject=FIRST_DUE, most=1))
    assert (one.answer["payments"], one.answer["collected"]) == (1, 1)
    passed = due.does(BUSINESS_DATES, CloseBusinessDate(subject=FIRST_DUE, passes=True))
    assert (passed.answer["payments"], passed.answer["skipped"], passed.answer["collected"]) == (0, 1, 2)
    due.closes(FIRST_DUE)
    assert [int(due.loan(loan)["arrears_since"]) for loan in (1, 2, 3)] == [0, FIRST_DUE, 0]
    assert (
        due.does(BUSINESS_DATES, CloseBusinessDate(subject=FIRST_DUE + 1, most=0)).code == "malformed_command"
    )
