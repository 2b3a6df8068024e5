"""``formicary lending funds``: what it asks of the API, and what it shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal
from tests.surfaces.cli.test_credit import Api

FUNDS = {
    "currency": "EUR",
    "own_funds": 1_234_567,
    "paid_in": 1_200_000,
    "earned": 34_567,
    "borrowed": 500,
    "borrowings": [{"rate": 20_000_000, "amount": 500}],
    "cost_payable": 3,
    "sellers_payable": 0,
    "cash": 99,
    "client_money": 7,
    "partner": 8,
    "participation": 9,
    "accounted_until": "2025-01-31",
}
PATH = "/v1/lending/funds/EUR"
AMOUNT = {"amount": 5}
BORROWED = {"amount": 5, "rate": 7}

CASES: list[tuple[str, tuple[str, str, Any]]] = [
    ("show EUR", ("GET", PATH, None)),
    ("pay-in EUR 5", ("POST", f"{PATH}/pay-in", AMOUNT)),
    ("take-out EUR 5", ("POST", f"{PATH}/take-out", AMOUNT)),
    ("borrow EUR 5 --rate 7", ("POST", f"{PATH}/borrow", BORROWED)),
    ("pay-back EUR 5 --rate 7", ("POST", f"{PATH}/pay-back", BORROWED)),
    ("pay-cost EUR 5", ("POST", f"{PATH}/pay-cost", AMOUNT)),
    ("pay-sellers EUR 5", ("POST", f"{PATH}/pay-sellers", AMOUNT)),
    ("partner-pay-in EUR 5", ("POST", f"{PATH}/partner-pay-in", AMOUNT)),
    ("pay-partner EUR 5", ("POST", f"{PATH}/pay-partner", AMOUNT)),
]


@pytest.mark.parametrize(("words", "asked"), CASES)
def test_commands(terminal: Terminal, words: str, asked: Any) -> None:
    """Each asks for one thing, and shows sums and rates as tables or all of it as JSON."""
    terminal.program.api = Api(FUNDS)
    assert terminal.run("lending", "funds", *words.split()) == ExitCode.DONE
    assert terminal.program.api.asked == [asked]
    for shown in ("own funds", "1,234,567", "20,000,000", "2025-01-31"):
        assert shown in terminal.out
    assert terminal.run("lending", "funds", *words.split(), "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == FUNDS
