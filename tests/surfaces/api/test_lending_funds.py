"""The house's own money over HTTP on a real database."""

from __future__ import annotations

from proofs.api.lending_house import PAY_IN
from tests.surfaces.api.conftest import Desk

PATH = "/v1/lending/funds/GBP"
DAY_SECONDS = 86_400


def test_from_nothing_to_nothing(desk: Desk) -> None:
    """Paid in, borrowed, a year's cost, paid, paid back, taken out; more than there is is refused."""
    assert desk.code("GET", PATH) == (404, "not_found")
    assert desk.code("GET", "/v1/lending/funds/XXX")[1] == "unknown_currency"
    assert desk.code("POST", PAY_IN, {"amount": 0}) == (400, "malformed_field")
    headers = {"Idempotency-Key": "once"}
    first = desk.ask("POST", PAY_IN, json={"amount": 1_000_00}, headers=headers).json()
    assert first == desk.ask("POST", PAY_IN, json={"amount": 1_000_00}, headers=headers).json()
    assert (first["own_funds"], first["cash"], first["borrowings"]) == (1_000_00, 1_000_00, [])
    desk.post(f"{PATH}/borrow", {"amount": 400_00, "rate": 50_000_000})
    desk.post(f"{PATH}/borrow", {"amount": 100_00, "rate": 0})
    desk.post("/v1/clock/advance", {"seconds": 365 * DAY_SECONDS})
    told = desk.post(f"{PATH}/pay-in", {"amount": 1})
    assert (told["cost_payable"], told["earned"], told["own_funds"]) == (20_00, -20_00, 980_01)
    assert told["borrowings"] == [{"rate": 0, "amount": 100_00}, {"rate": 50_000_000, "amount": 400_00}]
    assert (told["borrowed"], told["paid_in"], told["cash"]) == (500_00, 1_000_01, 1_500_01)
    assert told == desk.get(PATH)
    desk.post(f"{PATH}/pay-cost", {"amount": 20_00})
    for what, body in (
        ("pay-cost", {"amount": 1}),
        ("pay-sellers", {"amount": 1}),
        ("pay-back", {"amount": 400_01, "rate": 50_000_000}),
        ("take-out", {"amount": 980_02}),
    ):
        assert desk.code("POST", f"{PATH}/{what}", body) == (422, "funding_exceeded"), what
    desk.post(f"{PATH}/pay-back", {"amount": 400_00, "rate": 50_000_000})
    desk.post(f"{PATH}/pay-back", {"amount": 100_00, "rate": 0})
    told = desk.post(f"{PATH}/take-out", {"amount": 980_01})
    assert (told["own_funds"], told["cash"], told["borrowed"], told["client_money"]) == (0, 0, 0, 0)


def test_it_is_the_houses(desk: Desk) -> None:
    """Another party's key sees and moves nothing."""
    key = desk.key_of(desk.party(), ["lending:read", "lending:write"])
    assert desk.code("GET", PATH, key=key)[0] == 403
    assert desk.code("POST", PAY_IN, {"amount": 1}, key=key)[0] == 403
