"""What is put aside day by day: against plain fractions, and against the accounts."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import numpy as np
import pytest

from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.close_rules import CloseRules, CurrencyRules
from formicary.products.lending.servicing.fields import Believed
from formicary.products.lending.servicing.layout import LOAN, LoanKind, LoanState
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.providing import (
    Moved,
    joined,
    moved_between,
    provide,
    provisions_of,
)
from formicary.products.lending.servicing.schemas import AssessRisk, ChargeOff, Repay
from formicary.products.lending.servicing.terms import DAY
from formicary.products.lending.underwriting.movements import movements
from formicary.products.lending.underwriting.provisions import PROVISION
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

ANNA, BEN, CARL = 11, 12, 13
RULES = CloseRules()
STAGES = (
    LoanAccount.ALLOWANCE_PERFORMING,
    LoanAccount.ALLOWANCE_INCREASED,
    LoanAccount.ALLOWANCE_IMPAIRED,
)


def allowances(bank: Bank) -> list[int]:
    """Return what the house's accounts of the three stages hold."""
    return [bank.balance(house_account_id(code, EUR)) for code in STAGES]


def moved_on(bank: Bank, day: int) -> list[Moved]:
    """Return how allowances moved on a business date, as its events say."""
    names = Moved.__struct_fields__
    found = [event for event in bank.events("business_date.DateProvided") if event.subject == day]
    return [Moved(**{name: row[name] for name in names}) for event in found for row in event.data["moved"]]


def test_a_late_loan_passes_the_stages(bank: Bank) -> None:
    """Nobody pays: 12 months' losses, the whole life's from day thirty on, the loss from day ninety on."""
    bank.has(ANNA)
    bank.lends(1, ANNA, 600_00, INSTALMENTS, is_collected=False)
    stages = []
    for day in range(START, START + 31 + 95):
        bank.closes(day)
        bank.is_sound()
        loan = bank.loan(1)
        owed = int(loan["balance"] + loan["interest_due"] + loan["accrued"] - loan["unbooked"])
        stages.append(int(loan["stage"]))
        held = [0, 0, 0]
        held[stages[-1] - 1] = int(loan["allowance"])
        assert allowances(bank) == held
        if stages[-1] == 3:
            assert loan["allowance"] == round(Fraction(owed * RULES.loss, 10**6))
    assert [stages.index(stage) for stage in (1, 2, 3)] == [0, 31 + 30, 31 + 90]
    expense = -bank.balance(house_account_id(LoanAccount.IMPAIRMENT, EUR))
    assert expense == sum(allowances(bank)) > 0


def test_movements_lead_from_day_to_day(bank: Bank) -> None:
    """Opening is the closing of the day before; what is repaid or lost is gone, what is new is new."""
    bank.has(ANNA, BEN, CARL, amount=700_00)
    bank.lends(1, ANNA, 600_00, INSTALMENTS, is_collected=False)
    bank.lends(2, BEN, 300_00, LINE)
    closing: dict[int, int] = {}
    for day in range(START, START + 40):
        if day == START + 3:
            bank.lends(3, CARL, 900_00, INSTALMENTS)
        if day == START + 5:
            assert bank.asks(Repay(subject=2, amount=400_00)).code == ""
        if day == START + 35:
            assert bank.asks(ChargeOff(subject=1)).code == ""
        bank.closes(day)
        rows = moved_on(bank, day)
        assert {row.stage: row.opening for row in rows if row.opening} == closing
        closing = {row.stage: row.closing for row in rows if row.closing}
        assert [closing.get(stage, 0) for stage in (1, 2, 3)] == allowances(bank)
        if day == START + 3:
            assert [row.new for row in rows] == [int(bank.loan(3)["allowance"])]
        if day == START + 35:
            assert sum(row.gone for row in rows) > 0
            assert bank.loan(1)["stage"] == bank.loan(1)["allowance"] == 0
    bank.recovers()
    bank.is_sound()


