"""A run over all parties offers what each would be offered if it asked, wherever it is cut or killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from formicary.products.lending.applications.borrowers import BORROWERS, DescribeBorrower
from formicary.products.lending.funding.schemas import Borrow, PayInOwnFunds, PayInPartner, TakeOutOwnFunds
from formicary.products.lending.nightly import preapproval_run
from formicary.products.lending.product import PREAPPROVALS
from formicary.products.lending.servicing.fields import Believed
from formicary.products.lending.servicing.layout import OfferState, Origin
from formicary.products.lending.servicing.offers import OFFERS, WithdrawOffer, standing_offer_id
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.schemas import Draw, Repay
from formicary.products.lending.servicing.terms import DAY, day_at
from tests.products.lending.nightly.lender import CUSTOMER, SETTINGS, Lender
from tests.products.lending.servicing.bank import EUR, LINE

SHOPS = (11, 12, 13, 14, 15, 16)
STRANGER, GONE = 21, 22


def lender_of(folder: Path) -> Lender:
    """Return a lender that knows six shops for six weeks, a party without sales, and one that disagrees."""
    folder.mkdir(exist_ok=True)
    lender = Lender(folder)
    lender.has(*SHOPS, STRANGER, GONE)
    lender.has(CUSTOMER, amount=10_000_000_00)
    lender.opens_for_business()
    lender.trades((*SHOPS, GONE), 42)
    # Not on the edge of a day, where the nanosecond between two commands counts.
    lender.clock.set(lender.clock.now() + DAY // 5)
    lender.disagrees(GONE)
    return lender


@pytest.fixture
def lender(tmp_path: Path) -> Lender:
    """Return it."""
    return lender_of(tmp_path)


def offers(lender: Lender) -> list[Any]:
    """Return all offers but for what the moment of their command says."""
    records = lender.engine.state.aggregates[OFFERS.name].records
    names = [name for name in records.dtype.names or () if name not in {"timestamp", "events", "expires"}]
    return list(records[names].tolist())


def test_each_is_offered_what_it_would_be_if_it_asked(tmp_path: Path) -> None:
    """The live decision about the same party at the same moment comes to the same."""
    lender, other = lender_of(tmp_path / "one"), lender_of(tmp_path / "other")
    lender.does(BORROWERS, DescribeBorrower(subject=SHOPS[4], segment=3, other_debts=20_00, is_stopped=False))
    lender.does(BORROWERS, DescribeBorrower(subject=SHOPS[5], segment=0, other_debts=0, is_stopped=True))
    other.does(BORROWERS, DescribeBorrower(subject=SHOPS[4], segment=3, other_debts=20_00, is_stopped=False))
    other.does(BORROWERS, DescribeBorrower(subject=SHOPS[5], segment=0, other_debts=0, is_stopped=True))
    (begun, made) = lender.runs()
    assert begun["is_ended"] is False
    assert (made["parties"], made["offered"]) == (len(SHOPS) + 3, 5)
    for place, shop in enumerate(SHOPS):
        told = other.applies(1_000 + place, shop, 1_000_000_00)
        standing = lender.standing(shop)
        if not told["limit"]:
            assert standing is None
            continue
        assert standing["limit"] == told["limit"]
        assert standing["rate"] == told["rate"] * 365_000
        beside = other.standing(shop)
        assert standing["origin"] == Origin.PREAPPROVAL
        # Each is dated by its own command.
        assert abs(int(standing["expires"]) - int(beside["expires"])) < 1_000
        for name in ("default", "loss", "segment", "kind", "share", "state", "party_low"):
            assert standing[name] == beside[name], name
    assert lender.standing(SHOPS[5]) is None
    assert [lender.standing(party) for party in (STRANGER, GONE, CUSTOMER)] == [None] * 3


def test_a_run_that_is_cut_and_killed_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of two parties, each told twice and followed by another engine; a night later all are renewed."""
    whole, cut = lender_of(tmp_path / "whole"), lender_of(tmp_path / "cut")
    for night in range(2):
        monkeypatch.setattr(preapproval_run, "PREAPPROVE_PARTIES_MAX", 1_200)
        assert len(whole.runs()) == 2 + night
        monkeypatch.setattr(preapproval_run, "PREAPPROVE_PARTIES_MAX", 2)
        parts, is_ended = 0, False
        while not is_ended:
            receipt = cut.goes_on(key=f"night {night} part {parts}")
            assert receipt.code == ""
            assert cut.goes_on(key=f"night {night} part {parts}") == receipt
            parts, is_ended = parts + 1, receipt.answer["is_ended"]
            cut.recovers()
        assert parts == 1 + 5 + 3 * night
        assert offers(cut) == offers(whole)
        runs = [one.engine.state.aggregates[PREAPPROVALS.name].records[-1] for one in (whole, cut)]
        assert runs[0].tolist()[4:] == runs[1].tolist()[4:]
        for one in (whole, cut):
            one.trades(SHOPS[:3], 1, amount=900_00)
    assert all(
        offer["state"] == OfferState.OPEN for offer in whole.engine.state.aggregates[OFFERS.name].records
    )


