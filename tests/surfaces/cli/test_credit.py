"""``formicary credit``: what it asks of the API, what it shows, and the report from the journal."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from formicary.base.public_ids import Prefix, encode
from formicary.base.purposes import Purpose
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.features.training_kit import source_of
from tests.products.credit.kit import ADA, BOB, DAY, SHOP, Town
from tests.surfaces.cli.kit import Terminal

PATH = "/v1/credit-scores/pty_1"
POINTS = {"dimension": "history", "points": 41, "most": 221}
ADVICE = {
    "feature": "met_365d",
    "said": "Few.",
    "raised_by": "Have bills counted.",
    "unit": "obligations",
    "reading": None,
    "target": 6,
    "points": 44,
}
SCORE = {
    "party": "pty_1",
    "score": 597,
    "band": "fair",
    "dimensions": [POINTS],
    "relations": False,
    "business_date": "2026-01-01",
    "refreshed_at": "a",
    "next_refresh_at": "b",
    "terms": 1,
    "disputed": False,
}
EXPLAINED = {
    "party": "pty_1",
    "score": 597,
    "band": "fair",
    "terms": 1,
    "reasons": ["Few payments are known."],
    "dimensions": [POINTS | {"missing": ["met_365d"], "advice": [ADVICE]}],
}
GIVEN = {"party": "pty_1", "third_party": "pty_2", "scope": "band", "expires_at": "c", "active": True}
ASKED = {"party": "pty_1", "third_party": "pty_2", "at": "d", "scope": "band", "score": None, "band": "good"}
DISPUTE = {
    "party": "pty_1",
    "status": "open",
    "dimension": "history",
    "corrections": 0,
    "changed_at": "e",
    "decided_by": None,
}
TO_LANDLORD = {"third_party": "pty_2", "scope": "score_and_band", "expires_at": "c"}
CORRECTED = [{"fact": "obligation", "at": "t", "was": True, "is_now": None}]


class Api:
    """Answers every request with one document, and keeps what was asked."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.asked: list[tuple[str, str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        body = (await receive())["body"]
        self.asked.append((scope["method"], scope["path"], json.loads(body) if body else None))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(self.document).encode()})


CASES: list[tuple[str, Any, tuple[str, str, Any], str]] = [
    ("score pty_1", SCORE, ("GET", PATH, None), "597"),
    ("refresh pty_1", SCORE, ("POST", f"{PATH}/refresh", {}), "221"),
    ("explain pty_1", EXPLAINED, ("GET", f"{PATH}/explanation", None), "Have bills counted."),
    (
        "relations pty_1 --on",
        {"party": "pty_1", "relations": True},
        ("POST", f"{PATH}/relations", {"on": True}),
        "True",
    ),
    (
        "authorise pty_1 pty_2 --scope score_and_band --until c",
        GIVEN,
        ("POST", f"{PATH}/authorisations", TO_LANDLORD),
        "pty_2",
    ),
    ("revoke pty_1 pty_2", GIVEN, ("POST", f"{PATH}/authorisations/pty_2/revoke", {}), "pty_2"),
    ("query pty_1", {"score": 597, "band": "fair"}, ("POST", f"{PATH}/queries", {}), "597"),
    (
        "dispute pty_1 history",
        DISPUTE,
        ("POST", "/v1/score-disputes", {"party": "pty_1", "dimension": "history"}),
        "open",
    ),
    (
        "decide pty_1 upheld --correct obligation,t,yes,",
        DISPUTE,
        ("POST", "/v1/score-disputes/pty_1/verdict", {"verdict": "upheld", "corrections": CORRECTED}),
        "history",
    ),
    (
        "decide pty_1 rejected",
        DISPUTE,
        ("POST", "/v1/score-disputes/pty_1/verdict", {"verdict": "rejected", "corrections": []}),
        "history",
    ),
]
LISTS: list[tuple[str, Any, str, list[str]]] = [
    ("authorisations pty_1", GIVEN, f"{PATH}/authorisations", ["pty_2", "band", "c", "yes"]),
    ("queries pty_1", ASKED, f"{PATH}/queries", ["d", "pty_2", "good"]),
    ("queries pty_1", ASKED | {"score": 640}, f"{PATH}/queries", ["d", "pty_2", "640", "good"]),
    ("disputes", DISPUTE, "/v1/score-disputes", ["pty_1", "history", "open", "e"]),
]


@pytest.mark.parametrize(("words", "document", "asked", "shown"), CASES)
def test_commands_ask_and_show(
    terminal: Terminal, words: str, document: Any, asked: tuple[str, str, Any], shown: str
) -> None:
    """Each sends what it says, shows it as a table, and the whole document when asked."""
    terminal.program.api = Api(document)
    assert terminal.run("credit", *words.split()) == ExitCode.DONE
    assert terminal.program.api.asked == [asked]
    assert shown in terminal.out
    assert terminal.run("credit", *words.split(), "--json") == ExitCode.DONE
    told = json.loads(terminal.out)
    assert {name: told[name] for name in document if name != "dimensions"} == {
        name: value for name, value in document.items() if name != "dimensions"
    }


