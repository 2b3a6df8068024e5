"""Joint loans: a partner has its share of everything, to the unit, and nothing is left at the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.products.lending.funding.product import FUNDING_PRODUCT
from formicary.products.lending.funding.schemas import Borrow, PayInPartner, PayPartner
from formicary.products.lending.product import LOANS, loans_product
from formicary.products.lending.servicing.close import business_dates
from formicary.products.lending.servicing.exposure import Sums, of_party, sums_of
from formicary.products.lending.servicing.joint import own_part, partner_part
from formicary.products.lending.servicing.offers import OFFERS
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.schemas import (
    ChargeOff,
    Draw,
    RecordRecovery,
    RefinanceLoan,
    Repay,
    WriteBack,
)
from formicary.products.lending.servicing.terms import day_at
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, Bank

ANNA, BERT, CARL = 11, 12, 13
SHARE = 666_667
_JOINT = loans_product(lambda _, asking: SHARE if asking.partner_share is None else asking.partner_share)
JOINT = (FUNDING_PRODUCT, OFFERS, _JOINT, business_dates(_JOINT))


@pytest.fixture
def joint(tmp_path: Path) -> Bank:
    """Return a bank that keeps a third, whose partner paid 2,000 in."""
    bank = Bank(tmp_path, JOINT, own_funds=2_000_00)
    assert bank.funds(PayInPartner(subject=EUR, amount=2_000_00)).code == ""
    bank.has(ANNA, BERT, CARL, amount=300_00)
    return bank


def held(bank: Bank, code: LoanAccount) -> int:
    """Return credits less debits of the house's account."""
    return bank.balance(house_account_id(code, EUR))


def test_a_draw_is_paid_by_both(joint: Bank) -> None:
    """The partner has its share, rounded down, of what is lent; exposure and cash are the house's part."""
    joint.lends(1, ANNA, 600_01, INSTALMENTS)
    of_partner = 600_01 * SHARE // 10**6
    assert held(joint, LoanAccount.PARTICIPATION) == of_partner
    assert held(joint, LoanAccount.PARTNER) == 2_000_00 - of_partner
    assert joint.cash - held(joint, LoanAccount.PARTNER) == 2_000_00 - (600_01 - of_partner)
    totals = sums_of(joint.engine.state.columns[LOANS.name].totals, EUR)
    assert sum(totals.values(), Sums()) == Sums(exposure=600_01 - of_partner)
    assert joint.offers(2, BERT, 900_00, LINE).code == ""
    assert joint.accepts(2, 2, BERT, 900_00).code == ""
    assert joint.asks(Draw(subject=2, amount=100_00)).code == ""
    owed = of_party(
        joint.engine.state.columns[LOANS.name].found("party", BERT),
        currency=EUR,
        day=day_at(joint.clock.now()),
    )
    assert owed.exposure == 900_00 - 900_00 * SHARE // 10**6
    joint.is_sound()


def test_without_the_partners_money_nothing_is_drawn(joint: Bank) -> None:
    """Its share is there before; what is not lent it may have back, and no more."""
    assert joint.funds(PayPartner(subject=EUR, amount=2_000_01)).code == "funding_exceeded"
    assert joint.funds(PayPartner(subject=EUR, amount=1_999_00)).code == ""
    assert joint.offers(1, ANNA, 600_00, INSTALMENTS).code == ""
    assert joint.accepts(1, 1, ANNA, 600_00).code == ""
    assert joint.asks(Draw(subject=1, amount=600_00)).code == "exceeds_credits"
    joint.is_sound()


def test_a_life_of_joint_loans(joint: Bank) -> None:
    """Collected, late, lost, recovered, written back, refinanced: books balance, and nothing is left."""
    assert joint.funds(Borrow(subject=EUR, amount=500_00, rate=50_000_000)).code == ""
    joint.lends(1, ANNA, 600_00, INSTALMENTS)
    joint.lends(2, BERT, 600_00, INSTALMENTS, is_collected=False)
    joint.lends(3, CARL, 400_00, LINE)
    for day in range(START, START + 100):
        joint.closes(day)
        joint.is_sound()
    assert joint.asks(ChargeOff(subject=2)).code == ""
    joint.is_sound()
    lost = -held(joint, LoanAccount.LOSSES)
    charged = sum(int(joint.loan(2)[f"charged_{name}"]) for name in ("principal", "interest", "fees"))
    assert lost == charged - charged * SHARE // 10**6
    assert joint.asks(RecordRecovery(subject=2, amount=50_01)).code == ""
    assert held(joint, LoanAccount.RECOVERIES) == 50_01 - 50_01 * SHARE // 10**6
    assert joint.asks(WriteBack(subject=2)).code == ""
    joint.is_sound()
    assert joint.offers(4, CARL, 500_00, INSTALMENTS).code == ""
    assert joint.accepts(4, 4, CARL, 500_00).code == ""
    assert joint.asks(RefinanceLoan(subject=4, loan=f"{3:032x}")).code == ""
    joint.is_sound()
    for party, loan in ((ANNA, 1), (BERT, 2), (CARL, 4)):
        joint.earns(party, 1_000_00)
        assert joint.asks(Repay(subject=loan, amount=1_000_00)).code == ""
    joint.closes(START + 100)
    joint.is_sound()
    assert held(joint, LoanAccount.PARTICIPATION) == 0
    told = joint.events("business_date.BooksClosed")[-1].data["books"][0]
    assert (told["participation"], told["partner"]) == (0, held(joint, LoanAccount.PARTNER))
    # What came in beside what was lent: a third of it is the house's, within a unit a movement.
    of_partner = held(joint, LoanAccount.PARTNER) - 2_000_00
    of_house = (LoanAccount.INTEREST_INCOME, LoanAccount.RECOVERIES, LoanAccount.LOSSES)
    earned = of_partner + sum(held(joint, code) for code in of_house)
    assert abs(of_partner - earned * SHARE / 10**6) < 20
    joint.recovers()


def test_a_partner_bears_its_share_of_what_is_put_aside(joint: Bank, tmp_path: Path) -> None:
    """The allowance is for what the house retains."""
    (tmp_path / "alone").mkdir()
    alone = Bank(tmp_path / "alone")
    alone.has(ANNA)
    for bank in (joint, alone):
        bank.lends(1, ANNA, 600_00, INSTALMENTS)
        bank.closes(START)
    whole = int(alone.loan(1)["allowance"])
    assert int(joint.loan(1)["allowance"]) == whole - whole * SHARE // 10**6 > 0


@given(st.integers(0, 10**14), st.integers(0, 10**6))
def test_parts_are_exact(amount: int, share: int) -> None:
    """Of any amount: the partner's rounded down, the house's the rest."""
    (partner,) = partner_part([amount], [share]).tolist()
    assert partner == amount * share // 10**6
    assert own_part(np.array([amount]), share).tolist() == [amount - partner]


def test_a_close_takes_the_losses_of_both(joint: Bank) -> None:
    """What is late for too long is lost by the close itself: the partner has its share of it."""
    joint.lends(1, ANNA, 600_00, INSTALMENTS, is_collected=False)
    joint.lends(2, BERT, 400_00, INSTALMENTS)
    day = START
    while held(joint, LoanAccount.LOSSES) == 0:
        joint.closes(day)
        joint.is_sound()
        day += 1
    charged = sum(int(joint.loan(1)[f"charged_{name}"]) for name in ("principal", "interest", "fees"))
    assert -held(joint, LoanAccount.LOSSES) == charged - charged * SHARE // 10**6
    joint.recovers()
