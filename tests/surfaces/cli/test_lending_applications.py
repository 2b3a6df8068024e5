"""``formicary lending policy``, ``apply`` and their like: what they ask of the API, and what they show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal
from tests.surfaces.cli.test_credit import Api

DECIDED = {
    "id": "app_1",
    "party": "pty_1",
    "currency": "EUR",
    "amount": 500,
    "outcome": "declined",
    "limit": 0,
    "daily_rate": None,
    "effective_rate": None,
    "instalment": None,
    "offer": None,
    "expires_at": None,
    "reasons": ["Your sales fell in the last 30 days."],
    "policy": 3,
    "model": None,
    "decided_at": "t",
}
POLICY = {
    "currency": "EUR",
    "version": 3,
    "bands": [{"default": 1, "sales": 2}],
    "terms": {"kind": "line"},
    "creditor": {"name": "Anthill Bank"},
    "credit": {"limit_min": 9},
    "capital": {"least": 9},
    "close": {"charge_off_days": 120},
    "loss": 10,
    "frauds_max": 0,
    "partner_share": 0,
}
BORROWER = {"party": "pty_1", "segment": 4, "other_debts": 5, "stopped": True}
APPLIED = {"party": "pty_1", "amount": 500, "currency": "EUR", "wallet": "acc_1"}
PATH = "/v1/credit/applications"

CASES: list[tuple[str, Any, tuple[str, str, Any], str]] = [
    ("policy show EUR", POLICY, ("GET", "/v1/credit/policies/EUR", None), "Anthill"),
    (
        "borrower pty_1 --segment 4 --other-debts 5 --stopped",
        BORROWER,
        ("POST", "/v1/credit/borrowers/pty_1", {"segment": 4, "other_debts": 5, "stopped": True}),
        "True",
    ),
    ("apply pty_1 500 EUR --wallet acc_1", DECIDED, ("POST", PATH, APPLIED), "declined"),
    ("application app_1", DECIDED, ("GET", f"{PATH}/app_1", None), "Your sales fell"),
]


@pytest.mark.parametrize(("words", "document", "asked", "shown"), CASES)
def test_commands(terminal: Terminal, words: str, document: Any, asked: Any, shown: str) -> None:
    """Each asks for one thing, and shows it as a table or as JSON."""
    terminal.program.api = Api(document)
    assert terminal.run("lending", *words.split()) == ExitCode.DONE
    assert shown in terminal.out
    assert terminal.program.api.asked == [asked]
    assert terminal.run("lending", *words.split(), "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == document


def test_applications_are_listed(terminal: Terminal) -> None:
    """A row each; what a refusal has none of is empty."""
    terminal.program.api = Api({"items": [DECIDED], "next": None})
    assert terminal.run("lending", "applications", "pty_1") == ExitCode.DONE
    assert terminal.program.api.asked == [("GET", PATH, None)]
    assert terminal.out.split()[-6:] == ["app_1", "EUR", "500", "declined", "0", "t"]
    assert terminal.run("lending", "applications", "pty_1", "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == [DECIDED]


def test_a_policy_comes_from_a_file(terminal: Terminal, tmp_path: Path) -> None:
    """The file's object is sent as it is; what is none, or not there, is said before anything is asked."""
    terminal.program.api = Api(POLICY)
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"currency": "EUR", "loss": 7}))
    assert terminal.run("lending", "policy", "set", str(file)) == ExitCode.DONE
    path = "/v1/credit/policies"
    assert terminal.program.api.asked == [("POST", path, {"currency": "EUR", "loss": 7})]
    file.write_text("[1]")
    assert terminal.run("lending", "policy", "set", str(file)) == ExitCode.USAGE
    assert terminal.run("lending", "policy", "set", str(tmp_path / "none.json")) == ExitCode.USAGE


@pytest.mark.parametrize(
    ("words", "form"),
    [("", "text/plain"), ("--html", "text/html"), ("--json", "application/json")],
)
def test_a_notice_is_written_as_it_comes(terminal: Terminal, words: str, form: str) -> None:
    """The bytes of the API, in the form that is asked for."""
    forms: list[str] = []

    class Notices(Api):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            """Keep what is accepted."""
            forms.append(dict(scope["headers"])[b"accept"].decode())
            await super().__call__(scope, receive, send)

    terminal.program.api = Notices("You were declined.")
    assert terminal.run("lending", "notice", "app_1", *words.split()) == ExitCode.DONE
    assert terminal.out == '"You were declined."'
    assert (terminal.program.api.asked, forms) == ([("GET", f"{PATH}/app_1/notice", None)], [form])


def test_what_only_the_client_asks(terminal: Terminal) -> None:
    """What was said of a borrower, by itself."""
    terminal.program.api = Api(BORROWER)
    with terminal.program.client() as client:
        assert client.applications.borrower("pty_1").segment == 4
    assert terminal.program.api.asked == [("GET", "/v1/credit/borrowers/pty_1", None)]
