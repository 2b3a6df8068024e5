"""``formicary parties``, ``payments``, ``escrow``, ``keys``: what they ask of the API, what they show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from formicary.client import documents
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal

VALUES = {str: "text", int: 5, bool: True, list[str]: ["a", "b"], str | None: None}


def example(kind: type[Any]) -> dict[str, Any]:
    """Return a document of a kind, of made-up values."""
    return {field.name: VALUES[field.type] for field in msgspec.structs.fields(kind)}


class Api:
    """Answers every request with one document, and keeps what was asked."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind
        self.asked: list[tuple[str, str, Any]] = []
        self.keys: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        body = (await receive())["body"]
        self.asked.append((scope["method"], scope["path"], json.loads(body) if body else None))
        self.keys.append(dict(scope["headers"]).get(b"idempotency-key", b"").decode())
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(example(self.kind)).encode()})


class Words:
    """Answers every request with the same bytes, and keeps the queries."""

    def __init__(self, words: bytes) -> None:
        self.words = words
        self.asked: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        await receive()
        self.asked.append(scope["query_string"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.words})


MONEY = ("--amount", "5", "--currency", "GBP")
FIVE_POUNDS = {"amount": 5, "currency": "GBP"}
CASES: list[tuple[str, type[Any], tuple[str, str, Any]]] = [
    ("parties add merchant", documents.Party, ("POST", "/v1/parties", {"kind": "merchant"})),
    ("parties show pty_1", documents.Party, ("GET", "/v1/parties/pty_1", None)),
    ("parties close pty_1", documents.Party, ("POST", "/v1/parties/pty_1/close", {})),
    ("parties erase pty_1", documents.Party, ("POST", "/v1/parties/pty_1/erase", {})),
    (
        "parties open-account pty_1 GBP",
        documents.Account,
        ("POST", "/v1/accounts", {"party": "pty_1", "currency": "GBP"}),
    ),
    (
        "parties grant-consent pty_1 credit --wording w --act written",
        documents.Consent,
        ("POST", "/v1/parties/pty_1/consents", {"purpose": "credit", "wording": "w", "act": "written"}),
    ),
    (
        "parties revoke-consent pty_1 credit",
        documents.Consent,
        ("POST", "/v1/parties/pty_1/consents/credit/revoke", {}),
    ),
    (
        "payments pay --from a --to b --reference r",
        documents.Payment,
        ("POST", "/v1/payments", {"payer": "a", "payee": "b", "reference": "r", **FIVE_POUNDS}),
    ),
    ("payments show pay_1", documents.Payment, ("GET", "/v1/payments/pay_1", None)),
    (
        "payments refund pay_1 --amount 5",
        documents.Refund,
        ("POST", "/v1/payments/pay_1/refunds", {"amount": 5}),
    ),
    (
        "payments release pay_1 --note checked",
        documents.Payment,
        ("POST", "/v1/payments/pay_1/release", {"note": "checked"}),
    ),
    (
        "payments return pay_1",
        documents.Payment,
        ("POST", "/v1/payments/pay_1/return", {"note": "unsaid"}),
    ),
    (
        "payments order top_up --party p",
        documents.RailOrder,
        ("POST", "/v1/rail-orders", {"direction": "top_up", "party": "p", **FIVE_POUNDS}),
    ),
    ("payments bank-said rail_1 fail", documents.RailOrder, ("POST", "/v1/rail-orders/rail_1/fail", {})),
    (
        "appeals decide apl_1 upheld",
        documents.Appeal,
        ("POST", "/v1/appeals/apl_1/verdict", {"verdict": "upheld"}),
    ),
    (
        "escrow open --buyer b --seller s",
        documents.Escrow,
        ("POST", "/v1/escrows", {"buyer": "b", "seller": "s", **FIVE_POUNDS}),
    ),
    ("escrow show esc_1", documents.Escrow, ("GET", "/v1/escrows/esc_1", None)),
    (
        "escrow move esc_1 pay --as buyer",
        documents.Escrow,
        ("POST", "/v1/escrows/esc_1/pay", {"acting_as": "buyer"}),
    ),
    (
        "escrow move esc_1 refund/rule --amount 5",
        documents.Escrow,
        ("POST", "/v1/escrows/esc_1/refund/rule", {"amount_to_buyer": 5}),
    ),
    (
        "keys issue pty_1 --scope a --scope b",
        documents.Key,
        ("POST", "/v1/keys", {"party": "pty_1", "scopes": ["a", "b"], "expires_at": None}),
    ),
    (
        "keys rotate key_1 --overlap 5",
        documents.Key,
        ("POST", "/v1/keys/key_1/rotate", {"overlap_seconds": 5}),
    ),
    ("keys revoke key_1", documents.Key, ("POST", "/v1/keys/key_1/revoke", {})),
]


