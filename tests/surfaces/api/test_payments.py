"""Payments over HTTP: one, many, again, and all that can be wrong with them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from formicary.surfaces.api import application
from tests.surfaces.api.conftest import Desk


def paid(payer: str, payee: str, amount: Any = 100, **more: Any) -> dict[str, Any]:
    """Return the body of a payment in pounds."""
    return {"payer": payer, "payee": payee, "amount": amount, "currency": "GBP"} | more


def test_a_payment_and_the_same_again(desk: Desk) -> None:
    """Money moves once; the same key gets the same body, another body is refused and does nothing."""
    payer, shop = desk.party(pounds=1_000), desk.party("merchant")
    key = {"Idempotency-Key": "k"}
    first = desk.ask("POST", "/v1/payments", json=paid(payer, shop, 500, reference="order 7"), headers=key)
    assert first.status_code == 201
    document = first.json()
    assert (document["status"], document["amount"], document["fee"]) == ("completed", 500, 3)
    again = desk.ask("POST", "/v1/payments", json=paid(payer, shop, 500, reference="order 7"), headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert desk.code("POST", "/v1/payments", paid(payer, shop, 501), headers=key) == (
        422,
        "idempotency_key_reused",
    )
    assert desk.get(f"/v1/payments/{document['id']}") == document
    accounts = desk.get(f"/v1/accounts?party={payer}")
    assert [account["balance"] for account in accounts] == [500]
    assert desk.get(f"/v1/accounts?party={shop}&currency=GBP")[0]["balance"] == 497


def test_a_refusal_and_the_same_again(desk: Desk) -> None:
    """What was refused stays refused under its key, with the same code, also once there is money."""
    payer, payee = desk.party(), desk.party()
    key = {"Idempotency-Key": "k"}
    body = paid(payer, payee)
    assert desk.code("POST", "/v1/payments", body, headers=key) == (422, "insufficient_funds")
    desk.fund(payer, 1_000)
    assert desk.code("POST", "/v1/payments", body, headers=key) == (422, "insufficient_funds")
    assert (
        desk.code("POST", "/v1/payments", paid(payer, payee, 7), headers=key)[1] == "idempotency_key_reused"
    )
    assert desk.post("/v1/payments", body)["status"] == "completed"


def test_a_batch_and_the_same_again(desk: Desk) -> None:
    """Each payment of a batch is done or refused by itself; the same key gets the same answer."""
    payer, payee, shop = desk.party(pounds=1_000), desk.party(), desk.party("merchant")
    poor = desk.party()
    body = {
        "payments": [
            paid(payer, payee, 10),
            paid(poor, payee, 10),
            paid(payer, shop, 500),
            paid(payer, "pty_nobody", 1),
            paid(payer, payee, 0),
            paid(payer, payee, 10, currency="XXX"),
            paid(payer, payer, 10),
            paid(payer, payee, 10, reference="a\u0000b"),
            paid(payer, payee, 20, reference="é"),
        ]
    }
    key = {"Idempotency-Key": "k"}
    first = desk.ask("POST", "/v1/payments/batch", json=body, headers=key)
    assert first.status_code == 200, first.text
    document = first.json()
    assert [item.get("code", item["status"]) for item in document["items"]] == [
        "completed",
        "insufficient_funds",
        "completed",
        "malformed_id",
        "invalid_amount",
        "unknown_currency",
        "same_account",
        "malformed_field",
        "completed",
    ]
    assert (document["completed"], document["refused"]) == (3, 6)
    assert desk.ask("POST", "/v1/payments/batch", json=body, headers=key).content == first.content
    body["payments"][0]["amount"] = 11
    other = desk.ask("POST", "/v1/payments/batch", json=body, headers=key).json()
    assert [item.get("code") for item in other["items"]][:3] == ["idempotency_key_reused"] * 3
    assert desk.get(f"/v1/accounts?party={payer}")[0]["balance"] == 470
    assert desk.get(f"/v1/accounts?party={shop}")[0]["balance"] == 497
    made = desk.get(f"/v1/payments/{document['items'][2]['id']}")
    assert (made["amount"], made["fee"], made["payee"]) == (500, 3, shop)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": 0}, (422, "invalid_amount")),
        ({"amount": -1}, (422, "invalid_amount")),
        ({"amount": 2**63}, (422, "invalid_amount")),
        ({"amount": 2**80}, (422, "invalid_amount")),
        ({"amount": 1.5}, (400, "malformed_body")),
        ({"amount": "1"}, (400, "malformed_body")),
        ({"currency": "gbp"}, (422, "unknown_currency")),
        ({"currency": "POUNDS" * 100}, (400, "malformed_body")),
        ({"payer": "pty_" + "7" * 27}, (400, "malformed_id")),
        ({"payee": "acc_" + "0" * 26}, (400, "malformed_id")),
        ({"payee": "pty_" + "0" * 26}, (404, "account_not_found")),
        ({"reference": "x" * 141}, (400, "malformed_body")),
        ({"reference": "\u202e"}, (400, "malformed_field")),
        ({"colour": "red"}, (400, "malformed_body")),
    ],
)
def test_what_is_wrong_with_a_payment(desk: Desk, change: dict[str, Any], expected: tuple[int, str]) -> None:
    """Each mistake has its documented code, and nothing moves."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    assert desk.code("POST", "/v1/payments", paid(payer, payee) | change) == expected
    assert desk.get(f"/v1/accounts?party={payer}")[0]["balance"] == 1_000


