"""Applications: what is decided, why, and what comes of it."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions.assessments import Assessor
from formicary.products.lending.applications.borrowers import BORROWERS, DescribeBorrower
from formicary.products.lending.applications.explained import enough, reasons_told
from formicary.products.lending.applications.house import HOUSES, house_id, told_house
from formicary.products.lending.applications.recorded import differences, notice_told
from formicary.products.lending.applications.refusals import NoticeNotDue
from formicary.products.lending.funding.schemas import Borrow, PayInOwnFunds, TakeOutOwnFunds
from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing.offers import OFFERS, OfferState, standing_offer_id
from formicary.products.lending.servicing.schemas import Draw, Repay
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from formicary.products.lending.underwriting.preapproval import DECISION, Condition
from tests.products.lending.applications.lender import MODEL, SETTINGS, Lender
from tests.products.lending.servicing.bank import EUR, WALLETS, hex_of

SHOP, STALL = 601, 602


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Lender:
    """Return a lender with a shop that sells well and a stall that begins, a policy and a model."""
    lender = Lender(tmp_path_factory.mktemp("lender"))
    lender.has(SHOP, STALL)
    lender.sells(SHOP, 50_000, 200)
    lender.sells(STALL, 300, 5, payers=2)
    return lender


def test_an_application_from_nothing_to_a_draw(world: Lender) -> None:
    """Nothing is lent without a policy; without a model all is declined; with both a shop gets an offer."""
    assert world.applies(1, SHOP, 500_000).code == "credit_house_missing"
    assert world.says().answer == {"version": 1}
    declined = world.applies(2, SHOP, 500_000)
    assert declined.answer["limit"] == 0
    assert declined.answer["reasons"] == ["The risk could not be assessed, as the model was not available."]
    world.learns()
    granted = world.applies(3, SHOP, 500_000, wallet=hex_of(WALLETS + SHOP), key="once")
    assert (granted.code, granted.answer["limit"], granted.answer["reasons"]) == ("", 500_000, [])
    assert world.applies(3, SHOP, 500_000, wallet=hex_of(WALLETS + SHOP), key="once") == granted
    assert world.applies(3, SHOP, 500_000).code == "application_exists"
    offer = standing_offer_id(SHOP, EUR)
    assert granted.answer["offer"] == hex_of(offer)
    event = world.decided(3)
    assert differences(event, world.in_force().settings, MODEL) == []
    assert differences(event, world.in_force().settings, None) != []
    with pytest.raises(NoticeNotDue):
        notice_told(event, application=3, decided_at=0)
    loan = 71
    accepted = world.accepts(loan, offer, SHOP, 500_000, effective_rate=granted.answer["effective_rate"])
    assert accepted.code == ""
    assert world.asks(Draw(subject=loan, amount=200_000)).code == ""
    found = world.loan(loan)
    believed = [int(found[name]) for name in ("default", "loss", "origin")]
    assert believed == [event.told.default, 450_000, 2]
    world.is_sound()
    world.recovers()
    sums = {key: tuple(total) for key, total in world.engine.state.columns[LOANS.name].totals.items()}
    assert sums == {EUR << 32: (500_000, 300_000)}
    # What it owes here is looked at again, and counts beside what it asks for.
    again = world.decided(4) if world.applies(4, SHOP, 100_000).code == "" else None
    assert again is not None
    assert again.book.of_party == 500_000
    assert again.told.debt_service > 0


def test_whoever_is_refused_is_told_why(world: Lender) -> None:
    """A stall that began lately is declined with true reasons, and its notice is the same bytes each time."""
    receipt = world.applies(5, STALL, 200_000)
    event = world.decided(5)
    assert receipt.answer["limit"] == event.limit == 0
    assert event.failed >> Condition.HISTORY & 1
    assert 1 <= len(event.reasons) <= 4
    assert differences(event, world.in_force().settings, MODEL) == []
    notice = notice_told(event, application=5, decided_at=10**18)
    read = msgspec.json.decode(msgspec.json.encode(event), type=type(event))
    again = notice_told(read, application=5, decided_at=10**18)
    assert notice.as_html() == again.as_html()
    assert all(reason.said in notice.as_text() for reason in event.reasons)
    assert "Anthill Bank" in notice.as_json().decode()


def test_what_would_have_been_enough_is(world: Lender) -> None:
    """A shop whose sales are too low is told of sales that would be enough, and is granted with them."""
    shop = 603
    world.has(shop)
    world.sells(shop, 400, 130)
    event = world.decided(6) if world.applies(6, shop, 20_000).code == "" else None
    assert event is not None
    assert event.limit == 0
    (change,) = event.changes
    assert change.feature == "sales_30d"
    assert (
        "sales of the last 30 days been EUR" in notice_told(event, application=6, decided_at=0).counterfactual
    )
    now = float(event.values["sales_30d"] or 0)
    world.earns(shop, 1)
    world.sells(shop, round(float(change.after) - now), 1)
    world.clock.set(world.clock.now() - 86_400 * 10**9)
    granted = world.applies(7, shop, 20_000)
    assert granted.answer["limit"] >= 10_000
    assert np.isfinite(float(world.decided(7).scored.chance))  # type: ignore[union-attr]


def test_a_stop_takes_the_standing_offer_back(world: Lender) -> None:
    """Whoever the house suspects is declined, and loses the offer that stands."""
    shop = 604
    world.has(shop)
    world.sells(shop, 50_000, 120)
    assert world.applies(8, shop, 100_000).answer["limit"] == 100_000
    describe = DescribeBorrower(subject=shop, segment=7, other_debts=5, is_stopped=True)
    assert world.does(BORROWERS, describe).code == ""
    declined = world.applies(9, shop, 100_000)
    assert declined.answer["reasons"][0] == "The application did not pass the check for fraud."
    offer = world.engine.state.aggregates[OFFERS.name].find(standing_offer_id(shop, EUR))
    assert offer is not None
    assert offer["state"] == OfferState.WITHDRAWN
    assert world.decided(9).told.segment == 7
    assert world.applies(10, shop, 100_000, wallet=hex_of(WALLETS + SHOP)).code == "loan_wallet_unusable"
    assert world.applies(0, shop, 100_000).code == "malformed_command"
    world.disagrees(shop)
    assert world.applies(11, shop, 100_000).code == "credit_consent_missing"


def test_an_offer_that_stands_is_honoured(world: Lender) -> None:
    """The lesser of the offered price and today's; one that expired is not there."""
    shop = 605
    world.has(shop)
    world.sells(shop, 50_000, 120)
    first = world.applies(12, shop, 100_000)
    dearer = msgspec.structs.replace(SETTINGS, credit={**SETTINGS.credit, "rate_floor_millionths": 900})
    assert world.says(dearer).code == ""
    kept = world.applies(13, shop, 100_000)
    assert (kept.answer["rate"], world.decided(13).standing_rate) == (first.answer["rate"],) * 2
    world.clock.set(int(kept.answer["expires"]) + 1)
    world.sells(shop, 50_000, 10)
    late = world.applies(14, shop, 100_000)
    assert (late.answer["rate"], world.decided(14).standing_rate) == (900, -1)
    world.says()


