"""What a party may pay a day: single payments, batches, repeated ones, days, wallets."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from formicary.base.public_ids import Prefix, decode
from formicary.surfaces.api import velocity
from tests.surfaces.api.conftest import Desk


def limit(desk: Desk, party: str, *, amount: int = 0, count: int = 0) -> None:
    """Give a party limits, by two keys of the house."""
    limits = {"party": party, "daily_amount_max": amount, "daily_count_max": count}
    proposed = desk.post("/v1/approvals/limits", limits)
    desk.post(f"/v1/approvals/{proposed['id']}/approve", key=desk.second_house_key())


def pay(payer: str, payee: str, amount: int) -> dict[str, Any]:
    """Return the body of a payment."""
    return {"payer": payer, "payee": payee, "amount": amount, "currency": "GBP"}


def test_a_payer_stays_within_its_limits(desk: Desk) -> None:
    """Up to the amount and no penny more; the next day begins at nought; others are not held up."""
    payer, payee = desk.party(pounds=1_000), desk.party(pounds=1_000)
    limit(desk, payer, amount=100)
    desk.post("/v1/payments", pay(payer, payee, 60))
    refused = desk.code("POST", "/v1/payments", pay(payer, payee, 41), headers={"Idempotency-Key": "late"})
    assert refused == (422, "velocity_limit_exceeded")
    desk.post("/v1/payments", pay(payer, payee, 40))
    desk.post("/v1/payments", pay(payee, payer, 500))
    assert desk.code("POST", "/v1/payments", pay(payer, payee, 1))[1] == "velocity_limit_exceeded"
    desk.post("/v1/clock/advance", {"seconds": 86_400})
    desk.post("/v1/payments", pay(payer, payee, 41), headers={"Idempotency-Key": "late"})


def test_a_payment_that_was_made_is_answered_again(desk: Desk) -> None:
    """A repeated key is not held up by what it did itself, nor is a refusal of the ledger changed."""
    payer, payee = desk.party(pounds=50), desk.party("merchant")
    limit(desk, payer, count=2)
    first = desk.post("/v1/payments", pay(payer, payee, 10), headers={"Idempotency-Key": "one"})
    poor = desk.code("POST", "/v1/payments", pay(payer, payee, 99), headers={"Idempotency-Key": "poor"})
    assert poor == (422, "insufficient_funds")
    desk.post("/v1/payments", pay(payer, payee, 1))
    assert desk.code("POST", "/v1/payments", pay(payer, payee, 1))[1] == "velocity_limit_exceeded"
    assert desk.post("/v1/payments", pay(payer, payee, 10), headers={"Idempotency-Key": "one"}) == first
    again = desk.code("POST", "/v1/payments", pay(payer, payee, 99), headers={"Idempotency-Key": "poor"})
    assert again == poor


def test_a_batch_is_cut_where_the_limit_is(desk: Desk) -> None:
    """Item by item in the order asked: what still fits is paid, also after one that did not."""
    payer, other = desk.party(pounds=1_000), desk.party(pounds=1_000)
    limit(desk, payer, amount=100, count=3)
    asked = [
        pay(payer, other, 70),
        pay(payer, other, 31),
        pay(other, payer, 500),
        pay(payer, other, 30),
        pay(payer, other, 0),
    ]
    answer = desk.post("/v1/payments/batch", {"payments": asked}, headers={"Idempotency-Key": "batch"})
    codes = [item.get("code", "") for item in answer["items"]]
    assert codes == ["", "velocity_limit_exceeded", "", "", "invalid_amount"]
    again = desk.post("/v1/payments/batch", {"payments": asked}, headers={"Idempotency-Key": "batch"})
    assert again == answer


def test_payments_at_the_same_moment_wait_for_each_other(desk: Desk) -> None:
    """Ten requests at once pay as often as is allowed, not more."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    limit(desk, payer, count=4)

    async def all_at_once() -> list[int]:
        transport = httpx.ASGITransport(app=desk.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            headers = {"Authorization": f"Bearer {desk.house_key}"}
            asked = [
                client.post(
                    "/v1/payments",
                    json=pay(payer, payee, 5),
                    headers=headers | {"Idempotency-Key": f"at once {number}"},
                )
                for number in range(10)
            ]
            return sorted(answer.status_code for answer in await asyncio.gather(*asked))

    assert asyncio.run(all_at_once()) == [201] * 4 + [422] * 6


def test_pages_are_added_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More payments than one page holds are all counted."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    for amount in (1, 2, 3, 4, 5):
        desk.post("/v1/payments", pay(payer, payee, amount))
    monkeypatch.setattr(velocity, "QUERY_LIMIT_MAX", 2)
    account = decode(Prefix.ACCOUNT, desk.get(f"/v1/accounts?party={payer}")[0]["id"])
    assert velocity.paid_since(desk.factory.history, account, 0) == (15, 5)