def test_own_funds_bind_over_all_offers(lender: Lender) -> None:
    """What is open counts as lent, so that a night never offers more in all; renewed, it counts once."""
    in_dollars = Believed(origin=Origin.APPLICATION)
    assert lender.offers(78, SHOPS[0], 10**9, LINE, currency=840, believed=in_dollars).code == ""
    assert lender.funds(Borrow(subject=EUR, amount=498_500_00, rate=20_000_000)).code == ""
    assert lender.funds(TakeOutOwnFunds(subject=EUR, amount=498_500_00)).code == ""
    lender.runs()
    first = [lender.standing(shop) for shop in SHOPS]
    limits = sum(int(one["limit"]) for one in first if one is not None)
    # Own funds are half of what is lent at least.
    assert 2_800_00 < limits <= 3_000_00
    assert any(one is None for one in first)
    lender.later(1)
    lender.runs()
    assert sum(int(one["limit"]) for one in map(lender.standing, SHOPS) if one is not None) <= 3_000_00
    assert lender.engine.state.columns[OFFERS.name].totals == {
        840 << 32: (10**9,),
        EUR << 32: (sum(int(one["limit"]) for one in map(lender.standing, SHOPS) if one is not None),),
    }


def test_a_partner_lets_own_funds_carry_more(lender: Lender) -> None:
    """Of joint loans what the house retains binds, and both pay what is drawn."""
    assert lender.funds(Borrow(subject=EUR, amount=498_500_00, rate=20_000_000)).code == ""
    assert lender.funds(TakeOutOwnFunds(subject=EUR, amount=498_500_00)).code == ""
    lender.runs()
    alone = sum(int(one["limit"]) for one in map(lender.standing, SHOPS) if one is not None)
    lender.says(msgspec.structs.replace(SETTINGS, partner_share=600_000))
    lender.later(1)
    lender.runs()
    joint = [lender.standing(shop) for shop in SHOPS]
    limits = sum(int(one["limit"]) for one in joint if one is not None)
    assert alone < limits <= 1_500_00 * 2 * 10 // 4
    party, offer = SHOPS[0], standing_offer_id(SHOPS[0], EUR)
    limit = int(lender.standing(party)["limit"])
    rate = lender.quoted(offer, limit)
    assert lender.accepts(501, offer, party, limit, effective_rate=rate).code == ""
    assert int(lender.loan(501)["partner_share"]) == 600_000
    # The partner's money is not here yet.
    assert lender.asks(Draw(subject=501, amount=limit)).code == "credit_exhausted"
    assert lender.funds(PayInPartner(subject=EUR, amount=limit)).code == ""
    assert lender.asks(Draw(subject=501, amount=limit)).code == ""
    assert lender.balance(house_account_id(LoanAccount.PARTICIPATION, EUR)) == limit * 6 // 10
    # What was agreed stays so, whatever the house says later.
    lender.says(SETTINGS)
    lender.closes(day_at(lender.clock.now()))
    assert lender.asks(Repay(subject=501, amount=limit // 2)).code == ""
    lender.is_sound()


def test_without_own_funds_or_cash_a_run_offers_nothing(lender: Lender) -> None:
    """It takes back what nothing is left for, and offers again once money came in."""
    lender.runs()
    assert all(lender.standing(shop)["state"] == OfferState.OPEN for shop in SHOPS)
    # Own funds without cash: all of it lent by hand, to somebody else.
    limit = lender.cash - 1_00
    assert lender.offers(79, CUSTOMER, limit, LINE).code == ""
    assert lender.funds(PayInOwnFunds(subject=EUR, amount=10 * limit)).code == ""
    assert lender.accepts(601, 79, CUSTOMER, limit).code == ""
    assert lender.asks(Draw(subject=601, amount=limit)).code == ""
    assert lender.funds(TakeOutOwnFunds(subject=EUR, amount=lender.cash)).code == ""
    lender.later(1)
    lender.runs()
    assert lender.own_funds >= limit
    assert [int(lender.standing(shop)["state"]) for shop in SHOPS] == [OfferState.WITHDRAWN] * len(SHOPS)
    assert lender.applies(900, SHOPS[0], 200_00)["reasons"] != []
    assert lender.funds(Borrow(subject=EUR, amount=limit, rate=0)).code == ""
    lender.later(1)
    lender.runs()
    assert any(lender.standing(shop)["state"] == OfferState.OPEN for shop in SHOPS)


def test_a_price_that_was_promised_holds_until_it_expires(lender: Lender) -> None:
    """Where risk rises the limit is what is known now; rate and end stay, and then the price is today's."""
    lender.runs()
    before = lender.standing(SHOPS[5])
    lender.later(12)
    lender.runs()
    after = lender.standing(SHOPS[5])
    assert after["default"] > before["default"]
    assert after["limit"] <= before["limit"]
    assert (after["rate"], after["expires"]) == (before["rate"], before["expires"])
    lender.clock.set(int(before["expires"]) + 1)
    lender.trades(SHOPS, 2)
    lender.runs()
    assert lender.standing(SHOPS[5])["expires"] > before["expires"]


def test_who_may_have_nothing_more_has_no_offer(lender: Lender) -> None:
    """It is taken back; what was accepted stays so, and offers by hand are left alone."""
    lender.runs()
    one, two, three, four = SHOPS[2:]
    assert lender.offers(77, one, 50_000, LINE).code == ""
    by_hand = lender.engine.state.aggregates[OFFERS.name].find(77)
    assert lender.does(OFFERS, WithdrawOffer(subject=standing_offer_id(two, EUR))).code == ""
    offer = standing_offer_id(three, EUR)
    limit = int(lender.standing(three)["limit"])
    # Nothing is kept of what it costs a year: who shows it asks.
    assert lender.standing(three)["effective_rate"] == 0
    quote = lender.quoted(offer, limit)
    assert lender.accepts(501, offer, three, limit, effective_rate=quote).code == ""
    assert lender.asks(Draw(subject=501, amount=limit)).code == ""
    for party in (one, two, three):
        lender.disagrees(party)
    lender.later(1)
    lender.runs()
    assert [int(lender.standing(party)["state"]) for party in (one, two, three, four)] == [
        OfferState.WITHDRAWN,
        OfferState.WITHDRAWN,
        OfferState.ACCEPTED,
        OfferState.OPEN,
    ]
    assert lender.engine.state.aggregates[OFFERS.name].find(77) == by_hand
    lender.agrees(three)
    lender.later(1)
    lender.runs()
    # It owes what it took, and may have less than that.
    assert lender.standing(three)["limit"] < limit


def test_a_run_has_its_day(lender: Lender) -> None:
    """It begins on it, goes on until the next is over, and ends once."""
    today = day_at(lender.clock.now())
    assert lender.goes_on(today + 1).code == "preapproval_not_due"
    assert lender.goes_on(today - 1).code == "preapproval_not_due"
    assert lender.goes_on().answer["offers"] == 0
    lender.clock.set((today + 1) * DAY + 5)
    assert lender.goes_on(today).answer["is_ended"]
    assert lender.goes_on(today).code == "preapproval_ended"
    assert lender.goes_on().code == ""
    lender.clock.set((today + 3) * DAY)
    assert lender.goes_on(today + 1).code == "preapproval_not_due"


def test_without_a_champion_offers_stay(lender: Lender) -> None:
    """Nothing is offered and nothing taken back, and without a policy there is no run."""
    lender.runs()
    before = offers(lender)
    lender.later(1)
    lender.has_champion("")
    assert lender.goes_on().code == "credit_model_missing"
    assert offers(lender) == before


def test_without_a_policy_there_is_no_run(tmp_path: Path) -> None:
    """A house that does not say by what it lends offers nothing."""
    assert Lender(tmp_path).goes_on().code == "credit_house_missing"
