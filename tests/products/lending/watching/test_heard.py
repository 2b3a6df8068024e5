"""A party that early warning warned of is offered nothing more for a while, by a run or by an application."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.ledger import Transfer, transfer_array
from formicary.products.lending.applications.recorded import differences
from formicary.products.lending.applications.schemas import CreditDecided
from formicary.products.lending.applications.settings import HouseSettings
from formicary.products.lending.product import WATCH
from formicary.products.lending.servicing.layout import OfferState
from formicary.products.lending.servicing.offers import standing_offer_id
from formicary.products.lending.servicing.schemas import Draw
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.preapproval import Condition
from formicary.products.lending.watching.watch_run import WatchBorrowers
from formicary.products.lending.watching.weeks import week_of
from formicary.products.payments.postings import TransferCode
from tests.products.lending.nightly.lender import CUSTOMER, LINE, SETTINGS, Lender
from tests.products.lending.servicing.bank import EUR, WALLETS

STEADY, FALLING = 11, 12
USUAL = {STEADY: 40, FALLING: 40}
SAID = "Not long ago sales fell far below what was usual for the business."


def sells(lender: Lender, counts: Mapping[int, int]) -> None:
    """Let the customer buy so often of each shop."""
    moved = []
    for shop, count in counts.items():
        for _ in range(count):
            lender._keys += 1
            ends = {"debit_account_id": WALLETS + CUSTOMER, "credit_account_id": WALLETS + shop}
            code = TransferCode.MERCHANT_PAYMENT
            moved.append(Transfer(id=lender._keys, amount=20_00, ledger=EUR, code=code, **ends))
    (results,) = lender.engine.execute([LedgerRequest(transfer_array(moved))])
    assert not results["status"].any()


def week(lender: Lender, counts: Mapping[int, int]) -> None:
    """Let a week pass: sales on Wednesday, the run of early warning on Monday."""
    sells(lender, counts)
    lender.later(5)
    is_ended = False
    while not is_ended:
        receipt = lender.does(WATCH, WatchBorrowers(subject=week_of(day_at(lender.clock.now()))))
        assert receipt.code == "", receipt
        is_ended = receipt.answer["is_ended"]
    lender.later(2)


@pytest.fixture
def lender(tmp_path: Path) -> Lender:
    """Return a lender with two shops that sell alike for a quarter of a year, and have a line each."""
    lender = Lender(tmp_path)
    lender.has(STEADY, FALLING)
    lender.has(CUSTOMER, amount=10_000_000_00)
    lender.opens_for_business()
    for loan, party in ((1, STEADY), (2, FALLING)):
        assert lender.offers(loan, party, 100_00, LINE).code == ""
        assert lender.accepts(loan, loan, party, 100_00).code == ""
    for _ in range(13):
        week(lender, USUAL)
    return lender


def decided(lender: Lender) -> CreditDecided:
    """Return the decision about the latest application."""
    found = [one for batch in lender.journal.batches for one in batch.events]
    body = [one.body for one in found if one.kind == "credit_application.CreditDecided"][-1]
    return msgspec.json.decode(body, type=CreditDecided)


def settings(lender: Lender) -> HouseSettings:
    """Return what the house said last, as the journal has it."""
    told = lender.events("credit_house.CreditPolicySet")[-1].data["settings"]
    return msgspec.convert(told, HouseSettings)


def accepts_standing(lender: Lender, loan: int, party: int) -> str:
    """Take a party's standing offer whole; return the refusal."""
    offer = standing_offer_id(party, EUR)
    limit = int(lender.standing(party)["limit"])
    rate = lender.quoted(offer, limit)
    return lender.accepts(loan, offer, party, limit, effective_rate=rate).code


def test_a_warning_is_heard(lender: Lender) -> None:
    """What stands cannot be taken, an application is declined with the reason, and a run offers nothing."""
    lender.runs()
    assert [int(lender.standing(party)["state"]) for party in USUAL] == [OfferState.OPEN] * 2
    week(lender, USUAL | {FALLING: 2})
    assert accepts_standing(lender, 3, FALLING) == "credit_warned"
    assert accepts_standing(lender, 4, STEADY) == ""
    # What is left of a line that was accepted before was cut by the warning itself.
    assert int(lender.loan(2)["limit"]) == 0
    declined = lender.applies(100, FALLING, 100_00)
    assert (declined["limit"], declined["reasons"]) == (0, [SAID])
    event = decided(lender)
    assert event.failed == 1 << Condition.WARNED
    assert (event.told.warned_days, event.changes) == (2, [])
    assert differences(event, settings(lender), lender.model) == []
    assert int(lender.standing(FALLING)["state"]) == OfferState.WITHDRAWN
    lender.runs()
    assert [int(lender.standing(party)["state"]) for party in USUAL] == [
        OfferState.OPEN,
        OfferState.WITHDRAWN,
    ]
    lender.recovers()


def test_a_run_takes_back_what_stood(lender: Lender) -> None:
    """The same night, without anybody asking; and a party is free again once the days are over."""
    lender.runs()
    week(lender, USUAL | {FALLING: 2})
    lender.runs()
    assert int(lender.standing(FALLING)["state"]) == OfferState.WITHDRAWN
    for _ in range(4):
        week(lender, USUAL)
    # There was evidence of the fall for two weeks more, and today is a Wednesday.
    lender.says(msgspec.structs.replace(SETTINGS, credit=SETTINGS.credit | {"warned_days": 17}))
    assert lender.applies(100, FALLING, 100_00)["reasons"] == [SAID]
    lender.says(msgspec.structs.replace(SETTINGS, credit=SETTINGS.credit | {"warned_days": 16}))
    assert decided(lender).told.warned_days == 16
    lender.runs()
    assert int(lender.standing(FALLING)["state"]) == OfferState.OPEN
    assert lender.applies(101, FALLING, 100_00)["limit"] == 100_00


def test_a_house_may_not_listen(lender: Lender) -> None:
    """With 0 days warnings cut lines and stop nothing else."""
    lender.says(msgspec.structs.replace(SETTINGS, credit=SETTINGS.credit | {"warned_days": 0}))
    week(lender, USUAL | {FALLING: 2})
    lender.runs()
    assert int(lender.standing(FALLING)["state"]) == OfferState.OPEN
    assert accepts_standing(lender, 3, FALLING) == ""
    assert lender.asks(Draw(subject=3, amount=10_00)).code == ""
