"""The client: one interface, retries under one key, an unknown outcome that resolves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from formicary.client import (
    ApiRefused,
    ApiUnreachable,
    Formicary,
    UnknownOutcome,
    WebhookInvalid,
    verify_webhook,
    wording_of,
)
from formicary.client.transport import Transport
from formicary.client.webhooks import sign_webhook
from tests.surfaces.api.conftest import Desk, desk, hosted_home, new_home, shared_home

__all__ = ["desk", "hosted_home", "new_home", "shared_home"]

PAYMENT = {
    "id": "pay_x",
    "status": "completed",
    "payer": "a",
    "payee": "b",
    "amount": 5,
    "fee": 0,
    "currency": "GBP",
    "created_at": "2026-01-01T00:00:00Z",
}
Script = Callable[[httpx.Request], httpx.Response]


def scripted(
    *steps: Script | httpx.Response | Exception,
) -> tuple[Formicary, list[httpx.Request], list[float]]:
    """Return a client whose API answers step by step, what it was asked, and how long the client paused."""
    left: Iterator[Any] = iter(steps)
    asked: list[httpx.Request] = []
    pauses: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        step = next(left)
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, httpx.Response)
        return step

    http = httpx.Client(base_url="http://api", transport=httpx.MockTransport(answer))
    return Formicary(Transport(http, "key", attempts=3, sleep=pauses.append)), asked, pauses


def pay(client: Formicary) -> Any:
    """Pay five pence."""
    return client.pay(payer="a", payee="b", amount=5, currency="GBP")


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    """Return a problem document."""
    return httpx.Response(status, json={"code": code, "detail": "so", "request_id": "r"}, headers=headers)


def test_against_a_factory(desk: Desk) -> None:
    """Everything the interface has, on an API in this process."""
    with Formicary.in_process(desk.api, desk.house_key) as formicary:
        alice, shop = formicary.register_party("person"), formicary.register_party("merchant")
        wallet = formicary.open_account(alice.id, "GBP")
        formicary.open_account(shop.id, "GBP")
        order = formicary.order("top_up", party=alice.id, amount=1_000, currency="GBP")
        assert formicary.bank_said(order.id, "confirm").state == "confirmed"
        payment = formicary.pay(payer=alice.id, payee=shop.id, amount=100, currency="GBP", key="k")
        assert formicary.pay(payer=alice.id, payee=shop.id, amount=100, currency="GBP", key="k") == payment
        assert formicary.payment(payment.id) == payment
        assert formicary.refund(payment.id, 40).refunded == 40
        one = {"payer": alice.id, "payee": shop.id, "amount": 1, "currency": "GBP"}
        assert formicary.pay_many([one] * 120).completed == 120
        assert formicary.account(wallet.id).balance == 1_000 - 100 + 40 - 120
        assert formicary.accounts(alice.id)[0].id == wallet.id
        assert formicary.balance(wallet.id, as_of=payment.created_at).balance == 900
        assert len(list(formicary.transfers(wallet.id))) == 123
        period = {"since": "2000-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
        assert formicary.statement(wallet.id, **period).count(b"\n") > 123
        assert b"camt.053" in formicary.statement(wallet.id, form="camt.053", **period)
        assert formicary.rail_order(order.id).state == "confirmed"
        assert [found.amount for found in formicary.search(all=[{"amount_min": 100}], limit=2)] == [
            100,
            1000,
            1000,
        ]
        escrow = formicary.open_escrow(buyer=alice.id, seller=shop.id, amount=10, currency="GBP")
        formicary.move_escrow(escrow.id, "pay", acting_as="buyer")
        assert formicary.escrow(escrow.id).state == "WAIT_SELLER_SEND_GOODS"
        key = formicary.issue_key(alice.id, ["accounts:read"])
        assert key.key is not None
        assert key.key not in repr(key)
        assert formicary.key(key.id).key is None
        assert formicary.rotate_key(key.id, overlap_seconds=5).key != key.key
        assert formicary.revoke_key(key.id).status == "revoked"
        token = formicary.issue_token(alice.id, ["accounts:read"], seconds=60)
        assert token.token not in repr(token)
        before = formicary.clock()
        assert before < formicary.advance_clock(1)
        assert {event.kind for event in formicary.events()} >= {"escrow.EscrowPaid", "party.PartyRegistered"}
        assert formicary.party(alice.id).status == "active"
        assert formicary.close_party(shop.id).status == "closed"
        assert formicary.erase_party(shop.id).status == "erased"
        with pytest.raises(ApiRefused) as refused:
            formicary.account("acc_x")
        assert (refused.value.reason, refused.value.status) == ("not_found", 404)


def test_people_of_the_house(desk: Desk) -> None:
    """Personal data, proposals that a second key decides, webhooks."""
    with (
        Formicary.in_process(desk.api, desk.house_key) as formicary,
        Formicary.in_process(desk.api, desk.second_house_key()) as second,
    ):
        alice, bob = formicary.register_party("person"), formicary.register_party("person")
        assert formicary.profile(alice.id).fields == {}
        stored = formicary.put_profile(alice.id, {"name": "Alice"})
        assert formicary.profile(alice.id) == stored
        assert "Alice" not in repr(stored)
        words = wording_of("You may look at my payments.")
        agreed = formicary.grant_consent(alice.id, "credit", wording=words, act="written")
        assert (agreed.granted, agreed.wording) == (True, words)
        assert agreed in formicary.consents(alice.id)
        assert not formicary.revoke_consent(alice.id, "credit").granted
        wallets = [formicary.open_account(party.id, "GBP").id for party in (alice, bob)]
        line = {"debit_account": wallets[0], "credit_account": wallets[1], "amount": 1, "currency": "GBP"}
        entry = formicary.propose_entry([line])
        assert [line.amount for line in entry.lines] == [1]
        assert second.reject(entry.id).status == "rejected"
        limits = formicary.propose_limits(alice.id, daily_amount_max=5, daily_count_max=2)
        with pytest.raises(ApiRefused) as refused:
            formicary.approve(limits.id)
        assert refused.value.reason == "approver_is_proposer"
        assert second.approve(limits.id).status == "approved"
        assert formicary.approval(limits.id).decided_by != limits.proposed_by
        assert formicary.party(alice.id).daily_amount_max == 5
        hook = formicary.register_webhook("http://127.0.0.1:9/", kinds=["party.PartyRegistered"])
        assert hook.secret is not None
        assert hook.secret not in repr(hook)
        assert formicary.webhook(hook.id).secret is None
        assert formicary.redeliver(hook.id).id == hook.id
        assert [known.id for known in formicary.webhooks()] == [hook.id]
        formicary.remove_webhook(hook.id)
        assert formicary.webhooks() == []


def test_a_retry_has_the_same_key() -> None:
    """What fails on its way is sent again, with the same key and the same body."""
    client, asked, pauses = scripted(
        problem(503, "engine_busy"), httpx.ReadError("gone"), httpx.Response(201, json=PAYMENT)
    )
    assert pay(client).id == "pay_x"
    assert len({request.headers["idempotency-key"] for request in asked}) == 1
    assert len({request.content for request in asked}) == 1
    assert len(pauses) == 2


def test_being_told_to_wait() -> None:
    """A caller that asks too often waits as long as it is told."""
    limited = problem(429, "rate_limited", **{"retry-after": "1"})
    client, _, pauses = scripted(limited, httpx.Response(201, json=PAYMENT))
    pay(client)
    assert pauses[0] == 1.0


@pytest.mark.parametrize("first", [httpx.ReadTimeout("late"), problem(503, "outcome_unknown")])
def test_an_unknown_outcome_resolves(first: Exception | httpx.Response) -> None:
    """Where a request may have been done and nobody says so, the caller learns that, and how to ask."""
    down = httpx.ConnectError("nobody")
    client, asked, _ = scripted(first, down, down, httpx.Response(201, json=PAYMENT))
    with pytest.raises(UnknownOutcome) as unknown:
        pay(client)
    assert unknown.value.resolve().id == "pay_x"
    assert {request.headers["idempotency-key"] for request in asked} == {unknown.value.key}


def test_nothing_was_done() -> None:
    """Where no request ever arrived, or only a look went wrong, nothing is unknown."""
    down = httpx.ConnectError("nobody")
    client, *_ = scripted(down, down, down)
    with pytest.raises(ApiUnreachable):
        pay(client)
    client, *_ = scripted(*[httpx.ReadTimeout("late")] * 3)
    with pytest.raises(ApiUnreachable):
        client.party("x")


def test_an_answer_that_is_no_problem_document() -> None:
    """Something else than the API answers: that is refused as well, and clearly."""
    client, *_ = scripted(httpx.Response(404, text="<html>"))
    with pytest.raises(ApiRefused) as refused:
        client.party("x")
    assert refused.value.reason == "unexpected_answer"


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105, the specification's example


def test_webhooks() -> None:
    """The specification's own example is believed; a changed one, an old one and another secret's are not."""
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    now = 1_614_265_330
    assert verify_webhook(SECRET, headers, body, now=now + 299) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = sign_webhook(SECRET, message_id="m", timestamp=5, body=body)
    assert signature.startswith("v1,")
    changes: list[dict[str, Any]] = [
        {"body": body + b" "},
        {"now": now + 301},
        {"secret": "whsec_AAAA"},
        {"secret": "whsec_?"},
        {"headers": headers | {"webhook-timestamp": "yesterday"}},
        {"headers": {}},
    ]
    for wrong in changes:
        given: dict[str, Any] = {"secret": SECRET, "headers": headers, "body": body, "now": now} | wrong
        with pytest.raises(WebhookInvalid):
            verify_webhook(given["secret"], given["headers"], given["body"], now=given["now"])