def test_what_is_wrong_with_a_request(desk: Desk) -> None:
    """No key, a bad one, no JSON, too much of it, no authorization: refused before anything is looked at."""
    body = paid("pty_" + "0" * 26, "pty_" + "0" * 26)
    ask = desk.ask
    for key, code in (("", "idempotency_key_malformed"), ("x" * 256, "idempotency_key_malformed")):
        assert desk.code("POST", "/v1/payments", body, headers={"Idempotency-Key": key}) == (400, code)
    assert ask("POST", "/v1/payments", content=b"\xff\xfe").json()["code"] == "malformed_body"
    assert ask("POST", "/v1/payments", content=b"[" * 5_000).json()["code"] == "malformed_body"
    assert desk.code("POST", "/v1/payments/batch", {"payments": []}) == (400, "malformed_body")
    large = ask("POST", "/v1/payments", content=b" " * (1 << 17))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    for header in ("", "Bearer", "Basic x", "Bearer fk_test_" + "0" * 79, "Bearer " + "x" * 5_000):
        refused = ask("POST", "/v1/payments", json=body, headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"


def test_a_key_is_required(desk: Desk) -> None:
    """Whatever changes anything takes an idempotency key."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=desk.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            headers = {"Authorization": f"Bearer {desk.house_key}"}
            return await client.post("/v1/payments", json={}, headers=headers)

    answer = asyncio.run(send())
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def test_another_partys_money(desk: Desk) -> None:
    """A party's own key moves its own money only; another's wallet looks like one that is not there."""
    payer, other = desk.party(pounds=1_000), desk.party(pounds=1_000)
    key = desk.key_of(payer)
    assert desk.post("/v1/payments", paid(payer, other), key=key)["status"] == "completed"
    foreign = desk.ask("POST", "/v1/payments", json=paid(other, payer), key=key).json()
    nobody = desk.ask("POST", "/v1/payments", json=paid("pty_" + "0" * 26, payer), key=key).json()
    foreign.pop("request_id")
    nobody.pop("request_id")
    assert foreign == nobody
    assert foreign["code"] == "account_not_found"
    batch = desk.post("/v1/payments/batch", {"payments": [paid(other, payer), paid(payer, other)]}, key=key)
    assert [item.get("code", "") for item in batch["items"]] == ["account_not_found", ""]
    reader = desk.key_of(payer, ["accounts:read"])
    assert desk.code("POST", "/v1/payments", paid(payer, other), key=reader) == (403, "scope_missing")


def test_many_at_once_with_one_key(desk: Desk) -> None:
    """However many arrive together, there is one effect, and each gets the same answer."""
    payer, payee = desk.party(pounds=1_000), desk.party()
    headers = {"Authorization": f"Bearer {desk.house_key}", "Idempotency-Key": "one"}

    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=desk.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            requests = [client.post("/v1/payments", json=paid(payer, payee), headers=headers)] * 1
            requests += [
                client.post("/v1/payments", json=paid(payer, payee), headers=headers) for _ in range(99)
            ]
            return await asyncio.gather(*requests)

    answers = asyncio.run(send())
    assert {answer.content for answer in answers} == {answers[0].content}
    assert desk.get(f"/v1/accounts?party={payer}")[0]["balance"] == 900


@pytest.mark.parametrize(
    ("path", "arrives", "expected"),
    [
        ("/v1/payments", False, (408, "body_too_slow")),
        ("/v1/parties", False, (408, "body_too_slow")),
        ("/healthz", False, (408, "body_too_slow")),
        ("/v1/payments", True, (503, "outcome_unknown")),
    ],
)
def test_what_takes_too_long(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    arrives: bool,  # noqa: FBT001, a parameter
    expected: tuple[int, str],
) -> None:
    """A body that never comes holds nobody up; where the engine is silent, what was done is unknown."""
    payer, payee = desk.party(pounds=10), desk.party()
    body = json.dumps(paid(payer, payee)).encode()
    monkeypatch.setattr(application, "DEADLINE_SECONDS", 0.1)

    async def never(_: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(desk.api._payments._gatherer, "_send", never)
    answer: list[Any] = []

    async def receive() -> Any:
        if not arrives:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answer.append(message)

    headers = [(b"authorization", f"Bearer {desk.house_key}".encode()), (b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    asyncio.run(desk.api(scope, receive, send))
    assert (answer[0]["status"], json.loads(answer[1]["body"])["code"]) == expected


def test_a_caller_that_leaves_gets_no_answer(desk: Desk) -> None:
    """Whoever hangs up before the whole request has come is not answered, and nothing is done."""
    answer: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answer.append(message)

    headers = [(b"authorization", f"Bearer {desk.house_key}".encode()), (b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": "/v1/payments", "headers": headers}
    asyncio.run(desk.api(scope, receive, send))
    asyncio.run(desk.api({"type": "websocket"}, receive, send))
    assert answer == []


def test_asking_too_often(desk: Desk) -> None:
    """A caller with an empty bucket waits as long as it is told; others go on."""
    limits = desk.api._rate_limits
    limits._per_second, limits._burst = 0.5, 2.0
    # However slow the machine is, no token comes back in between.
    stopped = limits._monotonic()
    limits._monotonic = lambda: stopped
    limits._buckets.clear()
    assert [desk.ask("GET", "/v1/clock").status_code for _ in range(3)] == [200, 200, 429]
    limited = desk.ask("GET", "/v1/clock")
    assert limited.json()["code"] == "rate_limited"
    assert limited.headers["retry-after"] == "2"
