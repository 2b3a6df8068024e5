"""A house sets the rules of its close by currency; a date is closed by those that are in force."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from formicary.factory.ledger import Account
from formicary.products.lending.applications.house import (
    HOUSES_PRODUCT,
    POLICIES_PRODUCT,
    SetCreditPolicy,
    close_rules_of,
    house_id,
)
from formicary.products.lending.applications.settings import CLOSE_SETTINGS
from formicary.products.lending.funding.product import FUNDING_PRODUCT
from formicary.products.lending.funding.schemas import PayInOwnFunds
from formicary.products.lending.product import loans_product
from formicary.products.lending.servicing.close import business_dates
from formicary.products.lending.servicing.close_rules import CloseRules
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.offers import OFFERS
from formicary.products.lending.servicing.schemas import Draw
from tests.products.lending.applications.lender import SETTINGS
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, START, Bank, hex_of

USD, ANNA = 840, 11
LATE = START + 31
"""From the day after on."""
WALLET = 2**66
"""In dollars."""

_LOANS = loans_product()
_DATES = business_dates(_LOANS, close_rules_of, beside=(HOUSES_PRODUCT,))


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Return a bank that lent Anna the same in euros and in dollars, of which nothing is paid."""
    bank = Bank(tmp_path, (FUNDING_PRODUCT, OFFERS, _LOANS, _DATES, POLICIES_PRODUCT))
    assert bank.funds(PayInOwnFunds(subject=USD, amount=10**9)).code == ""
    bank.has(ANNA)
    bank.opens(Account(id=WALLET, ledger=USD, code=2, user_data_128=ANNA))
    bank.lends(1, ANNA, 600_00, INSTALMENTS, is_collected=False)
    assert bank.offers(2, ANNA, 600_00, INSTALMENTS, currency=USD).code == ""
    assert bank.accepts(2, 2, ANNA, 600_00, wallet=hex_of(WALLET), is_collected=False).code == ""
    assert bank.asks(Draw(subject=2, amount=600_00)).code == ""
    return bank


def says(bank: Bank, currency: int, **close: int) -> str:
    """Say by what dates are closed in a currency; return the refusal."""
    settings = msgspec.structs.replace(SETTINGS, close=close)
    said = SetCreditPolicy(subject=house_id(currency), currency=currency, settings=settings)
    return bank.does(POLICIES_PRODUCT, said).code


def test_each_currency_is_closed_by_its_own_rules(bank: Bank) -> None:
    """One close goes over both: what is put aside, and when a loss is taken, are the currency's."""
    assert says(bank, USD, charge_off_days=20, loss=900_000, default=40_000) == ""
    bank.closes(START)
    euros, dollars = (bank.loan(loan) for loan in (1, 2))
    assert int(dollars["allowance"]) == pytest.approx(4 * int(euros["allowance"]), abs=2)
    provided = bank.events("loan.LoansProvided")[-1].data
    assert provided["rules"] == msgspec.to_builtins(CloseRules())
    (own,) = provided["own"]
    assert (own["currency"], own["rules"]["loss"], own["rules"]["charge_off_days"]) == (USD, 900_000, 20)
    while bank.day <= LATE + 20:
        assert bank.loan(2)["state"] == LoanState.ACTIVE
        bank.closes(bank.day)
    assert [int(bank.loan(loan)["state"]) for loan in (1, 2)] == [LoanState.ACTIVE, LoanState.CHARGED_OFF]
    lost = [one for one in bank.events("business_date.DateChargedOff") if one.data["losses"]]
    assert [(one.subject, one.data["own"][0]["rules"]["charge_off_days"]) for one in lost] == [
        (LATE + 20, 20)
    ]
    bank.is_sound()
    bank.recovers()


def test_what_is_in_force_holds_from_the_next_part_on(bank: Bank) -> None:
    """A version changes what is closed after it, and nothing that was."""
    bank.closes(START)
    before = bank.loan(1)
    assert says(bank, EUR, loss=900_000) == ""
    assert bank.loan(1)["allowance"] == before["allowance"]
    bank.closes(START + 1)
    assert int(bank.loan(1)["allowance"]) == pytest.approx(2 * int(before["allowance"]), rel=0.01)
    assert int(bank.loan(2)["allowance"]) == pytest.approx(int(before["allowance"]), rel=0.01)
    assert says(bank, EUR, charge_off_days=0) == ""
    bank.closes(START + 2)
    # What is left out has its default again, as each version is whole.
    assert int(bank.loan(1)["allowance"]) == int(bank.loan(2)["allowance"])
    bank.is_sound()
    bank.recovers()


def test_a_version_is_whole(bank: Bank) -> None:
    """Every default stands in the journal; what is out of bounds, or unknown, is refused."""
    assert says(bank, EUR, charge_off_days=90) == ""
    told = bank.events("credit_house.CreditPolicySet")[-1].data["settings"]["close"]
    assert told == msgspec.to_builtins(CloseRules(charge_off_days=90))
    assert tuple(told) == CLOSE_SETTINGS
    for wrong in ({"charge_off_days": 4_000}, {"impaired_days": 30}, {"charge_offs": 1}):
        assert says(bank, EUR, **wrong) == "credit_house_malformed"
