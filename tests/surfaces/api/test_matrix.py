"""Every route of the document, for every kind of caller: nothing of one party reaches another."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.scopes import Scope, scope_names
from formicary.factory.experiments import NAME as EXPERIMENTS
from formicary.surfaces.api.rest import document
from proofs.api.lending_house import FUNDS, PAY_IN, POLICY, judged
from tests.factory.experiments.kit import define
from tests.surfaces.api.conftest import Desk
from tests.surfaces.api.policies import REJECTED, arm

EVERYTHING = list(scope_names(int(sum(Scope))))
NOBODY = "0" * 26
OPERATIONS = [
    (method.upper(), path)
    for path, operations in document()["paths"].items()
    for method in operations
    if path.startswith("/v1")
]
_FUNDS = "/v1/lending/funds/{currency_code}"
_FUNDS_AMOUNTS = ("pay-in", "take-out", "pay-cost", "pay-sellers", "partner-pay-in", "pay-partner")
# What reveals nothing of anybody, and what everybody may do for themselves.
OPEN = {("GET", "/v1/clock")}


class World:
    """Things of one party, by the name that paths and bodies give them, and the same of nobody."""

    def __init__(self, desk: Desk) -> None:
        desk.post("/v1/credit/policies", POLICY)
        desk.post(PAY_IN, FUNDS)
        judged(desk.factory)
        self.party = desk.party(pounds=1_000)
        self.other = desk.party(pounds=1_000)
        self.stranger = desk.key_of(self.other, EVERYTHING)
        third = desk.party("merchant")
        pay = {"payer": self.party, "payee": third, "amount": 10, "currency": "GBP"}
        trade = {"buyer": self.party, "seller": third, "amount": 10, "currency": "GBP"}
        order = {"direction": "top_up", "party": self.party, "amount": 10, "currency": "GBP"}
        limits = {"party": self.party, "daily_amount_max": 0, "daily_count_max": 0}
        hook = desk.post("/v1/webhooks", {"url": "http://127.0.0.1:9/"})
        self.ids = {
            "webhook_id": hook["id"],
            "approval_id": desk.post("/v1/approvals/limits", limits)["id"],
            "party_id": self.party,
            "purpose": "credit",
            "account": desk.get(f"/v1/accounts?party={self.party}")[0]["id"],
            "payment_id": desk.post("/v1/payments", pay)["id"],
            "appeal_id": appealed(desk, self.party, third),
            "escrow_id": desk.post("/v1/escrows", trade)["id"],
            "experiment": tried_out(desk),
            "order_id": desk.post("/v1/rail-orders", order)["id"],
            "third_party": third,
            "offer_id": (offer := offered(desk, self.party)),
            "loan_id": accepted(desk, offer),
            "application_id": applied(desk, self.party),
            "currency_code": "GBP",
            "date": "2025-01-31",
            "key_id": desk.post("/v1/keys", {"party": self.party, "scopes": ["accounts:read"]})["id"],
        }

    def body(self, path: str, party: str, account: str, payment: str = "", offer: str = "") -> dict[str, Any]:
        """Return a body that would be right, about one party."""
        money = {"amount": 1, "currency": "GBP"}
        bodies: dict[str, dict[str, Any]] = {
            "/v1/parties": {"kind": "person"},
            "/v1/accounts": {"party": party, "currency": "GBP"},
            "/v1/transfers/search": {"account": account},
            "/v1/payments": {"payer": party, "payee": self.other, **money},
            "/v1/appeals": {"payment": payment},
            "/v1/appeals/{appeal_id}/verdict": {"verdict": "upheld"},
            "/v1/experiments/{experiment}/exposures": {"party": party},
            "/v1/escrows": {"buyer": party, "seller": party, **money},
            "/v1/rail-orders": {"direction": "cash_out", "party": party, **money},
            "/v1/keys": {"party": party, "scopes": ["accounts:read"]},
            "/v1/tokens": {"party": party, "scopes": ["accounts:read"]},
            "/v1/keys/{key_id}/rotate": {"overlap_seconds": 0},
            "/v1/payments/{payment_id}/refunds": {"amount": 1},
            "/v1/payments/{payment_id}/release": {"note": "checked"},
            "/v1/payments/{payment_id}/return": {"note": "checked"},
            "/v1/escrows/{escrow_id}/refund": {"amount": 1},
            "/v1/escrows/{escrow_id}/refund/revise": {"amount": 1},
            "/v1/escrows/{escrow_id}/refund/rule": {"amount_to_buyer": 1},
            "/v1/clock/advance": {"seconds": 1},
            "/v1/webhooks": {"url": "http://127.0.0.1:9/"},
            "/v1/parties/{party_id}/profile": {"fields": {"name": "Somebody"}},
            "/v1/parties/{party_id}/consents": {"purpose": "credit", "wording": "a" * 32, "act": "written"},
            "/v1/credit-scores/{party_id}/relations": {"on": False},
            "/v1/credit-scores/{party_id}/authorisations": {
                "third_party": self.other,
                "scope": "band",
                "expires_at": "2030-01-01T00:00:00Z",
            },
            "/v1/score-disputes": {"party": party, "dimension": "history"},
            "/v1/score-disputes/{party_id}/verdict": {"verdict": "rejected"},
            "/v1/credit/offers": {
                "party": party,
                "currency": "GBP",
                "limit": 1,
                "terms": {"kind": "line", "rate": 1},
                "expires_at": "2099-01-01T00:00:00Z",
            },
            "/v1/loans": {"offer": offer, "amount": 1_000, "effective_rate": 0, "collected": True},
            "/v1/credit/applications": {"party": party, **money},
            "/v1/credit/policies": POLICY,
            **{f"{_FUNDS}/{what}": {"amount": 1} for what in _FUNDS_AMOUNTS},
            **{f"{_FUNDS}/{what}": {"amount": 1, "rate": 1} for what in ("borrow", "pay-back")},
            "/v1/loans/{loan_id}/draw": {"amount": 1},
            "/v1/loans/{loan_id}/repay": {"amount": 1},
            "/v1/loans/{loan_id}/recover": {"amount": 1},
            "/v1/loans/{loan_id}/refinance": {"loan": offer.replace("ofr_", "loan_")},
            "/v1/loans/{loan_id}/collection": {"on": False},
            "/v1/loans/{loan_id}/risk": {"default": 1},
            "/v1/approvals/limits": {"party": party, "daily_amount_max": 0, "daily_count_max": 0},
            "/v1/approvals/entries": {
                "lines": [{"debit_account": account, "credit_account": account, **money}]
            },
        }
        return bodies.get(path, {})


def offered(desk: Desk, party: str) -> str:
    """Offer a party that agrees to it a line of credit; return the offer's id."""
    agreed = {"purpose": "credit", "wording": "a" * 32, "act": "written"}
    desk.post(f"/v1/parties/{party}/consents", agreed)
    terms = {"kind": "line", "rate": 0}
    body = {"party": party, "currency": "GBP", "limit": 1_000, "terms": terms}
    offer: str = desk.post("/v1/credit/offers", body | {"expires_at": "2099-01-01T00:00:00Z"})["id"]
    return offer


