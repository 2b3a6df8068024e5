"""Loans that are not paid: buckets, non-accrual, charge-off, recovery, write-back, refinancing."""

from __future__ import annotations

import pytest

from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import Bucket, LoanState
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.schemas import (
    ChargeOff,
    Draw,
    RecordRecovery,
    RefinanceLoan,
    Repay,
    WriteBack,
)
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, START, Bank, hex_of

ANNA = 11
FIRST_DUE = START + 31
DEAR = LoanTerms(kind=2, rate=120_000_000, instalments=6, fee=2_00, draw_fee=5_00)


def own(bank: Bank, code: LoanAccount) -> int:
    """Return what one of the house's accounts holds."""
    return bank.balance(house_account_id(code, EUR))


@pytest.fixture
def late(bank: Bank) -> Bank:
    """Return a bank that lent Anna 600, who spent it all."""
    bank.has(ANNA)
    bank.lends(1, ANNA, 600_00, DEAR)
    assert bank.wallet(ANNA) == 595_00
    bank.earns(ANNA, -595_00)
    return bank


def test_buckets_go_by_the_days_since_something_is_due(late: Bank) -> None:
    """1, 30, 60 and 90 days after the first unpaid instalment it is one bucket worse; then accrual ends."""
    seen = {}
    for day in range(START, FIRST_DUE + 95):
        late.closes(day)
        seen[day - FIRST_DUE] = Bucket(int(late.loan(1)["bucket"]))
    changes = [days for days in seen if days - 1 in seen and seen[days] != seen[days - 1]]
    assert changes == [1, 30, 60, 90]
    assert late.loan(1)["is_non_accrual"] == 1
    assert late.loan(1)["unbooked"] > 0
    late.is_sound()


def test_who_pays_all_that_is_due_is_current_again(late: Bank) -> None:
    """What was not booked is, and accrual goes on."""
    for day in range(START, FIRST_DUE + 100):
        late.closes(day)
    income = own(late, LoanAccount.INTEREST_INCOME)
    unbooked = int(late.loan(1)["unbooked"])
    loan = late.loan(1)
    late.earns(ANNA, 1_000_00)
    due = sum(int(loan[name]) for name in ("fees_due", "interest_due", "principal_due"))
    late.closes(FIRST_DUE + 100)
    assert late.wallet(ANNA) == 1_000_00 - due
    loan = late.loan(1)
    assert not any(loan[name] for name in ("bucket", "is_non_accrual", "unbooked", "arrears_since"))
    assert own(late, LoanAccount.INTEREST_INCOME) - income >= unbooked
    late.is_sound()


def test_a_loss_is_taken_recovered_and_taken_back(late: Bank) -> None:
    """Losses are what was booked; what comes of it is recovery; written back, the rest is due."""
    for day in range(START, FIRST_DUE + 40):
        late.closes(day)
    lost = late.asks(ChargeOff(subject=1)).answer
    assert lost["principal"] == 600_00
    assert lost["fees"] == 4_00
    assert -own(late, LoanAccount.LOSSES) == sum(lost.values())
    assert late.loan(1)["state"] == LoanState.CHARGED_OFF
    late.is_sound()
    late.earns(ANNA, 100_00)
    left = late.asks(RecordRecovery(subject=1, amount=10_00)).answer
    assert left["principal"] == lost["principal"]
    assert left["fees"] == 0
    assert left["interest"] == lost["interest"] - 6_00
    assert own(late, LoanAccount.RECOVERIES) == 10_00
    late.closes(FIRST_DUE + 40)
    assert late.wallet(ANNA) == 90_00
    assert late.asks(WriteBack(subject=1)).code == ""
    late.is_sound()
    late.closes(FIRST_DUE + 41)
    assert late.wallet(ANNA) == 0
    assert late.loan(1)["state"] == LoanState.ACTIVE


def test_a_loss_that_is_recovered_whole_is_over(late: Bank) -> None:
    """No more is taken than is owed."""
    for day in range(START, FIRST_DUE + 2):
        late.closes(day)
    lost = sum(late.asks(ChargeOff(subject=1)).answer.values())
    late.earns(ANNA, 10_000_00)
    assert late.asks(RecordRecovery(subject=1, amount=9_000_00)).answer["amount"] == lost
    assert late.wallet(ANNA) == 10_000_00 - lost
    assert late.loan(1)["state"] == LoanState.REPAID


