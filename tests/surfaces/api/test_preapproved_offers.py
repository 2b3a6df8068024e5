"""A run over all parties on a real database: what it offers is shown, quoted and accepted over HTTP."""

from __future__ import annotations

from typing import Any

from formicary.base.clock import LiveClock
from formicary.products.lending.nightly.preapproval_run import PreapproveParties, run_id
from formicary.products.lending.product import PREAPPROVALS
from formicary.products.lending.servicing.terms import day_at
from proofs.api.lending_house import FUNDS, PAY_IN, POLICY, judged
from tests.surfaces.api.conftest import Desk
from tests.surfaces.api.test_credit_applications import SCOPES, WORDS

GBP = 826


def test_what_a_run_offers_is_taken(desk: Desk) -> None:
    """What it costs a year is that of all of it today, as the quote of all of it says."""
    shop = desk.party("merchant", pounds=1)
    token = desk.post("/v1/tokens", {"party": shop, "scopes": [*SCOPES, "loans:read"]})["token"]
    consent = {"purpose": "credit", "wording": WORDS, "act": "signed_in_party"}
    desk.post(f"/v1/parties/{shop}/consents", consent, key=token)
    for _ in range(4):
        payer = desk.party(pounds=1_000_000)
        body = {"payer": payer, "payee": shop, "amount": 1_000_000, "currency": "GBP"}
        desk.post("/v1/payments", body)
    desk.post("/v1/credit/policies", POLICY)
    desk.post(PAY_IN, FUNDS)
    judged(desk.factory)
    path = f"/v1/credit/offers?party={shop}"
    assert desk.get(path, key=token)["items"] == []
    day = day_at(LiveClock().now())
    answers: list[Any] = []
    while not answers or not answers[-1]["is_ended"]:
        command = PreapproveParties(subject=run_id(day, GBP))
        receipt = desk.factory.command(
            PREAPPROVALS.name, command, principal="test", key=f"run {len(answers)}"
        )
        assert receipt.code == ""
        answers.append(receipt.answer)
    assert answers[-1]["offered"] == 1
    (offer,) = desk.get(path, key=token)["items"]
    quote = desk.get(f"/v1/credit/offers/{offer['id']}/quote?amount={offer['limit']}", key=token)
    assert offer["effective_rate"] == quote["effective_rate"] > 0
    loan = {"offer": offer["id"], "amount": offer["limit"], "collected": True}
    taken = desk.post("/v1/loans", loan | {"effective_rate": quote["effective_rate"]}, key=token)
    assert (taken["state"], taken["limit"]) == ("accepted", offer["limit"])
    assert desk.get(path, key=token)["items"][0]["state"] == "accepted"
