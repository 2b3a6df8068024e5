"""What is refused, and that money is then where it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from formicary.base.errors import Refusal
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.products import Command, Context
from formicary.products.lending.product import BUSINESS_DATES, OFFERS, loans_product
from formicary.products.lending.servicing.close import CloseBusinessDate, business_dates
from formicary.products.lending.servicing.drawing import Asking
from formicary.products.lending.servicing.fields import AMOUNTS, LoanTerms
from formicary.products.lending.servicing.offers import WithdrawOffer
from formicary.products.lending.servicing.schemas import (
    AllowCollection,
    ChargeOff,
    Draw,
    RecordRecovery,
    RefinanceLoan,
    Repay,
    RevokeCollection,
    TakeOverLoans,
    WriteBack,
)
from formicary.products.lending.servicing.terms import DAY
from tests.products.lending.servicing.bank import EUR, INSTALMENTS, LINE, START, WALLETS, Bank, hex_of

ANNA, BEN = 11, 12


@pytest.fixture
def lent(bank: Bank) -> Bank:
    """Return a bank that lent 600 to Anna (1), has a line of hers (2), and two offers to her (3, 4)."""
    bank.has(ANNA, BEN, amount=100_00)
    bank.lends(1, ANNA, 600_00, INSTALMENTS)
    assert bank.offers(2, ANNA, 900_00, LINE).code == ""
    assert bank.accepts(2, 2, ANNA, 900_00).code == ""
    for offer in (3, 4):
        assert bank.offers(offer, ANNA, 700_00, INSTALMENTS).code == ""
    return bank


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Draw(subject=1, amount=600_00), "loan_drawn"),
        (Draw(subject=2, amount=0), "draw_out_of_range"),
        (Draw(subject=2, amount=900_01), "draw_out_of_range"),
        (Draw(subject=9, amount=1), "loan_not_found"),
        (Repay(subject=1, amount=0), "repayment_out_of_range"),
        (Repay(subject=1, amount=-1), "malformed_command"),
        (Repay(subject=2, amount=1), "loan_not_open"),
        (Repay(subject=1, amount=700_01), "exceeds_credits"),
        (AllowCollection(subject=1), "collection_unchanged"),
        (ChargeOff(subject=1), "loan_not_in_arrears"),
        (ChargeOff(subject=2), "loan_not_open"),
        (RecordRecovery(subject=1, amount=1), "loan_not_open"),
        (RecordRecovery(subject=1, amount=0), "repayment_out_of_range"),
        (WriteBack(subject=1), "loan_not_open"),
        (RefinanceLoan(subject=2, loan=hex_of(1)), "refinancing_refused"),
        (RefinanceLoan(subject=2, loan=hex_of(9)), "loan_not_found"),
    ],
)
def test_a_loan_refuses(lent: Bank, command: Command, code: str) -> None:
    """Nothing that is refused moves anything."""
    lent.earns(ANNA, -lent.wallet(ANNA) + 100)
    before = lent.wallet(ANNA), lent.engine.state.aggregates["loan"].hash
    assert lent.asks(command).code == code
    assert before == (lent.wallet(ANNA), lent.engine.state.aggregates["loan"].hash)
    lent.is_sound()


def test_a_line_without_debt_owes_nothing(lent: Bank) -> None:
    """What was drawn and paid back on one day costs nothing; then there is nothing to pay."""
    assert lent.asks(Draw(subject=2, amount=10_00)).code == ""
    receipt = lent.asks(Repay(subject=2, amount=50_00))
    assert receipt.answer == {"amount": 10_00, "owed": 0, "balance": 0}
    assert lent.asks(Repay(subject=2, amount=1)).code == "nothing_owed"


def test_a_closed_loan_takes_no_payment(lent: Bank) -> None:
    """A loan that was paid off whole is over."""
    assert lent.asks(Repay(subject=1, amount=700_00)).answer["amount"] == 600_00
    assert lent.asks(Repay(subject=1, amount=1)).code == "loan_not_open"
    assert lent.asks(Draw(subject=1, amount=600_00)).code == "loan_not_open"


def test_offers_are_refused_that_are_absurd(lent: Bank) -> None:
    """An offer lends something, ends later, and has terms of its kind to a party that agrees."""
    assert lent.offers(3, ANNA, 1, INSTALMENTS).code == "offer_exists"
    assert lent.offers(0, ANNA, 1, INSTALMENTS).code == "malformed_command"
    assert lent.offers(5, ANNA, 0, INSTALMENTS).code == "offer_malformed"
    assert lent.offers(5, ANNA, 1, INSTALMENTS, expires=1).code == "offer_malformed"
    assert lent.offers(5, ANNA, 1, LoanTerms(kind=1, rate=0, instalments=3)).code == "offer_malformed"
    assert lent.offers(5, ANNA, 1, LoanTerms(kind=2, rate=-1, instalments=3)).code == "malformed_command"
    assert lent.offers(5, 99, 1, INSTALMENTS).code == "party_not_found"
    lent.disagrees(BEN)
    assert lent.offers(5, BEN, 1, INSTALMENTS).code == "credit_consent_missing"
    assert lent.does(OFFERS, WithdrawOffer(subject=5)).code == "offer_not_found"
    assert lent.does(OFFERS, WithdrawOffer(subject=3)).code == ""
    assert lent.does(OFFERS, WithdrawOffer(subject=3)).code == "offer_taken"


def test_offers_are_accepted_as_they_were_made(lent: Bank) -> None:
    """By the party, in time, at the rate that was shown, into a wallet of its own."""
    assert lent.accepts(1, 3, ANNA, 1_00).code == "loan_exists"
    assert lent.accepts(0, 3, ANNA, 1_00).code == "malformed_command"
    assert lent.accepts(3, 9, ANNA, 1_00).code == "offer_not_found"
    assert lent.accepts(3, 3, BEN, 1_00).code == "not_your_offer"
    assert lent.accepts(3, 3, ANNA, 700_01).code == "draw_out_of_range"
    assert lent.accepts(3, 3, ANNA, 700_00, effective_rate=1).code == "rate_not_shown"
    for wallet in (WALLETS + BEN, 404):
        assert lent.accepts(3, 3, ANNA, 1_00, wallet=hex_of(wallet)).code == "loan_wallet_unusable"
    assert lent.accepts(3, 3, ANNA, 700_00).code == ""
    assert lent.accepts(5, 3, ANNA, 700_00).code == "offer_taken"
    lent.clock.advance(31 * DAY)
    assert lent.accepts(4, 4, ANNA, 700_00).code == "offer_expired"


def test_consent_that_was_taken_back_stops_new_credit_only(lent: Bank) -> None:
    """Between the offer and the draw a party may change its mind; its loans go on."""
    assert lent.accepts(3, 3, ANNA, 700_00).code == ""
    lent.disagrees(ANNA)
    assert lent.asks(Draw(subject=2, amount=1)).code == "credit_consent_missing"
    assert lent.asks(Draw(subject=3, amount=700_00)).code == "credit_consent_missing"
    assert lent.asks(RefinanceLoan(subject=3, loan=hex_of(1))).code == "credit_consent_missing"
    assert lent.accepts(4, 4, ANNA, 700_00).code == "credit_consent_missing"
    assert lent.asks(Repay(subject=1, amount=1_00)).code == ""
    lent.closes(START)


@dataclass
class ModelGone(Refusal):
    """There is no model to say whom to lend to."""

    code = "test_model_gone"


def test_without_a_model_loans_are_served_and_none_is_made(lent: Bank) -> None:
    """What the house refuses to lend stays with new credit."""

    def nobody(_: Context, asking: Asking) -> int:
        assert asking.amount
        raise ModelGone

    guarded = loans_product(nobody)
    lent.products = tuple(
        {"loan": guarded, "business_date": business_dates(guarded)}.get(one.name, one)
        for one in lent.products
    )
    lent.recovers()
    assert lent.asks(Draw(subject=2, amount=1)).code == "test_model_gone"
    assert lent.accepts(3, 3, ANNA, 700_00).code == "test_model_gone"
    assert lent.asks(Repay(subject=1, amount=600_00)).code == ""


def test_who_is_late_gets_nothing_more(lent: Bank) -> None:
    """Until what is due is paid."""
    assert lent.asks(Draw(subject=2, amount=100_00)).code == ""
    assert lent.asks(RevokeCollection(subject=2)).code == ""
    for day in range(START, START + 33):
        lent.closes(day)
    assert lent.loan(2)["bucket"] == 1
    assert lent.asks(Draw(subject=2, amount=1)).code == "loan_in_arrears"


def test_nobody_is_late_on_the_day_on_which_something_falls_due(lent: Bank) -> None:
    """A line can be drawn until the day is over, and there is no loss to take; the day after it is late."""
    assert lent.asks(Draw(subject=2, amount=100_00)).code == ""
    for loan in (1, 2):
        assert lent.asks(RevokeCollection(subject=loan)).code == ""
    for day in range(START, START + 31):
        lent.closes(day)
    assert lent.asks(Draw(subject=2, amount=10_00)).code == ""
    assert (int(lent.loan(2)["arrears_since"]), int(lent.loan(2)["bucket"])) == (START + 31, 0)
    assert lent.asks(ChargeOff(subject=2)).code == "loan_not_in_arrears"
    lent.closes(START + 31)
    assert lent.asks(Draw(subject=2, amount=10_00)).code == "loan_in_arrears"
    assert lent.asks(ChargeOff(subject=2)).code == ""
    lent.is_sound()


def test_dates_are_closed_in_order(lent: Bank) -> None:
    """Once they came, each once, none left out, and not two at a time."""
    closing = [lent.does(BUSINESS_DATES, CloseBusinessDate(subject=day)).code for day in (0, START + 1)]
    assert closing == ["business_date_not_over"] * 2
    lent.closes(START)
    again = [lent.does(BUSINESS_DATES, CloseBusinessDate(subject=day)).code for day in (START, START - 1)]
    assert again == ["business_date_closed", "business_date_out_of_order"]
    lent.clock.advance(3 * DAY)
    assert (
        lent.does(BUSINESS_DATES, CloseBusinessDate(subject=START + 2)).code == "business_date_out_of_order"
    )
    assert lent.does(BUSINESS_DATES, CloseBusinessDate(subject=START + 1)).code == ""
    assert (
        lent.does(BUSINESS_DATES, CloseBusinessDate(subject=START + 2)).code == "business_date_out_of_order"
    )


def takeover(**other: object) -> TakeOverLoans:
    """Return the takeover of one loan of Ben's, or with other fields."""
    fields = {
        "subject": 1,
        "currency": EUR,
        "terms": INSTALMENTS,
        "day": START,
        "next_due": START + 10,
        "ids": IDS.pack(np.array([[0, 77]], np.uint64)),
        "parties": IDS.pack(np.array([[0, BEN]], np.uint64)),
        "wallets": IDS.pack(np.array([[1, BEN]], np.uint64)),
        "balances": AMOUNTS.pack([500_00]),
        "instalments": AMOUNTS.pack([90_00]),
    }
    return TakeOverLoans(**fields | other)  # type: ignore[arg-type]


