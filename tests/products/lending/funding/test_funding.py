"""The house's own money: what it costs, what is left of it, and that lending stops when it is gone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

from formicary.factory.engine.products import Command
from formicary.products.lending.funding import schemas
from formicary.products.lending.funding.product import FUNDING_PRODUCT
from formicary.products.lending.funding.schemas import (
    Borrow,
    PayBack,
    PayFundingCost,
    PayInOwnFunds,
    PaySellers,
    TakeOutOwnFunds,
)
from formicary.products.lending.limits import BORROWED_MAX, BORROWED_RATES_MAX
from formicary.products.lending.servicing.books import Books
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.reconciliation import differences
from formicary.products.lending.servicing.schemas import Draw, Repay
from formicary.products.lending.servicing.terms import DAY
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

ANNA, BERT = 11, 12
RATE = 36_500_001
"""3.65 % a year and a little: a ten-thousandth a day, never without a rest."""


def held(bank: Bank, code: LoanAccount) -> int:
    """Return credits less debits of the house's account."""
    return bank.balance(house_account_id(code, EUR))


def does(bank: Bank, *commands: Command) -> None:
    """Carry out commands that are not refused."""
    for command in commands:
        assert bank.funds(command).code == "", command


def books(bank: Bank) -> Books:
    """Return the books of the last close."""
    told = bank.events("business_date.BooksClosed")[-1].data["books"]
    return msgspec.convert(told[0], Books)


@pytest.fixture
def poor(tmp_path: Path) -> Bank:
    """Return a bank into which nothing was paid."""
    return Bank(tmp_path, own_funds=0)


def test_what_is_borrowed_costs_by_the_day(poor: Bank) -> None:
    """One posting a day, half even, with what was rounded carried on; to the unit of the exact sum."""
    does(poor, PayInOwnFunds(subject=EUR, amount=100_00), Borrow(subject=EUR, amount=123_456, rate=RATE))
    exact, days = Fraction(0), []
    for night in range(40):
        poor.closes(START + 1 + night)
        if night == 9:
            does(poor, Borrow(subject=EUR, amount=999, rate=RATE), Borrow(subject=EUR, amount=77, rate=1))
        # What is borrowed on a day costs from the next one on.
        exact += Fraction(123_456 * RATE + (night > 10) * (999 * RATE + 77), 365 * 10**9)
        days.append(held(poor, LoanAccount.FUNDING_PAYABLE))
        poor.is_sound()
    assert abs(days[-1] - exact) <= Fraction(1, 2)
    assert held(poor, LoanAccount.FUNDING_COST) == -days[-1]
    assert poor.own_funds == 100_00 - days[-1]
    told = poor.events("funding.FundingCostAccrued")
    assert sum(one.data["cost"] for one in told) == days[-1]
    does(poor, PayFundingCost(subject=EUR, amount=days[-1]))
    today = held(poor, LoanAccount.FUNDING_PAYABLE)
    assert 12 <= today <= 13
    does(poor, PayFundingCost(subject=EUR, amount=today))
    assert poor.funds(PayFundingCost(subject=EUR, amount=1)).code == "funding_exceeded"
    assert poor.cash == 100_00 + 123_456 + 999 + 77 - days[-1] - today
    does(poor, PayBack(subject=EUR, amount=123_456 + 999, rate=RATE), PayBack(subject=EUR, amount=77, rate=1))
    poor.closes(poor.day)
    assert held(poor, LoanAccount.FUNDING_PAYABLE) == 0
    poor.is_sound()
    poor.recovers()


def test_costs_are_exact_over_any_days(poor: Bank) -> None:
    """Accounted for each day, or after many, it comes to the rounded whole."""
    does(poor, PayInOwnFunds(subject=EUR, amount=1), Borrow(subject=EUR, amount=182_500, rate=RATE))
    for night in range(1, 30):
        poor.closes(START + night)
        exact = Fraction(182_500 * RATE * night, 365 * 10**9)
        assert abs(held(poor, LoanAccount.FUNDING_PAYABLE) - exact) <= Fraction(1, 2)
    poor.clock.set((START + 200) * DAY)
    does(poor, PayInOwnFunds(subject=EUR, amount=1))
    exact = Fraction(182_500 * RATE * 200, 365 * 10**9)
    assert abs(held(poor, LoanAccount.FUNDING_PAYABLE) - exact) <= Fraction(1, 2)
    poor.is_sound()


