"""Applications over HTTP on a real database: decided at once, shown again, and told in writing."""

from __future__ import annotations

import pytest

from formicary.base.purposes import wording_of
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from proofs.api.lending_house import FUNDS, PAY_IN, POLICY, judged
from tests.surfaces.api.conftest import Desk

WORDS = wording_of("You may decide on credit by what I sell and owe.")
SCOPES = ["parties:read", "consents:write", "applications:read", "applications:write", "loans:write"]
WRONG_TERMS = {"kind": "line", "rate": 3, "day_count": "thirty_360"}
PATH = "/v1/credit/applications"


class Shop:
    """A merchant with a token of its own that agreed to credit."""

    def __init__(self, desk: Desk) -> None:
        self.id = desk.party("merchant", pounds=1)
        self.token = desk.post("/v1/tokens", {"party": self.id, "scopes": SCOPES})["token"]
        body = {"purpose": "credit", "wording": WORDS, "act": "signed_in_party"}
        desk.post(f"/v1/parties/{self.id}/consents", body, key=self.token)

    def body(self, amount: int) -> dict[str, object]:
        """Return an application's body."""
        return {"party": self.id, "currency": "GBP", "amount": amount}


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """Give a house that lends, and a shop that sold for 40,000 pounds to four persons today."""
    shop = Shop(desk)
    for _ in range(4):
        payer = desk.party(pounds=1_000_000)
        body = {"payer": payer, "payee": shop.id, "amount": 1_000_000, "currency": "GBP"}
        desk.post("/v1/payments", body)
    return shop


def test_from_the_policy_to_the_loan(desk: Desk, shop: Shop) -> None:
    """Settings, an application, the same again, a look, an offer that is accepted; and what is refused."""
    assert desk.code("GET", "/v1/credit/policies/GBP") == (404, "not_found")
    assert desk.code("GET", "/v1/credit/policies/XXX")[1] == "unknown_currency"
    assert desk.code("POST", PATH, shop.body(10_000), key=shop.token) == (422, "credit_house_missing")
    wrong = POLICY | {"credit": {"limit_mini": 1}, "terms": WRONG_TERMS}
    answer = desk.ask("POST", "/v1/credit/policies", json=wrong).json()
    assert answer["code"] == "credit_house_malformed"
    assert all(part in answer["detail"] for part in ("limit_mini", "no rate", "actual/365", "share"))
    malformed = POLICY | {"credit": {"Limit": 1}}
    assert desk.code("POST", "/v1/credit/policies", malformed) == (400, "malformed_field")
    assert desk.code("POST", "/v1/credit/policies", POLICY | {"currency": "XXX"})[1] == "unknown_currency"
    policy = desk.post("/v1/credit/policies", POLICY)
    desk.post(PAY_IN, FUNDS)
    assert (policy["version"], policy["credit"]["expiry_days"], policy["bands"]) == (1, 30, POLICY["bands"])
    assert policy == desk.get("/v1/credit/policies/GBP")
    assert (policy["close"]["charge_off_days"], policy["credit"]["warned_days"]) == (120, 90)
    late = POLICY | {"close": {"charge_off_days": 4_000, "losses": 1}}
    told = desk.ask("POST", "/v1/credit/policies", json=late).json()
    assert told["code"] == "credit_house_malformed"
    assert all(part in told["detail"] for part in ("charge_off_days", "losses"))
    assert desk.code("GET", "/v1/credit/policies/GBP", key=shop.token) == (403, "scope_missing")
    digest = judged(desk.factory)
    headers = {"Authorization": f"Bearer {shop.token}", "Idempotency-Key": "mine"}
    granted = desk.ask("POST", PATH, json=shop.body(100_000), headers=headers).json()
    assert granted == desk.ask("POST", PATH, json=shop.body(100_000), headers=headers).json()
    assert (granted["outcome"], granted["limit"], granted["model"]) == ("granted", 100_000, digest)
    path = f"{PATH}/{granted['id']}"
    assert desk.get(path, key=shop.token) == granted
    assert desk.code("GET", f"{path}/notice", key=shop.token) == (404, "credit_notice_not_due")
    loan = {
        "offer": granted["offer"],
        "amount": 100_000,
        "effective_rate": granted["effective_rate"],
        "collected": True,
    }
    assert desk.post("/v1/loans", loan, key=shop.token)["state"] == "accepted"
    cut = desk.post(PATH, shop.body(10**9), key=shop.token)
    debts = "Beside existing debts sales carry no larger line of credit."
    assert (cut["outcome"], cut["reasons"]) == ("cut", [debts])
    assert desk.get(f"{PATH}/{cut['id']}/notice", key=shop.token)["reasons"] == cut["reasons"]
    own = f"{PATH}?party={shop.id}"
    first = desk.get(f"{own}&limit=1", key=shop.token)
    assert first["items"] == [granted]
    rest = desk.get(f"{own}&cursor={first['next']}", key=shop.token)
    assert rest == {"items": [desk.get(f"{PATH}/{cut['id']}")], "next": None}
    other = Shop(desk)
    assert desk.code("GET", own, key=other.token) == (404, "not_found")
    assert desk.get(f"{PATH}?party={other.id}", key=other.token) == {"items": [], "next": None}
    assert desk.code("GET", path, key=other.token) == (404, "not_found")
    assert desk.code("POST", PATH, shop.body(1), key=other.token) == (404, "not_found")
    assert desk.code("POST", PATH, shop.body(1) | {"currency": "XXX"})[1] == "unknown_currency"
    assert desk.code("POST", PATH, shop.body(1) | {"wallet": "acc_1"}) == (400, "malformed_field")
    strange = desk.get(f"/v1/accounts?party={other.id}")[0]["id"]
    refused = desk.code("POST", PATH, shop.body(1_000) | {"wallet": strange})
    assert refused == (422, "loan_wallet_unusable")


def test_a_refusal_is_told_in_writing(desk: Desk, shop: Shop) -> None:
    """Whoever is stopped is declined; the notice comes as a page, as text and as JSON, the same each time."""
    desk.post("/v1/credit/policies", POLICY)
    desk.post(PAY_IN, FUNDS)
    judged(desk.factory)
    where = f"/v1/credit/borrowers/{shop.id}"
    assert desk.code("GET", where) == (404, "not_found")
    told = desk.post(where, {"segment": 3, "other_debts": 5, "stopped": True})
    assert told == desk.get(where) == {"party": shop.id, "segment": 3, "other_debts": 5, "stopped": True}
    declined = desk.post(PATH, shop.body(100_000))
    nothing = [declined[name] for name in ("outcome", "limit", "offer", "expires_at")]
    assert nothing == ["declined", 0, None, None]
    assert declined["reasons"] == ["The application did not pass the check for fraud."]
    assert desk.get(f"{PATH}/{declined['id']}") == declined
    path = f"{PATH}/{declined['id']}/notice"
    document = desk.get(path)
    assert (document["decision"], document["party"]) == (declined["id"], shop.id)
    for form, part in (("text/html", "<!doctype html>"), ("text/plain", "Notice of action taken\n")):
        accept = {"accept": f"image/png, {form};q=0.9"}
        answer = desk.ask("GET", path, headers=accept)
        assert answer.headers["content-type"].startswith(form)
        assert answer.text.startswith(part)
        again = desk.ask("GET", path, headers=accept)
        assert again.content == answer.content
    assert MERCHANT_JUDGEMENT.model().hash == declined["model"]