def test_new_credit_stops_by_itself_and_old_credit_is_served(world: Lender) -> None:
    """Without a model or without own funds nothing new is lent; what was lent is paid back all the same."""
    loan, shop, other = 72, 606, 607
    world.has(shop, other)
    world.sells(shop, 50_000, 120, also=other)
    shown = world.applies(20, shop, 100_000).answer["effective_rate"]
    offer = standing_offer_id(shop, EUR)
    assert world.accepts(loan, offer, shop, 100_000, effective_rate=shown).code == ""
    assert world.asks(Draw(subject=loan, amount=10_000)).code == ""
    assert world.funds(Borrow(subject=EUR, amount=10**12, rate=20_000_000)).code == ""
    world.champion("")
    assert world.asks(Draw(subject=loan, amount=1_000)).code == "credit_model_missing"
    world.champion(MODEL.hash)
    assert world.funds(TakeOutOwnFunds(subject=EUR, amount=world.own_funds)).code == ""
    assert world.asks(Draw(subject=loan, amount=1_000)).code == "credit_exhausted"
    assert world.asks(Repay(subject=loan, amount=1_000)).code == ""
    declined = world.applies(15, other, 100_000)
    assert declined.answer["limit"] == 0
    assert world.decided(15).failed == 1 << Condition.CAPITAL
    # Up to what own funds carry: a smaller line than was asked for, with the reason.
    assert world.funds(PayInOwnFunds(subject=EUR, amount=200_000)).code == ""
    cut = world.applies(16, other, 100_000)
    assert (cut.answer["limit"], cut.answer["is_cut"]) == (50_000, True)
    assert "50" in notice_told(world.decided(16), application=16, decided_at=0).action
    offer = standing_offer_id(other, EUR)
    world.offers(80, other, 10**13, SETTINGS.terms)
    assert world.accepts(81, 80, other, 10**13).code == "credit_exhausted"
    rate = cut.answer["effective_rate"]
    assert world.accepts(82, offer, other, 50_000, effective_rate=rate).code == ""
    assert world.funds(PayInOwnFunds(subject=EUR, amount=10**12)).code == ""
    assert world.asks(Draw(subject=loan, amount=1_000)).code == ""
    # What a draw pays out is there in cash, however little is kept for undrawn lines.
    tight = {**SETTINGS.capital, "drawn_millionths": 1, "liquidity_reserve": world.cash - 1_500}
    assert world.says(msgspec.structs.replace(SETTINGS, capital=tight)).code == ""
    assert world.asks(Draw(subject=loan, amount=1_501)).code == "credit_exhausted"
    assert world.asks(Draw(subject=loan, amount=1_500)).code == ""
    assert world.asks(Draw(subject=loan, amount=1)).code == "credit_exhausted"
    assert world.says().code == ""
    world.is_sound()
    world.recovers()