def test_more_than_there_is_does_not_move(poor: Bank) -> None:
    """Own funds, debts and cash are what they are."""
    does(poor, PayInOwnFunds(subject=EUR, amount=500), Borrow(subject=EUR, amount=300, rate=7))
    for command in (
        TakeOutOwnFunds(subject=EUR, amount=501),
        PayBack(subject=EUR, amount=301, rate=7),
        PayBack(subject=EUR, amount=1, rate=8),
        PayFundingCost(subject=EUR, amount=1),
        PaySellers(subject=EUR, amount=1),
    ):
        assert poor.funds(command).code == "funding_exceeded", command
    does(poor, TakeOutOwnFunds(subject=EUR, amount=500), PayBack(subject=EUR, amount=300, rate=7))
    assert (poor.cash, poor.own_funds) == (0, 0)
    assert poor.funds(PayInOwnFunds(subject=1, amount=5)).code == "unknown_currency"
    assert poor.funds(PayInOwnFunds(subject=EUR, amount=0)).code == "malformed_command"
    poor.is_sound()


def test_rates_are_kept_apart(poor: Bank) -> None:
    """As many as there are places; one that was paid back is free for another rate."""
    does(poor, *(Borrow(subject=EUR, amount=10, rate=rate) for rate in range(BORROWED_RATES_MAX)))
    assert poor.funds(Borrow(subject=EUR, amount=10, rate=99)).code == "funding_rates_exhausted"
    does(poor, Borrow(subject=EUR, amount=10, rate=3), PayBack(subject=EUR, amount=10, rate=5))
    does(poor, Borrow(subject=EUR, amount=30, rate=99))
    record = poor.engine.state.aggregates[FUNDING_PRODUCT.name].find(EUR)
    assert record is not None
    assert record["rates"][5] == 99
    assert record["balances"].tolist() == [10, 10, 10, 20, 10, 30, *[10] * 10]
    for _ in range(9):
        does(poor, Borrow(subject=EUR, amount=10**15, rate=0))
    assert BORROWED_MAX == 10**16
    assert poor.funds(Borrow(subject=EUR, amount=10**15, rate=0)).code == "funding_exceeded"
    poor.is_sound()


def test_cash_moves_with_what_wallets_get_and_give(poor: Bank) -> None:
    """Draws pay out of it, payments, collections and recoveries into it; the books of a close balance."""
    does(poor, PayInOwnFunds(subject=EUR, amount=1_000_00))
    poor.has(ANNA, BERT, amount=100_00)
    poor.lends(1, ANNA, 600_00, INSTALMENTS)
    assert poor.cash == 400_00
    poor.lends(2, BERT, 400_00, LINE, is_collected=False)
    assert (poor.cash, held(poor, LoanAccount.CLIENT_MONEY)) == (0, -1_000_00)
    # Whoever has an offer would get it: the ledger itself refuses what is not there.
    assert poor.offers(3, ANNA, 100_00, INSTALMENTS).code == ""
    assert poor.accepts(3, 3, ANNA, 100_00).code == ""
    assert poor.asks(Draw(subject=3, amount=100_00)).code == "exceeds_debits"
    assert poor.asks(Repay(subject=2, amount=50_00)).code == ""
    assert poor.cash == 50_00
    for day in range(START, START + 32):
        poor.closes(day)
        poor.is_sound()
        assert books(poor).imbalance == 0
    collected = 700_00 - poor.wallet(ANNA)
    assert collected > 100_00
    assert poor.cash == 50_00 + collected
    told = books(poor)
    assert (told.cash, told.paid_in, told.own_funds) == (poor.cash, 1_000_00, poor.own_funds)
    assert held(poor, LoanAccount.CLIENT_MONEY) == poor.cash - 1_000_00


def test_a_transfer_past_the_books_is_found(poor: Bank) -> None:
    """Money that goes into income without cash: the difference names cash, and the close tells it."""
    does(poor, PayInOwnFunds(subject=EUR, amount=1_000_00))
    poor.has(ANNA, amount=100_00)
    poor.lends(1, ANNA, 600_00, INSTALMENTS)
    poor.moves(2**64 + ANNA, house_account_id(LoanAccount.FEE_INCOME, EUR), 7)
    (found,) = differences(poor.engine.state)
    cash = house_account_id(LoanAccount.CASH, EUR)
    assert (found.account, found.on_the_ledger, found.by_the_loans) == (cash, 400_00, 400_07)
    poor.closes(START)
    assert books(poor).imbalance == -7


def test_evolving_is_bounded() -> None:
    """A rate that was never borrowed at leaves nothing below zero."""
    record = np.zeros(1, schemas.FUNDING)
    FUNDING_PRODUCT.evolve("FundsPaidBack", record, [schemas.FundsPaidBack(day=3, amount=5, rate=7)])
    assert record["balances"].tolist() == [[0] * BORROWED_RATES_MAX]