def test_what_came_after_the_date_belongs_to_the_next(bank: Bank) -> None:
    """Whoever closes late has loans of later days on the book: nothing is put aside for them yet."""
    bank.has(ANNA, BEN)
    bank.lends(1, ANNA, 600_00, LINE)
    bank.clock.set((START + 1) * DAY + DAY // 2)
    bank.lends(2, BEN, 600_00, LINE)
    bank.closes(START)
    assert [int(bank.loan(loan)["stage"]) for loan in (1, 2)] == [1, 0]
    assert allowances(bank) == [int(bank.loan(1)["allowance"]), 0, 0]
    bank.closes(START + 1)
    assert [int(bank.loan(loan)["stage"]) for loan in (1, 2)] == [1, 1]
    bank.is_sound()


def test_what_was_assessed_counts(bank: Bank) -> None:
    """A loan knows the chance and the loss of its offer; a risk that doubled, or an insolvency, its stage."""
    bank.has(ANNA)
    assert (
        bank.offers(1, ANNA, 600_00, INSTALMENTS, believed=Believed(default=100_000, loss=500_000)).code == ""
    )
    assert bank.accepts(1, 1, ANNA, 600_00).code == ""
    bank.closes(START)
    # Nothing is drawn: half of it is expected to be, within its six months of 30 days.
    assert bank.loan(1)["stage"] == 1
    days = 181
    assert bank.loan(1)["allowance"] == round(
        Fraction(300_00 * round(Fraction(100_000 * days, 365)), 2 * 10**6)
    )
    for default, is_impaired, stage in (
        (150_000, False, 1),
        (200_000, False, 2),
        (1, True, 3),
        (1, False, 1),
    ):
        assert bank.asks(AssessRisk(subject=1, default=default, is_impaired=is_impaired)).code == ""
        bank.closes(bank.day)
        assert bank.loan(1)["stage"] == stage
        bank.is_sound()
    assert bank.asks(AssessRisk(subject=1, default=0)).code == "malformed_command"
    assert bank.asks(AssessRisk(subject=2, default=1)).code == "loan_not_found"


@pytest.mark.parametrize(("unit", "days"), [(0, 15), (1, 75), (2, 300)])
def test_days_that_are_left(unit: int, days: int) -> None:
    """Of periods of days, weeks and months; a chance counts for the days that a loan still lasts."""
    loans = np.zeros(2, LOAN)
    loans["kind"], loans["state"] = LoanKind.INSTALMENT, LoanState.ACTIVE
    loans["unit"], loans["every"], loans["left"] = unit, 1, 10
    loans["balance"], loans["next_due"], loans["id_low"] = 10**10, START + 6, [1, 2]
    loans["default"], loans["loss"], loans["currency"] = 10**6, 10**6, EUR
    loans["default"] = loans["default_now"] = 365
    after = provisions_of(loans, START, RULES)
    assert abs(int(after["chance"][0]) - days) <= 25
    last = START + 6 + 9 * (1, 7, 0)[unit]
    if unit < 2:
        assert int(after["chance"][0]) == last - START


def test_amounts_beyond_those_of_underwriting() -> None:
    """A loan of any amount that can be lent is provided for, and nothing overflows."""
    loans = np.zeros(3, LOAN)
    loans["kind"], loans["state"] = LoanKind.LINE, [LoanState.ACTIVE, LoanState.ACTIVE, LoanState.REPAID]
    loans["currency"], loans["id_low"], loans["is_impaired"] = EUR, [1, 2, 3], 1
    loans["balance"] = [100 * LENDING_AMOUNT_MAX, 100 * LENDING_AMOUNT_MAX - 1, 5]
    loans["limit"] = 100 * LENDING_AMOUNT_MAX
    before = loans.copy()
    provide(loans, START, RULES)
    assert loans["allowance"].tolist() == [45 * LENDING_AMOUNT_MAX, 45 * LENDING_AMOUNT_MAX, 0]
    (row,) = moved_between(before, loans)
    assert (row.stage, row.new, row.closing) == (3, 90 * LENDING_AMOUNT_MAX, 90 * LENDING_AMOUNT_MAX)
    loans["balance"] = 0
    after = provisions_of(loans[:2], START, CloseRules(drawn_millionths=10**6))
    assert after["exposure"].tolist() == [100 * LENDING_AMOUNT_MAX] * 2


def test_movements_are_those_of_underwriting() -> None:
    """Of loans that came, went, changed their stage or did not, in two currencies."""
    before, after = np.zeros(200, LOAN), np.zeros(200, LOAN)
    numbers = np.arange(200)
    for loans, salt in ((before, 7), (after, 11)):
        loans["id_low"], loans["currency"] = numbers + 1, np.where(numbers % 3 == 0, EUR, 826)
        loans["stage"] = numbers * salt // 5 % 4
        loans["allowance"] = np.where(loans["stage"] > 0, numbers * salt * 13 % 997, 0)
    tables = []
    for loans in (before, after):
        there = loans[loans["stage"] > 0]
        table = np.zeros(len(there), PROVISION)
        table["loan"] = np.column_stack([there["id_high"], there["id_low"]])
        for name in ("currency", "stage", "allowance"):
            table[name] = there[name]
        tables.append(table)
    expected = movements(*tables)
    found = moved_between(before, after)
    assert [msgspec.structs.astuple(row) for row in found] == expected.tolist()
    halves = (moved_between(before[:90], after[:90]), moved_between(before[90:], after[90:]))
    assert joined([row for half in halves for row in half]) == found


def test_each_currency_has_its_own_rules() -> None:
    """Two loans that are alike but for their currency, one of which the house says more of."""
    loans = np.zeros(2, LOAN)
    loans["kind"], loans["state"] = LoanKind.LINE, LoanState.ACTIVE
    loans["currency"], loans["id_low"], loans["balance"] = [EUR, 826], [1, 2], 1_000_00
    own = (CurrencyRules(currency=826, rules=CloseRules(default=40_000, loss=500_000)),)
    provide(loans, START, RULES, own)
    assert loans["allowance"].tolist() == [1_000_00 * 2 * 45 // 10**4, 1_000_00 * 4 * 50 // 10**4]


def test_a_date_says_by_which_rules(bank: Bank) -> None:
    """The rules of a date stand in the journal: another engine with others folds it as it was."""
    bank.has(ANNA)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    bank.closes(START)
    (event,) = bank.events("loan.LoansProvided")
    assert event.data["rules"]["default"] == RULES.default
    assert bank.does(BUSINESS_DATES, CloseBusinessDate(subject=START)).code == "business_date_closed"
