"""Appeals over HTTP: by the payer alone, of what went against it, decided by the house."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.public_ids import Prefix, encode
from formicary.client import ApiRefused, Formicary
from formicary.factory.appeals import SOURCE
from formicary.factory.ledger import Transfer, transfer_array
from formicary.products.payments.postings import TransferCode
from tests.surfaces.api.conftest import Desk
from tests.surfaces.api.policies import REJECTED
from tests.surfaces.api.test_decided_payments import Shop, shop

__all__ = ["shop"]


def token_of(desk: Desk, party: str) -> str:
    """Return a token of a party."""
    body = {"party": party, "scopes": ["payments:write", "accounts:read"]}
    token: str = desk.post("/v1/tokens", body)["token"]
    return token


def declined(shop: Shop, key: str = "no") -> str:
    """Have a payment declined; return its id."""
    payment: str = shop.pays(REJECTED, key).json()["payment"]
    return payment


def labels(desk: Desk) -> list[dict[str, Any]]:
    """Return the verdicts that the journal holds as facts."""
    events = desk.get("/v1/events?limit=500")["items"]
    return [event["data"] for event in events if event["subject"] == f"{SOURCE:032x}"]


def test_from_the_refusal_to_the_label(shop: Shop) -> None:
    """The payer appeals with its own token; a person decides; the verdict is a fact about the transfer."""
    desk, own = shop.desk, token_of(shop.desk, shop.payer)
    payment = declined(shop)
    opened = desk.post("/v1/appeals", {"payment": payment}, key=own)
    assert (opened["status"], opened["payment"], opened["party"]) == ("open", payment, shop.payer)
    assert (opened["outcome"], opened["reasons"]) == ("reject", ["It is thirteen."])
    assert (opened["decided_by"], opened["decided_at"]) == (None, None)
    assert desk.get(f"/v1/appeals/{opened['id']}", key=own) == opened
    assert desk.get("/v1/appeals?status=open") == {"items": [opened], "next": None}
    decided = desk.post(f"/v1/appeals/{opened['id']}/verdict", {"verdict": "overturned"})
    assert decided["status"] == "overturned"
    assert decided["decided_by"].startswith("key_")
    assert decided["decided_at"] > decided["opened_at"] == opened["opened_at"]
    assert desk.get(f"/v1/appeals/{opened['id']}", key=own) == decided
    assert desk.get("/v1/appeals") == {"items": [], "next": None}
    (label,) = labels(desk)
    assert (label["kind"], label["numbers"]) == ("appeal_verdict", {"overturned": [1]})
    again = f"/v1/appeals/{opened['id']}/verdict"
    assert desk.code("POST", again, {"verdict": "upheld"}) == (422, "appeal_not_open")
    assert desk.code("POST", "/v1/appeals", {"payment": payment}, key=own) == (422, "appeal_exists")


def test_what_can_be_appealed(shop: Shop) -> None:
    """What was held or declined; a payment that was made, one that only wants a check, and nothing cannot."""
    desk, own = shop.desk, token_of(shop.desk, shop.payer)
    held = shop.pays(500, "held").json()["id"]
    made = shop.pays(10, "made").json()["id"]
    check = shop.pays(12, "check").json()["payment"]
    assert desk.post("/v1/appeals", {"payment": held}, key=own)["outcome"] == "hold"
    for payment in (made, check):
        assert desk.code("POST", "/v1/appeals", {"payment": payment}, key=own) == (422, "nothing_to_appeal")
    assert desk.code("POST", "/v1/appeals", {"payment": "pay_x"}, key=own) == (400, "malformed_field")
    nobodys = Transfer(
        id=77,
        debit_account_id=78,
        credit_account_id=79,
        amount=1,
        ledger=826,
        code=TransferCode.PERSON_PAYMENT,
    )
    desk.factory.execute([transfer_array([nobodys])])
    assert desk.code("POST", "/v1/appeals", {"payment": encode(Prefix.PAYMENT, 77)}) == (404, "not_found")
    transfer = desk.post("/v1/transfers/search", {"all": [{"kind": "top_up_credited"}]})["items"][0]["id"]
    assert desk.code("POST", "/v1/appeals", {"payment": transfer}) == (404, "not_found")


def test_nobody_elses(shop: Shop) -> None:
    """Another party, the payee too, learns nothing of it: it looks like what is not there."""
    desk = shop.desk
    payment = declined(shop)
    nothing = f"pay_{'0' * 26}"
    appeal = desk.post("/v1/appeals", {"payment": declined(shop, "other")})["id"]
    for party in (shop.merchant, desk.party()):
        other = token_of(desk, party)
        answers = [
            desk.code("POST", "/v1/appeals", {"payment": one}, key=other) for one in (payment, nothing)
        ]
        assert answers == [(404, "not_found")] * 2
        assert desk.code("GET", f"/v1/appeals/{appeal}", key=other) == (404, "not_found")
        assert desk.code("GET", "/v1/appeals", key=other) == (403, "scope_missing")
        verdict = {"verdict": "overturned"}
        assert desk.code("POST", f"/v1/appeals/{appeal}/verdict", verdict, key=other)[0] == 403
    reader = desk.key_of(shop.payer, ["accounts:read"])
    assert desk.code("POST", "/v1/appeals", {"payment": payment}, key=reader) == (403, "scope_missing")
    assert desk.code("POST", f"/v1/appeals/apl_{'0' * 26}/verdict", {"verdict": "upheld"}) == (
        404,
        "not_found",
    )


def test_the_queue_page_by_page(shop: Shop) -> None:
    """The client reads all of it, the oldest first, and sees each refusal's code."""
    payments = [declined(shop, f"no {number}") for number in range(3)]
    with Formicary.in_process(shop.desk.api, shop.desk.house_key) as formicary:
        appeals = [formicary.open_appeal(payment) for payment in payments]
        assert [one.id for one in formicary.appeals()] == [one.id for one in appeals]
        first = shop.desk.get("/v1/appeals?limit=2")
        rest = shop.desk.get(f"/v1/appeals?limit=2&cursor={first['next']}")
        assert [one["id"] for one in first["items"] + rest["items"]] == [one.id for one in appeals]
        assert rest["next"] is None
        assert formicary.decide_appeal(appeals[1].id, "upheld").status == "upheld"
        assert [one.id for one in formicary.appeals("upheld")] == [appeals[1].id]
        assert formicary.appeal(appeals[0].id) == appeals[0]
        with pytest.raises(ApiRefused) as refused:
            formicary.decide_appeal(appeals[1].id, "overturned")
        assert refused.value.reason == "appeal_not_open"
