"""What payments are told of payer, payee and pair, and of money in and out of a party."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.purposes import NEEDS_CONSENT, Purpose
from formicary.factory.engine.feature_reads import FeatureReading, read_features
from formicary.factory.engine.requests import ReadRequest
from formicary.factory.features.compiler import compile_sets, findings
from formicary.factory.features.errors import PurposeNotDeclared
from formicary.products.payments.features import FEATURES, PARTY_FLOWS, PAYMENT_RISK
from formicary.products.payments.postings import AccountCode, payment
from tests.products.payments.house import GBP, House

ADA, BOB, SHOP = 11, 12, 13
HOUR = 3_600 * 10**9
DAY = 24 * HOUR


@pytest.fixture
def street(house: House) -> House:
    """Give Ada and Bob a wallet with 10,000 pence each, and a shop one without."""
    house.has(ADA, BOB, amount=10_000)
    house.has(SHOP, code=AccountCode.MERCHANT_WALLET)
    return house


def pays(house: House, payer: int, payee: int, amount: int, fee: int = 0) -> None:
    """Make a payment under a key of its own."""
    key = house.engine.state.position
    transfers = payment(
        command_id=key, payer=payer, payee=payee, currency=GBP, amount=amount, fee=fee, to_merchant=fee > 0
    )
    assert not house.pays(transfers)["status"].any()


def told(house: House, name: str, purpose: Purpose, **asking: int) -> Any:
    """Return a set as it is told now."""
    read = read_features(name, purpose=purpose, at=house.now, asking=asking)
    return house.engine.execute([ReadRequest(read)])[0]


def risk(house: House, payer: int, payee: int, amount: int) -> dict[str, float | None]:
    """Return what is told of a payment that would be made now."""
    asking = {"payer": payer, "payee": payee, "amount": amount, "currency": GBP}
    reading = told(house, "payment_risk", Purpose.FRAUD, **asking)
    assert isinstance(reading, FeatureReading)
    assert reading.withheld == ()
    return reading.values


def test_nothing_is_wrong_with_the_sets() -> None:
    """They compile together, within the bytes that each declares."""
    assert findings(FEATURES) == []
    compiled = compile_sets(FEATURES)
    assert {name: len(view.names) for name, view in compiled.views.items()} == {
        "payment_risk": 28,
        "party_flows": 18,
    }
    assert all(view.key_bytes <= 10_000 for view in compiled.views.values())


def test_every_feature_can_be_shown_as_a_reason() -> None:
    """Whoever is refused reads its meaning: one short sentence, no name of a column, no open brace."""
    for one in FEATURES:
        for feature in one.features:
            assert feature.owner == "payments"
            assert feature.meaning.count(".") == 1
            assert not set(feature.meaning) & set("{}_")
            assert feature.meaning[0].isupper()


def test_a_first_payment(street: House) -> None:
    """Of somebody who never paid, counts and sums are zero, and what would be a mean is missing."""
    values = risk(street, ADA, SHOP, 500)
    zeros = {name for name, value in values.items() if value == 0 and name not in ("hour", "weekday")}
    assert zeros == {
        *("payer_payments_1h", "payer_payments_1d", "payer_payments_30d", "payer_paid_1d", "payer_paid_30d"),
        *("payer_payees_30d", "payer_received_1d", "payee_payments_1d", "payee_payments_30d"),
        *("payee_received_1d", "payee_payers_30d", "pair_payments_90d"),
    }
    assert (values["amount"], values["currency"], values["pair_is_new"]) == (500, GBP, 1)
    missing = {name for name, value in values.items() if value is None}
    assert {"payer_mean_30d", "payer_since_last", "pair_since_last", "amount_to_mean"} <= missing


def test_payments_are_told_of_payer_payee_and_pair(street: House) -> None:
    """Three payments give the numbers that a person would write down; a fee is no payment."""
    pays(street, ADA, BOB, 1_000)
    street.waits(2 * HOUR)
    pays(street, ADA, SHOP, 2_000, fee=20)
    pays(street, BOB, ADA, 300)
    street.waits(60 * 10**9)
    values = risk(street, ADA, SHOP, 3_000)
    expected = {
        "payer_payments_1h": 1,
        "payer_payments_1d": 2,
        "payer_paid_30d": 3_000,
        "payer_mean_30d": 1_500,
        "payer_largest_30d": 2_000,
        "payer_received_1d": 300,
        "payee_payments_1d": 1,
        "payee_received_1d": 2_000,
        "pair_payments_90d": 1,
        "pair_is_new": 0,
        "amount_to_mean": 2,
        "amount_to_largest": 1.5,
        "amount_to_received": 10,
    }
    assert {name: values[name] for name in expected} == expected
    # Times run on by a nanosecond for each row that is stamped.
    assert values["pair_since_last"] == pytest.approx(60)
    assert values["payer_since_first"] == pytest.approx(7_260)
    assert values["payer_std_30d"] == pytest.approx(500 * 2**0.5)
    assert values["amount_deviation"] == pytest.approx(1_500 / (500 * 2**0.5))
    assert values["payer_payees_30d"] == pytest.approx(2, rel=0.2)
    assert risk(street, ADA, BOB, 1)["pair_is_new"] == 0
    assert risk(street, BOB, SHOP, 1)["pair_is_new"] == 1


def test_windows_pass(street: House) -> None:
    """A month later only the longest windows still tell of a payment."""
    pays(street, ADA, BOB, 1_000)
    street.waits(40 * DAY)
    values = risk(street, ADA, BOB, 1)
    assert (values["payer_payments_30d"], values["pair_payments_90d"]) == (0, 1)
    flows = told(street, "party_flows", Purpose.FRAUD, party=ADA).values
    assert (flows["paid_30d"], flows["paid_90d"]) == (0, 1_000)


def test_money_in_and_out(street: House) -> None:
    """A party's flows are what it paid and what it was paid; what is kept is the difference."""
    pays(street, ADA, BOB, 1_000)
    pays(street, BOB, ADA, 250)
    pays(street, BOB, SHOP, 150)
    values = told(street, "party_flows", Purpose.FRAUD, party=BOB).values
    for window in ("30d", "90d"):
        names = ("paid", "received", "kept", "paid_to_received", "payments_out", "payments_in")
        assert [values[f"{name}_{window}"] for name in names] == [400, 1_000, 600, 0.4, 2, 1]
    assert values["payees_90d"] == pytest.approx(2, rel=0.2)
    assert values["payers_90d"] == 1


def test_without_consent_flows_are_missing(street: House) -> None:
    """Nothing is told of a party that did not agree to the purpose, and the record says why."""
    pays(street, ADA, BOB, 1_000)
    for purpose in PARTY_FLOWS.features[0].purposes & NEEDS_CONSENT:
        reading = told(street, "party_flows", purpose, party=ADA)
        assert set(reading.values.values()) == {None}
        assert reading.withheld == ("party",)


@pytest.mark.parametrize("purpose", NEEDS_CONSENT)
def test_risk_is_told_for_fraud_only(street: House, purpose: Purpose) -> None:
    """Who watches over fraud asks without consent, so that nobody else may have the answers."""
    assert {purposes for feature in PAYMENT_RISK.features for purposes in feature.purposes} == {Purpose.FRAUD}
    asking = {"payer": ADA, "payee": BOB, "amount": 1, "currency": GBP}
    assert isinstance(told(street, "payment_risk", purpose, **asking), PurposeNotDeclared)


def test_flows_are_for_no_advertising(street: House) -> None:
    """What a party spends is never told to whoever wants to sell something."""
    assert isinstance(told(street, "party_flows", Purpose.MARKETING, party=ADA), PurposeNotDeclared)
