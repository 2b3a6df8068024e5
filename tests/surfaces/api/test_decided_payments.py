"""Payments that a policy decides about: held, refused with reasons, sent for a check; one by one and many."""

from __future__ import annotations

from typing import Any

import pytest

from formicary.base.public_ids import Prefix, decode
from tests.surfaces.api.conftest import Desk
from tests.surfaces.api.policies import HOLD_SECONDS, REJECTED, arm, rule
from tests.surfaces.api.test_payments import paid


class Shop:
    """A payer with money, a merchant, and a policy that is armed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.payer, self.merchant = desk.party(pounds=1_000), desk.party("merchant")
        arm(desk.factory)

    def pays(self, amount: int, key: str, **more: Any) -> Any:
        """Pay the merchant under a key; return the answer."""
        body = paid(self.payer, self.merchant, amount)
        return self.desk.ask("POST", "/v1/payments", json=body, headers={"Idempotency-Key": key}, **more)

    def has(self, party: str) -> tuple[int, int]:
        """Return a party's balance, and what of it can be spent."""
        (account,) = self.desk.get(f"/v1/accounts?party={party}")
        return account["balance"], account["available"]


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """Give a shop."""
    return Shop(desk)


def counted(desk: Desk) -> dict[str, float]:
    """Return how many payments were counted, by outcome."""
    lines = desk.ask("GET", "/metrics").text.splitlines()
    told = [line for line in lines if line.startswith("formicary_payments_total")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in told}


def refused(answer: Any) -> dict[str, Any]:
    """Return a problem document without what differs from answer to answer."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem: dict[str, Any] = answer.json()
    assert problem.pop("request_id")
    return problem


def test_money_that_is_held(shop: Shop) -> None:
    """It is reserved and not paid, and the answer says why and until when; the same key, the same answer."""
    first = shop.pays(500, "held")
    document = first.json()
    assert first.status_code == 202
    assert (document["status"], document["reasons"], document["fee"]) == ("held", ["It is much."], 3)
    assert shop.has(shop.payer) == (1_000, 500)
    assert shop.has(shop.merchant) == (0, 0)
    shop.desk.post("/v1/clock/advance", {"seconds": 60})
    again = shop.pays(500, "held")
    assert (again.status_code, again.content) == (202, first.content)
    assert shop.pays(501, "held").json()["code"] == "idempotency_key_reused"
    assert counted(shop.desk) == {"held": 2.0, "idempotency_key_reused": 1.0}


def test_held_money_goes_back_by_itself(shop: Shop) -> None:
    """At the time that was told, not before; the same request is still answered as it was."""
    first = shop.pays(14, "held")
    shop.desk.post("/v1/clock/advance", {"seconds": HOLD_SECONDS - 60})
    assert shop.pays(15, "before").status_code == 201
    assert shop.has(shop.payer) == (985, 971)
    shop.desk.post("/v1/clock/advance", {"seconds": 120})
    assert shop.pays(16, "after").status_code == 201
    assert shop.has(shop.payer) == (969, 969)
    assert shop.pays(14, "held").content == first.content


@pytest.mark.parametrize(("amount", "check"), [(11, "code"), (12, "device")])
def test_a_check_first(shop: Shop, amount: int, check: str) -> None:
    """The payment is not made, and the payer learns which check it takes; a new key asks anew."""
    first = shop.pays(amount, "check")
    problem = refused(first)
    assert first.status_code == 422
    assert (problem["code"], problem["check"]) == ("step_up_required", check)
    assert problem["reasons"] == [f"It is {'eleven' if amount == 11 else 'twelve'}."]
    assert refused(shop.pays(amount, "check")) == problem
    assert shop.has(shop.payer) == (1_000, 1_000)
    assert refused(shop.pays(amount, "other"))["payment"] != problem["payment"]


def test_a_payment_that_is_declined(shop: Shop) -> None:
    """Nothing moves; the reasons stay those of the policy that said so, also when another one is armed."""
    problem = refused(shop.pays(REJECTED, "no"))
    assert (problem["status"], problem["code"], problem["reasons"]) == (
        422,
        "payment_declined",
        ["It is thirteen."],
    )
    assert "check" not in problem
    assert decode(Prefix.PAYMENT, problem["payment"])
    arm(shop.desk.factory, rule("amount > 0", "reject", "Nothing is paid today."), version=2)
    assert refused(shop.pays(REJECTED, "no")) == problem
    assert refused(shop.pays(1, "today"))["reasons"] == ["Nothing is paid today."]
    other = shop.pays(12, "no")
    assert other.json()["code"] == "idempotency_key_reused"
    assert counted(shop.desk) == {"payment_declined": 3.0, "idempotency_key_reused": 1.0}


def test_a_batch_with_all_of_them(shop: Shop) -> None:
    """Each payment by itself, with its own reasons; the same key gets the same answer."""
    poor = shop.desk.party()
    amounts = (10, REJECTED, 500, 12, 14)
    body = {"payments": [paid(shop.payer, shop.merchant, amount) for amount in amounts]}
    body["payments"].append(paid(poor, shop.payer, 5))
    ask = shop.desk.ask
    first = ask("POST", "/v1/payments/batch", json=body, headers={"Idempotency-Key": "batch"})
    document = first.json()
    assert (document["completed"], document["held"], document["refused"]) == (1, 2, 3)
    made, declined, held, check, small, without_money = document["items"]
    assert made.keys() == {"status", "id", "created_at"}
    assert (declined["status"], declined["code"], declined["reasons"]) == (
        "refused",
        "payment_declined",
        ["It is thirteen."],
    )
    assert (held["status"], held["reasons"]) == ("held", ["It is much."])
    assert held["created_at"] < held["release_by"] < small["release_by"]
    assert (check["code"], check["check"]) == ("step_up_required", "device")
    assert {"id", "reasons"} <= declined.keys() & check.keys()
    assert without_money == {"status": "refused", "code": "insufficient_funds"}
    again = ask("POST", "/v1/payments/batch", json=body, headers={"Idempotency-Key": "batch"})
    assert again.content == first.content
    body["payments"][1]["amount"] = 1
    other = ask("POST", "/v1/payments/batch", json=body, headers={"Idempotency-Key": "batch"}).json()
    assert [item["code"] for item in other["items"]] == ["idempotency_key_reused"] * 6
    assert counted(shop.desk)["held"] == 4.0


def test_a_batch_of_which_nothing_is_asked(shop: Shop) -> None:
    """What is refused for its form is decided about by nobody."""
    body = {"payments": [paid(shop.payer, shop.merchant, 0)]}
    document = shop.desk.post("/v1/payments/batch", body)
    assert (document["completed"], document["held"], document["refused"]) == (0, 0, 1)
    assert counted(shop.desk) == {"invalid_amount": 1.0}


def test_where_all_is_allowed_nothing_is_looked_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment that is made waits for no history, and for no policy's words."""

    def remember(_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(shop.desk.api._services.backend, "remember", remember)
    assert shop.pays(10, "made").status_code == 201
    assert shop.pays(10, "made").status_code == 201
