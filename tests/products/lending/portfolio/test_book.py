"""The book that is folded from the journal is the engine's, and its analyses are those of what happened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formicary.base.civil import civil, date_text
from formicary.factory.engine.columns import IDS
from formicary.factory.journal.events import Event
from formicary.products.lending.funding.schemas import Borrow
from formicary.products.lending.portfolio import book as book_module
from formicary.products.lending.portfolio.book import BOOK_EVENTS, Book
from formicary.products.lending.portfolio.report import Portfolio, portfolio_of
from formicary.products.lending.portfolio.vintages import NEVER
from formicary.products.lending.servicing.books import Books
from formicary.products.lending.servicing.fields import AMOUNTS
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.schemas import ChargeOff, RecordRecovery, Repay, TakeOverLoans
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

ANNA, BEN, CARL, DORA = 11, 12, 13, 14
DAYS = 136


def events(bank: Bank) -> list[Event]:
    """Return all that a book is folded from."""
    return [event for batch in bank.journal.batches for event in batch.events if event.kind in BOOK_EVENTS]


def taken_over(loan: int, party: int) -> TakeOverLoans:
    """Return the takeover of a loan of which 500 are left."""
    return TakeOverLoans(
        subject=1,
        currency=EUR,
        terms=INSTALMENTS,
        day=START,
        next_due=START + 10,
        ids=IDS.pack(np.array([[0, loan]], np.uint64)),
        parties=IDS.pack(np.array([[0, party]], np.uint64)),
        wallets=IDS.pack(np.array([[1, party]], np.uint64)),
        balances=AMOUNTS.pack([500_00]),
        instalments=AMOUNTS.pack([90_00]),
    )


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Return a bank of 136 days: one pays, one never, one is lost and something comes of it, one repays."""
    bank = Bank(tmp_path_factory.mktemp("bank"), own_funds=3_000_00)
    assert bank.funds(Borrow(subject=EUR, amount=1_000_00, rate=100_000_000)).code == ""
    bank.has(ANNA, BEN, CARL, DORA, amount=700_00)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    bank.lends(2, BEN, 600_00, INSTALMENTS, is_collected=False)
    bank.lends(3, CARL, 600_00, INSTALMENTS, is_collected=False)
    assert bank.asks(taken_over(50, DORA)).code == ""
    for day in range(START, START + DAYS):
        if day == START + 20:
            bank.lends(4, DORA, 300_00, LINE)
        if day == START + 40:
            assert bank.asks(Repay(subject=4, amount=400_00)).code == ""
            assert bank.asks(ChargeOff(subject=3)).code == ""
            assert bank.asks(RecordRecovery(subject=3, amount=100_00)).code == ""
        bank.closes(day)
    bank.is_sound()
    return bank


@pytest.fixture(scope="module")
def book(lived: Bank) -> Book:
    """Return its book, folded in two parts."""
    found, told = Book(), events(lived)
    found.fold(told[:100])
    found.fold(told[100:])
    return found


@pytest.fixture(scope="module")
def portfolio(book: Book) -> Portfolio:
    """Return what became of it."""
    return portfolio_of(book)


def test_it_is_the_engines(lived: Bank, book: Book) -> None:
    """Each loan to the word, but for the header that only the engine keeps."""
    loans = lived.engine.state.aggregates["loan"].records
    names = [name for name in loans.dtype.names or () if name not in {"timestamp", "events"}]
    assert book.loans[names].tolist() == loans[names].tolist()
    # The day of the last instalment that was not paid, and ninety more; the day of the charge-off.
    by_id = dict(zip(book.loans["id_low"].tolist(), book.defaulted.tolist(), strict=True))
    assert by_id == {1: NEVER, 2: START + 31 + 90, 3: START + 40, 4: NEVER, 50: NEVER}
    assert dict(zip(book.loans["id_low"].tolist(), book.lent.tolist(), strict=True))[50] == 500_00