def test_loans_are_taken_over(lent: Bank) -> None:
    """They accrue from our day on, and take their instalment when it is due."""
    assert lent.asks(takeover()).answer == {"loans": 1, "balance": 500_00}
    lent.is_sound()
    for day in range(START, START + 11):
        lent.closes(day)
    # Ten of the thirty-one days of a month's one percent.
    assert lent.wallet(BEN) == 100_00 - 90_00
    assert int(lent.loan(77)["balance"]) == 500_00 - 90_00 + 1_61
    lent.is_sound()


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"balances": AMOUNTS.pack([0])}, "takeover_malformed"),
        ({"balances": AMOUNTS.pack([1, 2])}, "takeover_malformed"),
        ({"balances": "AAA="}, "takeover_malformed"),
        ({"ids": "A"}, "takeover_malformed"),
        ({"ids": ""}, "takeover_malformed"),
        ({"instalments": AMOUNTS.pack([-1])}, "takeover_malformed"),
        ({"day": START + 9}, "takeover_malformed"),
        ({"next_due": START}, "takeover_malformed"),
        ({"next_due": START + 40}, "takeover_malformed"),
        ({"terms": LINE}, "takeover_malformed"),
        ({"currency": 1}, "unknown_currency"),
        ({"wallets": IDS.pack(np.array([[1, ANNA]], np.uint64))}, "loan_wallet_unusable"),
        ({"ids": IDS.pack(np.array([[0, 1]], np.uint64))}, "sweep_out_of_range"),
    ],
)
def test_takeovers_are_refused(lent: Bank, other: dict[str, object], code: str) -> None:
    """Columns that do not go together, days that do not, loans that are there."""
    assert lent.asks(takeover(**other)).code == code
    lent.is_sound()
