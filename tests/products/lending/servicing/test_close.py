"""A close of business that is cut into small parts and killed between them comes to the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formicary.factory.ledger import Account
from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing import close, collecting, telling
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.reconciliation import Difference, differences
from formicary.products.lending.servicing.schemas import Repay
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

PARTIES = (11, 12, 13, 14)
FIRST_DUE = START + 31


def lent(folder: Path) -> Bank:
    """Return a bank whose loans fall due on one day; two parties cannot pay all, one has no money."""
    folder.mkdir()
    bank = Bank(folder)
    bank.has(*PARTIES)
    for loan, party in enumerate((*PARTIES, *PARTIES[:2], PARTIES[0]), start=1):
        bank.lends(loan, party, 600_00, INSTALMENTS, is_collected=loan != 3)
    for party, left in zip(PARTIES, (150_00, 250_00, 700_00, 0), strict=True):
        bank.earns(party, left - bank.wallet(party))
    return bank


def facts(bank: Bank) -> list[Any]:
    """Return all loans without their headers, and what every wallet holds."""
    loans = bank.engine.state.aggregates["loan"].records
    names = [name for name in loans.dtype.names or () if name not in {"timestamp", "events"}]
    return [loans[names].tolist(), [bank.wallet(party) for party in PARTIES]]


def test_a_close_that_is_cut_and_killed_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of two loans, one payment each, and another engine after each of them."""
    whole, cut = lent(tmp_path / "whole"), lent(tmp_path / "cut")
    for day in range(START, FIRST_DUE):
        whole.closes(day)
        cut.closes(day)
    assert len(whole.closes(FIRST_DUE)) == 6
    monkeypatch.setattr(close, "CLOSE_LOANS_MAX", 2)
    monkeypatch.setattr(close, "PROVIDE_LOANS_MAX", 2)
    monkeypatch.setattr(collecting, "CLOSE_LOANS_MAX", 3)
    monkeypatch.setattr(telling, "CLOSE_LOANS_MAX", 4)
    monkeypatch.setattr(telling, "REMINDERS_MAX", 1)
    monkeypatch.setattr(collecting, "COLLECTIONS_MAX", 1)
    parts, is_closed = 0, False
    while not is_closed:
        receipt = cut.does(BUSINESS_DATES, CloseBusinessDate(subject=FIRST_DUE), f"part {parts}")
        assert cut.does(BUSINESS_DATES, CloseBusinessDate(subject=FIRST_DUE), f"part {parts}") == receipt
        parts, is_closed = parts + 1, receipt.answer["is_closed"]
        cut.recovers()
        cut.is_sound()
    assert parts == 23
    assert facts(cut) == facts(whole)


def test_a_close_goes_over_the_loans_that_there_were(tmp_path: Path) -> None:
    """A loan that is made while a date is closed belongs to the next one; payments may be made meanwhile."""
    bank = lent(tmp_path / "bank")
    assert bank.does(BUSINESS_DATES, CloseBusinessDate(subject=START)).answer["loans"] == 7
    bank.lends(9, PARTIES[2], 100_00, LINE)
    assert bank.asks(Repay(subject=3, amount=100_00)).code == ""
    assert bank.closes(START)[-1] == {
        "loans": 7,
        "accrued": 7,
        "collected": 7,
        "charged_off": 7,
        "provided": 7,
        "told": 7,
        "is_closed": True,
        "reminders": 0,
    }
    bank.closes(START + 1)
    assert bank.loan(9)["until"] == START + 1
    bank.is_sound()


def test_a_bank_without_loans_closes(tmp_path: Path) -> None:
    """There is nothing to do, and it is done."""
    assert len(Bank(tmp_path).closes(START)) == 1


def test_what_differs_is_found(tmp_path: Path) -> None:
    """Money that somebody moves on a loan's account, past its product, shows."""
    bank = lent(tmp_path / "bank")
    bank.opens(Account(id=99, ledger=EUR, code=3))
    bank.closes(START)
    assert differences(bank.engine.state) == []
    bank.moves(3, 99, 50)
    assert differences(bank.engine.state) == [Difference(3, EUR, 600_50, 600_00)]
