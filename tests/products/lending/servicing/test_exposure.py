"""Sums of a book and what a party owes: by hand, and the same as a walk over all loans."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.engine.columnar import ids_of
from formicary.products.lending.limits import SCHEDULE_AMOUNT_MAX, SCHEDULE_RATE_MAX
from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.exposure import Sums, book_key, of_parties, of_party, sums_of
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LOAN, LoanKind, LoanState
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
        found += Sums(exposure=exposure, undrawn=exposure - lent)
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
    assert book(bank) == Sums(exposure=900_00, undrawn=600_00)
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
    assert book(bank).exposure == 900_00
    assert (owed(bank, BERT)[0], owed(bank, BERT)[1], owed(bank, BERT)[3]) == (0, 0, 1)
    bank.earns(BERT, 20_00)
    assert bank.asks(RecordRecovery(subject=2, amount=20_00)).code == ""
    assert book(bank) == walked(bank)
    before = book(bank)
    bank.recovers()
    assert book(bank) == before


# -- many parties at once ------------------------------------------------------------------

AMOUNTS = st.one_of(st.integers(0, 3), st.integers(0, SCHEDULE_AMOUNT_MAX // 10))
DAY = START + 400


@st.composite
def random_loans(draw: st.DrawFn) -> npt.NDArray[np.void]:
    """Return a loan of any kind in any state, shape (1,), that may be a few periods behind the day."""
    loan = np.zeros(1, LOAN)
    LoanTerms(
        kind=draw(st.sampled_from(list(LoanKind))),
        rate=draw(st.integers(0, SCHEDULE_RATE_MAX // 100)),
        instalments=draw(st.integers(0, 60)),
        every=draw(st.integers(1, 12)),
        unit=draw(st.integers(0, 2)),
        day_count=draw(st.integers(0, 5)),
        is_level=draw(st.booleans()),
        fee=draw(st.integers(0, 500)),
        share=draw(st.integers(0, 1_000_000)),
    ).put(loan)
    loan["state"] = draw(st.sampled_from(list(LoanState)))
    loan["currency"] = draw(st.sampled_from([EUR, 840]))
    for name in ("limit", "balance", "instalment", "fees_due", "interest_due"):
        loan[name] = draw(AMOUNTS)
    loan["principal_due"] = draw(st.integers(0, int(loan["balance"][0])))
    until = DAY - draw(st.integers(-2, 60))
    loan["until"] = loan["period_start"] = loan["segment_start"] = until
    loan["next_due"], loan["due_day"] = until + draw(st.integers(1, 31)), draw(st.integers(1, 31))
    loan["arrears_since"] = draw(st.sampled_from([0, 0, until, until - 1, until - 200]))
    return loan


def plainly(loans: npt.NDArray[np.void], currency: int, day: int) -> tuple[int, int, int, int]:
    """Return what a party owes with its loans (n,), loan after loan and in Python's own numbers."""
    exposure = service = late = count = 0
    for place in range(len(loans)):
        one = loans[place : place + 1].copy()
        steps.advanced(one, np.array([max(int(one["until"][0]), day)], np.int64))
        loan = {name: int(one[name][0]) for name in LOAN.names or ()}
        if loan["state"] in (1, 2, 4):
            count += 1
            late = max(late, day - loan["arrears_since"] if loan["arrears_since"] else 0)
        if loan["state"] in (1, 2) and loan["currency"] == currency:
            is_open = loan["state"] == 1 or loan["kind"] == 1
            exposure += max(loan["limit"], loan["balance"]) if is_open else loan["balance"]
            service += asked_for(loan)
    return exposure, service, late, count


def asked_for(loan: dict[str, int]) -> int:
    """Return what a loan that is on the book asks for in 30 days, rounded up by the part."""
    is_accepted, is_line = loan["state"] == 1, loan["kind"] == 1
    owed = loan["limit"] if is_accepted or is_line else loan["balance"]
    if is_line:
        part = -(-owed * loan["share"] // 10**6)
    else:
        part = -(-owed // max(loan["left"], 1)) if is_accepted else loan["instalment"]
    asked = -(-part * 30 // (loan["every"] * (1, 7, 30)[loan["unit"]])) + loan["fee"]
    asked += loan["fees_due"] + loan["interest_due"] + loan["principal_due"]
    if is_accepted or is_line or not loan["is_level"]:
        asked += -(-owed * loan["rate"] * 30 // (10**9 * 365))
    return asked


@given(books=st.lists(st.lists(random_loans(), max_size=4), min_size=1, max_size=5), chance=st.randoms())
@settings(max_examples=60, deadline=None)
def test_many_parties_owe_what_each_owes(
    books: list[list[npt.NDArray[np.void]]], chance: random.Random
) -> None:
    """Whatever the order of their loans, and as a walk over each one's loans has it."""
    told = [(place, loan) for place, loans in enumerate(books) for loan in loans]
    chance.shuffle(told)
    loans = np.concatenate([np.zeros(0, LOAN), *(loan for _, loan in told)])
    places = np.array([place for place, _ in told], np.int64)
    before = loans.copy()
    found = of_parties(loans, places, count=len(books), currency=EUR, day=DAY)
    assert np.array_equal(loans, before)
    for place in range(len(books)):
        own = loans[places == place]
        one = of_party(own, currency=EUR, day=DAY)
        expected = plainly(own, EUR, DAY)
        assert tuple(found[place].tolist()) == expected
        assert (one.exposure, one.debt_service, one.arrears_days, one.loans) == expected


def test_loans_of_many_are_found_together(bank: Bank) -> None:
    """Of each party all of its loans in the order in which they were made, and of strangers none."""
    bank.has(ANNA, BERT)
    for loan, party in ((1, ANNA), (2, BERT), (3, ANNA), (4, ANNA)):
        assert bank.offers(loan, party, 100_00, LINE).code == ""
        assert bank.accepts(loan, loan, party, 100_00).code == ""
    columns = bank.engine.state.columns[LOANS.name]
    numbers, places = columns.holders("party", ids_of([BERT, 99, ANNA, BERT]))
    assert numbers.tolist() == [1, 0, 2, 3, 1]
    assert places.tolist() == [0, 2, 2, 2, 3]
    assert [len(one) for one in columns.holders("party", ids_of([]))] == [0, 0]
    for party in (ANNA, BERT):
        together = columns.records[columns.holders("party", ids_of([party]))[0]]
        assert together.tolist() == columns.found("party", party).tolist()


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