def test_room_for_more(lived: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """A book grows as loans are made."""
    monkeypatch.setattr(book_module, "_ROOM", 1)
    small = Book()
    small.fold(events(lived))
    assert len(small.loans) == 5


def test_closes_and_months(lived: Bank, book: Book) -> None:
    """Every date was closed, with what the accounts held; months end on their last days."""
    assert [one.day for one in book.closings] == list(range(START, START + DAYS))
    (books,) = book.closings[-1].books
    held = {
        name: lived.balance(house_account_id(LoanAccount[name.upper()], EUR))
        for name in Books.__struct_fields__[2:]
    }
    for name, amount in held.items():
        assert getattr(books, name) == abs(amount), name
    assert books.principal == int(book.loans["balance"].sum())
    last_days = [day for day in range(START, START + DAYS) if civil(day)[1] != civil(day + 1)[1]]
    assert len(book.month_ends) == len(last_days) == 4


def test_analyses(book: Book, portfolio: Portfolio) -> None:
    """Vintages, roll rates, curves and returns are those of the loans that were made."""
    assert portfolio.as_of == date_text(START + DAYS - 1)
    (euro,) = portfolio.currencies
    assert euro.currency == "EUR"
    assert [(row.bucket, row.loans) for row in euro.buckets if row.loans] == [("current", 3), ("days_90", 1)]
    # Lent in January 2025: three of 600, one taken over of 500; two of 600 failed, in February and in May.
    january = [row for row in euro.vintages if row.cohort == "2025-01"]
    assert [row.amount for row in january] == [2_300_00] * 4
    assert [row.defaulted for row in january] == [0, 1, 1, 1]
    assert [row.share for row in january] == [0, *[round(600_00 * 10**6 / 2_300_00)] * 3]
    (first, *_) = euro.default_curves
    assert (first.loans, first.defaults) == (4, 2)
    # From January's end, when all were current, to February's: one is late, one was lost later.
    february = euro.roll_rates[0]
    assert february.month == "2025-02"
    owed = {int(loan): int(amount) for loan, amount in zip(book.loans["id_low"], book.month_ends[0].owed)}  # noqa: B905
    # Shares of a row add up to a million, so one of them may be a millionth more.
    assert abs(february.rows["current"][6] - owed[3] * 10**6 / sum(owed.values())) <= 1
    assert sum(february.rows["current"]) == 10**6
    assert "days_90" not in february.rows
    closes = [one.books[0] for one in book.closings]
    balances = [one.principal + one.interest_receivable + one.fees_receivable for one in closes[1:]]
    earned = closes[-1].interest_income - closes[0].interest_income
    told = euro.returns["365"]
    assert told.days == DAYS - 1
    assert told.yield_ == round(earned * 365 * 10**6 / sum(balances))
    lost = closes[-1].losses - closes[-1].recoveries
    assert told.write_offs == round(lost * 365 * 10**6 / sum(balances))
    # What was paid in, and what was earned, lost, put aside and spent until each close.
    cost = closes[-1].funding_cost - closes[0].funding_cost
    assert cost == round(1_000_00 * (DAYS - 1) / 3_650)
    aside = closes[-1].impairment - closes[0].impairment
    own = [
        3_000_00
        + (one.interest_income + one.fee_income + one.recoveries)
        - (one.losses + one.impairment + one.funding_cost)
        for one in closes
    ]
    assert told.return_on_capital == round((earned - cost - aside - lost) * 365 * 10**6 / sum(own[1:]))
    assert all(one.imbalance == 0 for one in closes)
    # Over the whole time, own funds grew by what was earned on them.
    assert own[-1] - own[0] == earned - cost - aside - lost


def test_without_a_close_there_is_nothing(tmp_path: Path) -> None:
    """What was not closed is not told."""
    assert portfolio_of(Book()) == Portfolio(as_of=None, currencies=())
    bank = Bank(tmp_path)
    bank.has(ANNA)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    bank.closes(START)
    found = Book()
    found.fold(events(bank))
    (euro,) = portfolio_of(found).currencies
    assert (euro.returns["30"].yield_, euro.roll_rates) == (None, ())
    assert np.array_equal(found.defaulted, [NEVER])