@pytest.mark.parametrize(("words", "item", "path", "row"), LISTS)
def test_lists(terminal: Terminal, words: str, item: Any, path: str, row: list[str]) -> None:
    """One line for each."""
    terminal.program.api = Api({"items": [item], "next": None})
    assert terminal.run("credit", *words.split()) == ExitCode.DONE
    lines = [cells for line in terminal.out.splitlines() if (cells := line.split())]
    assert lines[-1] == row
    assert terminal.program.api.asked == [("GET", path, None)]
    assert terminal.run("credit", *words.split(), "--json") == ExitCode.DONE
    assert json.loads(terminal.out) == [item]


@pytest.mark.parametrize("text", ["obligation,t,yes", "obligation,t,maybe,", "obligation,t,yes,maybe"])
def test_corrections_that_are_none(terminal: Terminal, text: str) -> None:
    """A slip of the pen corrects nothing."""
    assert terminal.run("credit", "decide", "pty_1", "upheld", "--correct", text) == ExitCode.USAGE


@pytest.fixture
def town(tmp_path: Path, terminal: Terminal) -> Town:
    """Give a town whose journal the command line reads."""
    town = Town(tmp_path)
    for party in (ADA, BOB, SHOP):
        town.agrees(party, Purpose.CREDIT)
    town.paid(SHOP, ADA, 300_000)
    town.paid(ADA, BOB, 100_000)
    for party in (ADA, BOB, SHOP):
        town.scores(party)
    terminal.program.models = SimpleNamespace(source=source_of(town.journal))  # type: ignore[assignment]
    terminal.program.clock.set(town.now)
    return town


def test_a_report_of_what_is_there(town: Town, terminal: Terminal) -> None:
    """Without outcomes, groups or an earlier time there is a distribution only."""
    assert terminal.run("credit", "report", "--json") == ExitCode.DONE
    told = json.loads(terminal.out)
    assert (told["until"], told["distribution"]["rows"]) == (town.now, 3)
    assert told["stability"] is told["odds"] is told["fairness"] is None
    assert terminal.run("credit", "report") == ExitCode.DONE
    assert "3 parties with a score" in terminal.out
    assert "odds" not in terminal.out
    assert terminal.run("credit", "report", "--until", "1999-01-01", "--json") == ExitCode.REFUSED
    assert json.loads(terminal.out)["error"]["code"] == "report_rows_too_few"


def test_a_whole_report(town: Town, terminal: Terminal, tmp_path: Path) -> None:
    """Stability, odds and groups, each in a table, from outcomes a hundred days later."""
    first = str(town.now)
    town.waits(100 * DAY)
    for party, defaulted in ((ADA, 0), (BOB, 1), (SHOP, 1)):
        town.tells("credit_outcome", party, town.now, {"defaulted": [defaulted]})
    terminal.program.clock.set(town.now)
    groups = tmp_path / "groups.csv"
    rows = [f"{encode(Prefix.PARTY, party)},{name}" for party, name in ((ADA, "a"), (BOB, "b"), (SHOP, ""))]
    groups.write_text("\n".join(["party,group", *rows]))
    words = (
        "credit",
        "report",
        "--since",
        first,
        "--horizon-days",
        "99",
        "--groups",
        str(groups),
        "--least",
        "400",
    )
    terminal.program.models = SimpleNamespace(source=source_of(town.journal))  # type: ignore[assignment]
    assert terminal.run(*words) == ExitCode.DONE
    for part in (
        "population stability index",
        "points that double the odds",
        "Default by band",
        "Parties of 400 or more, by group",
        "The same, of those that paid",
        "Default by group",
    ):
        assert part in terminal.out
    assert terminal.run(*words, "--json") == ExitCode.DONE
    told = json.loads(terminal.out)
    assert (told["odds"]["rows"], told["odds"]["defaults"]) == (3, 2)
    assert told["stability"]["both"] == 3
    assert told["fairness"]["approval"]["unknown"] == 1
    assert terminal.run(*words, "--outcomes", "nothing") == ExitCode.DONE
    assert "Parties of 400" in terminal.out
    assert "points that double" not in terminal.out


@pytest.mark.parametrize("text", ["party;group", "party,group\nada,a"])
def test_groups_that_are_none(town: Town, terminal: Terminal, tmp_path: Path, text: str) -> None:
    """A file of another form compares nobody."""
    assert town.now
    groups = tmp_path / "groups.csv"
    groups.write_text(text)
    assert terminal.run("credit", "report", "--groups", str(groups), "--json") == ExitCode.REFUSED
    assert json.loads(terminal.out)["error"]["code"] == "malformed_groups"
    assert terminal.run("credit", "report", "--groups", str(tmp_path / "none.csv")) == ExitCode.USAGE