def test_loans_of_one_wallet_share_it(bank: Bank) -> None:
    """What there is goes to the loans in the order in which they were made, and to no more than is there."""
    bank.has(ANNA)
    for loan in (1, 2):
        bank.lends(loan, ANNA, 600_00, INSTALMENTS)
    bank.earns(ANNA, -1_200_00 + 150_00)
    for day in range(START, FIRST_DUE + 1):
        bank.closes(day)
    assert bank.wallet(ANNA) == 0
    assert [int(bank.loan(loan)["bucket"]) for loan in (1, 2)] == [0, 0]
    assert not bank.loan(1)["arrears_since"]
    assert bank.loan(2)["arrears_since"] == FIRST_DUE
    bank.is_sound()


def test_a_loan_pays_off_another_one(bank: Bank) -> None:
    """The old one is over, the rest is in the wallet; a third time in a row is refused."""
    bank.has(ANNA, amount=10_00)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    for day in range(START, START + 10):
        bank.closes(day)
    for loan in (2, 3, 4):
        assert bank.offers(loan, ANNA, 700_00, DEAR).code == ""
        assert bank.accepts(loan, loan, ANNA, 700_00).code == ""
    before = bank.wallet(ANNA)
    answer = bank.asks(RefinanceLoan(subject=2, loan=hex_of(1))).answer
    assert bank.wallet(ANNA) == before + 700_00 - answer["paid_off"] - 5_00
    assert bank.loan(1)["state"] == LoanState.REPAID
    assert int(bank.loan(2)["balance"]) == 700_00
    assert bank.asks(RefinanceLoan(subject=3, loan=hex_of(2))).code == ""
    assert bank.asks(RefinanceLoan(subject=4, loan=hex_of(3))).code == "refinancing_refused"
    assert bank.asks(RefinanceLoan(subject=4, loan=hex_of(4))).code == "refinancing_refused"
    bank.is_sound()


def test_a_loan_that_is_too_small_pays_off_nothing(bank: Bank) -> None:
    """All of the old one, or nothing of it."""
    bank.has(ANNA)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    assert bank.offers(2, ANNA, 500_00, INSTALMENTS).code == ""
    assert bank.accepts(2, 2, ANNA, 500_00).code == ""
    assert bank.asks(RefinanceLoan(subject=2, loan=hex_of(1))).code == "refinancing_refused"
    assert bank.loan(2)["state"] == LoanState.ACCEPTED


def test_paying_early_shortens_the_term(bank: Bank) -> None:
    """The instalment stays, interest is that of what is left, and the loan is over sooner."""
    bank.has(ANNA, amount=1_000_00)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    for day in range(START, START + 15):
        bank.closes(day)
    paid = bank.asks(Repay(subject=1, amount=300_00)).answer
    # Half a month and a bit of one percent comes first.
    assert paid["balance"] == 600_00 - 300_00 + 2_90
    days = 0
    while bank.loan(1)["state"] == LoanState.ACTIVE:
        bank.closes(START + 15 + days)
        days += 1
    assert days < 100
    bank.is_sound()


def test_a_line_is_drawn_again_and_again(bank: Bank) -> None:
    """Interest is by the day on what is drawn at the time, half a per mille here."""
    bank.has(ANNA, amount=1_000_00)
    line = LoanTerms(kind=1, rate=182_500_000, day_count=3, share=50_000)
    assert bank.offers(1, ANNA, 1_000_00, line).code == ""
    assert bank.accepts(1, 1, ANNA, 1_000_00).code == ""
    assert bank.asks(Draw(subject=1, amount=400_00)).code == ""
    for day in range(START, START + 10):
        bank.closes(day)
    assert bank.asks(Draw(subject=1, amount=600_00)).code == ""
    assert bank.asks(Draw(subject=1, amount=1)).code == "draw_out_of_range"
    for day in range(START + 10, START + 20):
        bank.closes(day)
    answer = bank.asks(Repay(subject=1, amount=2_000_00)).answer
    assert answer["amount"] == 1_000_00 + 10 * 20 + 10 * 50
    assert bank.asks(Draw(subject=1, amount=1_00)).code == ""
    bank.is_sound()
