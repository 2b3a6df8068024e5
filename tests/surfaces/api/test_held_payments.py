"""Held money over HTTP: shown as it is, released or given back by the house."""

from __future__ import annotations

from typing import Any, cast

import pytest

from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.client import ApiRefused, Formicary
from formicary.products.payments.postings import HOUSE
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.problems import ScopeMissing
from formicary.surfaces.api.routes.shared import Caller
from tests.surfaces.api.conftest import Desk
from tests.surfaces.api.policies import HOLD_SECONDS
from tests.surfaces.api.test_decided_payments import Shop, shop

__all__ = ["shop"]


def shown(desk: Desk, payment: str, **more: Any) -> dict[str, Any]:
    """Return a payment as it is now."""
    document: dict[str, Any] = desk.get(f"/v1/payments/{payment}", **more)
    return document


def test_a_held_payment_is_shown_to_both(shop: Shop) -> None:
    """As it was answered; the payee is not told why it waits."""
    document = shop.pays(500, "held").json()
    payment = document["id"]
    assert shown(shop.desk, payment) == document
    assert shown(shop.desk, payment, key=shop.desk.key_of(shop.payer)) == document
    payees = shown(shop.desk, payment, key=shop.desk.key_of(shop.merchant))
    assert payees == {name: value for name, value in document.items() if name != "reasons"}


def test_released(shop: Shop) -> None:
    """The payee is paid, less the fee; asked again with the same key the answer is the same."""
    payment = shop.pays(500, "held").json()["id"]
    path, key = f"/v1/payments/{payment}/release", {"Idempotency-Key": "release"}
    first = shop.desk.ask("POST", path, json={"note": "checked"}, headers=key)
    document = first.json()
    assert (first.status_code, document["status"], document["fee"]) == (200, "completed", 3)
    assert document.keys() & {"release_by", "reasons"} == set()
    assert shop.desk.ask("POST", path, json={"note": "checked"}, headers=key).content == first.content
    assert shop.desk.code("POST", path, {}) == (422, "hold_already_released")
    assert shop.desk.code("POST", path, {"note": "because"}) == (400, "malformed_field")
    assert shop.has(shop.merchant) == (497, 497)
    assert shown(shop.desk, payment) == document
    assert shop.desk.post(f"/v1/payments/{payment}/refunds", {"amount": 500 - 3})["refunded"] == 497


def test_given_back_and_expired(shop: Shop) -> None:
    """Both are returned, and neither can be released."""
    first, second = (shop.pays(14, key).json()["id"] for key in ("first", "second"))
    with Formicary.in_process(shop.desk.api, shop.desk.house_key) as formicary:
        assert formicary.give_back(first, note="suspicious").status == "returned"
        shop.desk.post("/v1/clock/advance", {"seconds": HOLD_SECONDS + 60})
        for payment, code in ((first, "hold_already_returned"), (second, "hold_expired")):
            assert formicary.payment(payment).status == "returned"
            with pytest.raises(ApiRefused) as refused:
                formicary.release(payment)
            assert refused.value.reason == code
        assert shop.pays(10, "made").status_code == 201
    assert shop.has(shop.payer) == (990, 990)


def test_only_the_house_decides(shop: Shop) -> None:
    """By a key: neither payer nor payee, whatever scopes they have, nor a token of the house."""
    payment = shop.pays(500, "held").json()["id"]
    payee = shop.desk.key_of(shop.merchant, ["decisions:write", "payments:write"])
    body = {"party": encode(Prefix.PARTY, HOUSE), "scopes": ["decisions:write"]}
    token = shop.desk.post("/v1/tokens", body)["token"]
    for verb in ("release", "return"):
        path = f"/v1/payments/{payment}/{verb}"
        for key in (payee, token):
            assert shop.desk.code("POST", path, {}, key=key) == (403, "scope_missing")
        assert shop.desk.code("POST", f"/v1/payments/pay_{'0' * 26}/{verb}", {}) == (404, "not_found")
    assert shop.desk.code("POST", f"/v1/payments/{payment}/refunds", {"amount": 1}) == (
        422,
        "payment_not_completed",
    )


def test_what_the_client_is_told(shop: Shop) -> None:
    """Held money is an answer; refusals carry the check, the reasons and the payment to appeal by."""
    with Formicary.in_process(shop.desk.api, shop.desk.house_key) as formicary:
        ask = {"payer": shop.payer, "payee": shop.merchant, "currency": "GBP"}
        held = formicary.pay(amount=500, **ask)
        assert (held.status, held.reasons, held.release_by > held.created_at) == (
            "held",
            ["It is much."],
            True,
        )
        with pytest.raises(ApiRefused) as refused:
            formicary.pay(amount=12, **ask)
        told = refused.value
        assert (told.reason, told.check, told.reasons) == ("step_up_required", "device", ("It is twelve.",))
        assert told.payment.startswith("pay_")
        batch = formicary.pay_many([ask | {"amount": amount} for amount in (14, 12, 10)])
        assert [item.status for item in batch.items] == ["held", "refused", "completed"]
        assert (batch.held, batch.items[1].check, batch.items[0].reasons) == (1, "device", ["It is much."])


def test_who_decided_is_a_key() -> None:
    """Should the house have tokens one day: what is journaled of a verdict is the id of a key."""
    token = Principal(
        name="token", party=HOUSE, is_house=True, scopes=Scope.DECISIONS_WRITE, expires=1, is_key=False
    )
    with pytest.raises(ScopeMissing):
        Caller(cast("Any", None), token, cast("Any", None)).key_of_the_house(Scope.DECISIONS_WRITE)