def accepted(desk: Desk, offer: str) -> str:
    """Let the house accept an offer for its party; return the loan's id."""
    body = {"offer": offer, "amount": 1_000, "effective_rate": 0, "collected": True}
    loan: str = desk.post("/v1/loans", body)["id"]
    return loan


def applied(desk: Desk, party: str) -> str:
    """Let the house apply for a party, which sold nothing; return the application's id."""
    body = {"party": party, "currency": "GBP", "amount": 1_000}
    application: str = desk.post("/v1/credit/applications", body)["id"]
    return application


def tried_out(desk: Desk) -> str:
    """Define an experiment; return its name."""
    assert desk.factory.command(EXPERIMENTS, define(), principal="test", key="define").code == ""
    return "short_form"


def appealed(desk: Desk, payer: str, payee: str) -> str:
    """Open an appeal of a payment that was declined; return its id."""
    arm(desk.factory)
    declined = {"payer": payer, "payee": payee, "amount": REJECTED, "currency": "GBP"}
    payment = desk.ask("POST", "/v1/payments", json=declined).json()["payment"]
    appeal: str = desk.post("/v1/appeals", {"payment": payment})["id"]
    return appeal


def request_of(world: World, method: str, path: str, *, real: bool) -> tuple[str, dict[str, Any] | None]:
    """Return path and body of a request about the party, or about nobody."""
    names = {name: text if real else f"{text.split('_')[0]}_{NOBODY}" for name, text in world.ids.items()}
    target = path.format(**names)
    if path.endswith("/quote"):
        target += "?amount=1"
    if (
        path in {"/v1/accounts", "/v1/credit/applications", "/v1/credit/offers", "/v1/loans"}
        and method == "GET"
    ):
        target += f"?party={names['party_id']}"
    if path.endswith("/statement"):
        target += "?since=2020-01-01T00:00:00Z&until=2030-01-01T00:00:00Z"
    if method == "GET":
        return target, None
    payment = names["appeal_id"].replace("apl_", "pay_")
    return target, world.body(path, names["party_id"], names["account"], payment, names["offer_id"])


@pytest.fixture
def world(desk: Desk) -> World:
    """Give a party with one thing of each kind, and a stranger with every scope."""
    return World(desk)


def test_nobody_without_a_key(desk: Desk, world: World) -> None:
    """Without a key nothing is shown and nothing done, whatever is asked."""
    for method, path in OPERATIONS:
        target, body = request_of(world, method, path, real=True)
        assert desk.code(method, target, body, headers={"Authorization": ""}) == (
            401,
            "authentication_required",
        )


def test_a_stranger_sees_and_moves_nothing(desk: Desk, world: World) -> None:
    """Another party's key, with every scope, gets the same answer as if there were nothing."""
    before = desk.get(f"/v1/accounts?party={world.party}")
    for method, path in OPERATIONS:
        if (method, path) in OPEN or path == "/v1/payments/batch":
            continue
        answers = []
        for real in (True, False):
            target, body = request_of(world, method, path, real=real)
            answers.append(desk.code(method, target, body, key=world.stranger))
        assert answers[0] == answers[1], path
        assert answers[0][0] in (403, 404), path
    assert desk.get(f"/v1/accounts?party={world.party}") == before


def test_no_scope_opens_nothing_else(desk: Desk, world: World) -> None:
    """A party's own key with one scope that only the house can use does nothing at all."""
    key = desk.key_of(world.party, ["clock:write"])
    for method, path in OPERATIONS:
        if (method, path) not in OPEN:
            target, body = request_of(world, method, path, real=True)
            if path == "/v1/payments/batch":
                body = {"payments": [world.body("/v1/payments", world.party, "")]}
            assert desk.code(method, target, body, key=key) == (403, "scope_missing"), path
