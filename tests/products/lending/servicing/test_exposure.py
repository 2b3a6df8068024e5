"""Sums of a book and what a party owes: by hand, and the same as a walk over all loans."""

from __future__ import annotations

from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing.exposure import Sums, book_key, of_party, sums_of
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.schemas import ChargeOff, Draw, RecordRecovery, Repay
from formicary.products.lending.servicing.terms import day_at
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

ANNA, BERT = 11, 12


def book(bank: Bank) -> Sums:
    """Return the sums of all segments."""
    return sum(sums_of(bank.engine.state.columns[LOANS.name].totals, EUR).values(), Sums())


def walked(bank: Bank) -> Sums:
    """Return the same by looking at every loan."""
    found = Sums()
    for loan in bank.engine.state.aggregates[LOANS.name].records:
        state, limit, balance = (int(loan[name]) for name in ("state", "limit", "balance"))
        is_open = state == 1 or (state == 2 and loan["kind"] == 1)
        exposure = max(limit, balance) if is_open else balance if state == 2 else 0
        lent = balance if state in (1, 2) else 0
        found += Sums(
            exposure=exposure,
            undrawn=exposure - lent,
            lent=lent,
            charged_off=int(loan["charged_principal"]),
        )
    return found


def owed(bank: Bank, party: int) -> tuple[int, int, int, int]:
    """Return what a party owes."""
    loans = bank.engine.state.columns[LOANS.name].found("party", party)
    told = of_party(loans, currency=EUR, day=day_at(bank.clock.now()))
    return told.exposure, told.debt_service, told.arrears_days, told.loans


def test_a_book_from_offer_to_loss(bank: Bank) -> None:
    """Accepted, drawn, paid, late, charged off, recovered: sums are those of a walk over all loans."""
    bank.has(ANNA, BERT, amount=100_00)
    assert bank.offers(1, ANNA, 900_00, LINE).code == ""
    assert bank.accepts(1, 1, ANNA, 900_00).code == ""
    assert book(bank) == Sums(exposure=900_00, undrawn=900_00)
    assert list(bank.engine.state.columns[LOANS.name].totals) == [book_key(EUR, 0)]
    # A twentieth of what may be drawn, and 30 days' interest at 0.05 % a day.
    assert owed(bank, ANNA) == (900_00, 45_00 + 13_50, 0, 1)
    assert bank.asks(Draw(subject=1, amount=300_00)).code == ""
    assert book(bank) == Sums(exposure=900_00, undrawn=600_00, lent=300_00)
    assert bank.offers(2, BERT, 600_00, INSTALMENTS).code == ""
    assert bank.accepts(2, 2, BERT, 600_00, is_collected=False).code == ""
    assert owed(bank, BERT)[:2] == (600_00, 100_00 + 592)
    assert bank.asks(Draw(subject=2, amount=600_00)).code == ""
    instalment = int(bank.loan(2)["instalment"])
    assert owed(bank, BERT) == (600_00, instalment, 0, 1)
    assert book(bank) == walked(bank)
    for day in range(START, START + 45):
        bank.closes(day)
        assert book(bank) == walked(bank)
    late = owed(bank, BERT)
    assert late[2:] == (14, 1)
    assert late[1] > 2 * instalment - 1_00
    bank.earns(BERT, 50_00)
    assert bank.asks(Repay(subject=2, amount=50_00)).code == ""
    assert book(bank) == walked(bank)
    assert bank.asks(ChargeOff(subject=2)).code == ""
    assert book(bank) == walked(bank)
    assert book(bank).charged_off > 500_00
    assert (owed(bank, BERT)[0], owed(bank, BERT)[1], owed(bank, BERT)[3]) == (0, 0, 1)
    bank.earns(BERT, 20_00)
    assert bank.asks(RecordRecovery(subject=2, amount=20_00)).code == ""
    assert book(bank) == walked(bank)
    before = book(bank)
    bank.recovers()
    assert book(bank) == before


def test_instalments_of_weeks_and_of_equal_principal(bank: Bank) -> None:
    """What falls due each week counts as often as 30 days have weeks; equal principal has interest beside."""
    bank.has(ANNA)
    weekly = LoanTerms(kind=2, rate=0, instalments=10, unit=1)
    bank.lends(1, ANNA, 100_00, weekly)
    assert owed(bank, ANNA)[1] == 42_86
    level = LoanTerms(kind=2, rate=365_000_000, day_count=3, instalments=10, is_level=False)
    bank.has(BERT)
    bank.lends(2, BERT, 100_00, level)
    assert owed(bank, BERT)[1] == 10_00 + 3_00
