"""Loans from the offer to the last payment, day by day, against their own schedules."""

from __future__ import annotations

import msgspec
import pytest

from formicary.products.lending.schedules import Disbursement, Method, Terms, Unit, resolve, valued
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

ANNA = 11


def test_a_loan_that_is_paid_as_due_is_its_schedule(bank: Bank) -> None:
    """Each instalment takes what the schedule says on its day; interest is earned day by day."""
    bank.has(ANNA, amount=1_000_00)
    bank.lends(1, ANNA, 5_000_00, INSTALMENTS)
    assert bank.wallet(ANNA) == 6_000_00
    schedule = valued(resolve(Terms(rate=120_000_000, instalments=6), [Disbursement(START, 5_000_00)]))
    due = {row.due: row for row in schedule.instalments}
    earned = 0
    for day in range(START, schedule.instalments[-1].due + 1):
        before = bank.wallet(ANNA)
        bank.closes(day)
        expected = due[day].payment if day in due else 0
        assert before - bank.wallet(ANNA) == expected
        assert int(bank.loan(1)["balance"]) == schedule.balance_on(day)
        now_earned = bank.balance(house_account_id(LoanAccount.INTEREST_INCOME, EUR))
        assert now_earned >= earned
        earned = now_earned
    bank.is_sound()
    assert bank.loan(1)["state"] == LoanState.REPAID
    assert earned == schedule.interest


@pytest.mark.parametrize("is_level", [True, False])
@pytest.mark.parametrize(("grace", "balloon"), [(2, 0), (0, 1_000_00), (2, 1_000_00)])
def test_grace_and_a_balloon_are_those_of_the_schedule(
    bank: Bank, grace: int, balloon: int, *, is_level: bool
) -> None:
    """The first instalments pay interest alone, and the last one what was to stay for it, to the unit."""
    weekly = msgspec.structs.replace(INSTALMENTS, unit=int(Unit.WEEKS))
    terms = msgspec.structs.replace(weekly, grace=grace, balloon=balloon, is_level=is_level)
    bank.has(ANNA, amount=1_000_00)
    bank.lends(1, ANNA, 5_000_00, terms)
    wanted = Terms(
        rate=120_000_000,
        instalments=6,
        unit=Unit.WEEKS,
        principal_grace=grace,
        balloon=balloon,
        method=Method.EQUAL_INSTALMENTS if is_level else Method.EQUAL_PRINCIPAL,
    )
    schedule = valued(resolve(wanted, [Disbursement(START, 5_000_00)]))
    for row in schedule.instalments:
        before = bank.wallet(ANNA)
        while bank.day <= row.due:
            bank.closes(bank.day)
        assert before - bank.wallet(ANNA) == row.payment
        assert int(bank.loan(1)["balance"]) == row.balance
    bank.is_sound()
    assert bank.loan(1)["state"] == LoanState.REPAID


def test_a_line_has_neither_grace_nor_balloon(bank: Bank) -> None:
    """They are of instalments."""
    bank.has(ANNA)
    for change in ({"grace": 1}, {"balloon": 1}):
        terms = msgspec.structs.replace(LINE, **change)
        assert bank.offers(1, ANNA, 5_000_00, terms).code == "offer_malformed"