def test_nothing_is_enough_where_nothing_of_the_party_was_against_it(world: Lender) -> None:
    """What is not lacking is not told of, nor what a party cannot mend, nor of a model without sales."""
    event = world.decided(3)
    values = {name: None if one is None else float(one) for name, one in event.values.items()}
    assessment = world.engine.state.assessors.assess(MERCHANT_DEFAULT.name, values)
    record = world.engine.state.aggregates[HOUSES].find(house_id(EUR))
    assert assessment is not None
    assert record is not None
    house = told_house({name: record[name].tolist() for name in record.dtype.names or ()})
    risk = 1 << Condition.RISK
    assert enough(house, event.told, event.wanted, risk, assessment) == []
    assert enough(house, event.told, event.wanted, risk | 1 << Condition.WANTED, assessment) == []
    alone = dataclasses.replace(assessment, assessor=Assessor(MODEL))
    assert enough(house, event.told, event.wanted, risk, alone) == []
    assert reasons_told(np.zeros(1, DECISION), None) == []
    # Whoever never sold has nothing that could be a part more.
    nobody = 608
    world.has(nobody)
    assert world.applies(30, nobody, 100_000).answer["limit"] == 0
    event = world.decided(30)
    assert event.values["days_known"] is None
    values = {name: None if one is None else float(one) for name, one in event.values.items()}
    assessment = world.engine.state.assessors.assess(MERCHANT_DEFAULT.name, values)
    assert assessment is not None
    assert enough(house, event.told, event.wanted, 1 << Condition.SALES, assessment) == []


def test_a_decision_that_was_changed_is_found(world: Lender) -> None:
    """Another model, another chance, another number that it was taken for, another limit: each is told."""
    event, settings = world.decided(3), world.in_force().settings
    assert event.scored is not None
    scored = msgspec.structs.replace(event.scored, chance="0.5")
    other = msgspec.structs.replace(event.scored, model="f" * 32)
    believed = msgspec.structs.replace(event.told, default=event.told.default + 1)
    for change, told in (
        ({"scored": None}, "none is recorded"),
        ({"scored": other}, "decided, and not"),
        ({"scored": scored}, "and 0.5 is recorded"),
        ({"told": believed}, "the chance was taken for"),
        ({"limit": 499_000}, "limit comes out as 500000"),
    ):
        found = differences(msgspec.structs.replace(event, **change), settings, MODEL)
        assert any(told in one for one in found), change
    unscored = msgspec.structs.replace(event, scored=None)
    assert not any("model" in one for one in differences(unscored, settings, None))
