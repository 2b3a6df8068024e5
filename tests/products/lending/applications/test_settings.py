"""What a house says of its lending: all that is wrong with it, and the same again out of the record."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.factory.engine.context import DecidingContext
from formicary.factory.engine.requests import MalformedCommand
from formicary.products.lending.applications.house import (
    CREDIT_HOUSE,
    HOUSES_PRODUCT,
    CreditPolicySet,
    House,
    SetCreditPolicy,
    evolve,
    house_id,
    told_house,
)
from formicary.products.lending.applications.settings import (
    CREDIT_SETTINGS,
    Band,
    HouseSettings,
    completed,
    findings,
)
from formicary.products.lending.product import POLICIES
from formicary.products.lending.servicing.fields import LoanTerms
from tests.products.lending.applications.lender import SETTINGS, Lender
from tests.products.lending.servicing.bank import EUR

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"close": {"charge_off": 1}}, "the close has no setting charge_off"),
    ({"close": {"increased_days": 90, "loss": 45}}, "rules of the close: Expected `int` <= 60"),
    ({"credit": {"limit_mini": 1}, "capital": {"step_by": 1}}, "there is no setting step_by"),
    ({"bands": []}, "there is one band at least"),
    ({"partner_share": 700_001}, "of a joint loan the house keeps 300000 millionths"),
    ({"partner_share": 1, "capital": {"retained_min_millionths": 10**6}}, "keeps 1000000 millionths"),
    ({"capital": {"step": 0}}, "the least amount is a multiple of the step"),
    ({"credit": {"limit_min": 3}, "capital": {"step": 0}}, "multiples of their step"),
    ({"terms": LoanTerms(kind=1, rate=1, day_count=3, share=1)}, "the terms have no rate"),
    ({"terms": LoanTerms(kind=1, rate=0, share=1)}, "actual/365"),
    ({"terms": LoanTerms(kind=2, rate=0, day_count=3)}, "an instalment loan has instalments"),
    ({"terms": LoanTerms(kind=1, rate=0, day_count=3)}, "of a line a share falls due"),
    ({"creditor": msgspec.structs.replace(SETTINGS.creditor, name=" ")}, "the creditor has no name"),
    ({"creditor": msgspec.structs.replace(SETTINGS.creditor, address="é" * 200)}, "more than 240 bytes"),
]


def house_of(settings: HouseSettings) -> House:
    """Return settings as they come out of the record again."""
    event = CreditPolicySet(currency=EUR, version=4, settings=completed(settings, EUR))
    record = np.zeros(1, CREDIT_HOUSE)
    evolve("CreditPolicySet", record, [event])
    return told_house({name: record[0][name].tolist() for name in CREDIT_HOUSE.names or ()})


def test_settings_come_out_of_the_record_as_they_were_set() -> None:
    """Everything that was said, and every default that was not, in letters of any language."""
    words = msgspec.structs.replace(SETTINGS.creditor, name="Ämeisenbank 蚂蚁", agency="Someone")
    house = house_of(msgspec.structs.replace(SETTINGS, creditor=words, frauds_max=3, partner_share=700_000))
    assert findings(SETTINGS, EUR) == []
    assert house.settings == completed(house.settings, EUR)
    assert (house.settings.creditor, house.settings.frauds_max, house.version) == (words, 3, 4)
    assert (house.settings.partner_share, house.settings.retained) == (700_000, 300_000)
    assert set(house.settings.credit) == set(CREDIT_SETTINGS)
    assert (house.credit.limit_min, house.credit.horizon_days, house.credit.currency) == (10_000, 365, "EUR")
    assert house.capital.step == 1_000


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_what_is_wrong_is_told(change: dict[str, Any], told: str) -> None:
    """Each in words."""
    assert told in "; ".join(findings(msgspec.structs.replace(SETTINGS, **change), EUR))


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Also of another part, and in a currency that is none nothing else is looked at."""
    changes: dict[str, Any] = {}
    for change, _ in WRONG[5:10]:
        changes |= change
    assert len(findings(msgspec.structs.replace(SETTINGS, **changes), EUR)) >= 3
    assert len(findings(msgspec.structs.replace(SETTINGS, bands=[]), 1)) == 1


def test_versions_that_told_funds_are_read() -> None:
    """What was set when a house told its funds is in force as it was, without them."""
    event = CreditPolicySet(currency=EUR, version=4, settings=completed(SETTINGS, EUR))
    told = msgspec.to_builtins(event)
    told["settings"]["funds"] = {"own": 5, "cash": 6}
    older = msgspec.json.encode(told | {"lent_then": 1, "charged_off_then": 2})
    assert msgspec.json.decode(older, type=CreditPolicySet) == event


def test_versions_are_counted_and_malformed_ones_are_not(tmp_path: Any) -> None:
    """A version each; what is malformed, or about another currency's record, is refused."""
    lender = Lender(tmp_path)
    assert [lender.says().answer["version"] for _ in range(2)] == [1, 2]
    wrong = msgspec.structs.replace(SETTINGS, bands=[Band(default=0, sales=0)])
    assert lender.says(wrong).code == "credit_house_malformed"
    elsewhere = SetCreditPolicy(subject=house_id(840), currency=EUR, settings=SETTINGS)
    assert lender.does(POLICIES, elsewhere).code == "malformed_command"
    assert lender.says().answer["version"] == 3
    with pytest.raises(MalformedCommand):
        HOUSES_PRODUCT.decide(elsewhere, None, DecidingContext(0, 1, lender.engine.state, lender.journal))