@pytest.mark.parametrize(("line", "kind", "asked"), CASES, ids=[line for line, *_ in CASES])
def test_what_is_asked_and_shown(
    terminal: Terminal, line: str, kind: type[Any], asked: tuple[str, str, Any]
) -> None:
    """A command asks one thing, under the key it is given, and writes the answer as a table or as JSON."""
    words: Sequence[str] = line.split()
    if asked[2] and "currency" in asked[2] and "GBP" not in words:
        words = [*words, *MONEY]
    terminal.program.api = api = Api(kind)
    assert terminal.run(*words) == ExitCode.DONE
    assert next(iter(example(kind))) in terminal.out
    if asked[0] == "POST":
        words = [*words, "--key", "mine"]
    assert terminal.run(*words, "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == example(kind)
    assert api.asked == [asked, asked]
    assert api.keys[1] == ("mine" if asked[0] == "POST" else "")


def test_a_statement(terminal: Terminal) -> None:
    """It is written as the bank of the customer reads it, byte by byte."""
    terminal.program.api = Words(b"date;amount\r\n")
    line = ("payments", "statement", "acc_1", "--since", "a", "--until", "b")
    assert terminal.run(*line) == ExitCode.DONE
    assert terminal.out == "date;amount\r\n"
    assert terminal.run(*line, "--format", "camt.053", "--json") == ExitCode.DONE
    shown = {"account": "acc_1", "format": "camt.053", "statement": "date;amount\r\n"}
    assert json.loads(terminal.out) == shown
    assert terminal.program.api.asked == [
        b"since=a&until=b&format=csv",
        b"since=a&until=b&format=camt.053",
    ]


def test_appeals(terminal: Terminal) -> None:
    """One line for each, with what was decided and why."""
    appeal = example(documents.Appeal) | {
        "id": "apl_1",
        "outcome": "reject",
        "reasons": ["It is so.", "And so."],
    }
    terminal.program.api = Words(json.dumps({"items": [appeal], "next": None}).encode())
    assert terminal.run("appeals", "list") == ExitCode.DONE
    assert "It is so. And so." in terminal.out
    assert terminal.run("appeals", "list", "--status", "upheld", "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == [appeal]
    assert terminal.program.api.asked == [b"limit=100&status=open", b"limit=100&status=upheld"]


def test_consents(terminal: Terminal) -> None:
    """One line for each purpose, and what there is to say of it."""
    said = {"party": "p", "purpose": "credit", "granted": True, "wording": "w", "act": "written"}
    silent = {"party": "p", "purpose": "wealth", "granted": False, "wording": None, "act": None}
    terminal.program.api = Words(json.dumps([said, silent]).encode())
    assert terminal.run("parties", "consents", "pty_1") == ExitCode.DONE
    lines = [words for line in terminal.out.splitlines() if (words := line.split())]
    assert lines[0] == ["purpose", "granted", "act", "wording"]
    assert lines[-2:] == [["credit", "yes", "written", "w"], ["wealth", "no"]]
    assert terminal.run("parties", "consents", "pty_1", "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == [said, silent]


def test_the_first_key(terminal: Terminal) -> None:
    """It stands alone on its line, so that a shell can take it."""
    assert terminal.run("keys", "house") == ExitCode.DONE
    assert terminal.out == "fk_test_key\n"
    assert terminal.run("keys", "house", "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == {"key": "fk_test_key"}


def test_without_an_api(terminal: Terminal) -> None:
    """Nobody answers: that is a fault, in one line."""
    assert terminal.run("parties", "show", "pty_1") == ExitCode.FAULT


def test_the_document(terminal: Terminal) -> None:
    """The OpenAPI document is written as JSON, whether that is asked for or not."""
    assert terminal.run("openapi") == ExitCode.DONE
    assert json.loads(terminal.out)["openapi"].startswith("3.")
