"""Experiments over HTTP: what runs, which arm a party is shown, what came of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from formicary.base.public_ids import Prefix, decode
from formicary.factory.engine.products import Command
from formicary.factory.engine.state import Receipt
from formicary.factory.experiments import NAME, DefineExperiment, ExperimentStatus
from formicary.factory.experiments.assignment import arms_of
from formicary.factory.experiments.definitions import read_definition
from formicary.factory.experiments.parties import words_of
from formicary.factory.experiments.reading import Experiment
from formicary.surfaces.api import experiments as experiments_module
from formicary.surfaces.api.experiments import Experiments
from formicary.surfaces.api.problems import RefusedAs
from formicary.surfaces.api.routes.experiments import ResultsDocument
from formicary.surfaces.experiments.kept import KeptResults
from tests.factory.experiments.kit import define, start, stop
from tests.factory.experiments.test_analysis import BEGIN, World
from tests.surfaces.api.conftest import Desk

FIRST = "/v1/experiments/short_form"


def told(desk: Desk, *commands: Command) -> None:
    """Carry out commands, as the command line does."""
    for number, command in enumerate(commands):
        key = f"{type(command).__name__} {command.subject} {number}"
        assert desk.factory.command(NAME, command, principal="test", key=key).code == ""


def whole() -> DefineExperiment:
    """Return the command that defines an experiment of everybody."""
    return define(lots="{count: 1_000_000}")


def test_experiments_are_listed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand at each request, page by page, however little is read of the journal at once."""
    monkeypatch.setattr(experiments_module, "_POSITIONS_AT_ONCE", 2)
    assert desk.get("/v1/experiments") == {"items": [], "next": None}
    told(desk, whole(), define("second", layer="prices"), start())
    page = desk.get("/v1/experiments?limit=1")
    (one,) = page["items"]
    assert (one["experiment"], one["status"], one["lots"]) == ("short_form", "running", 1_000_000)
    assert one["arms"] == ["control", "short"]
    assert one["started_at"] > one["defined_at"]
    (other,) = desk.get(f"/v1/experiments?cursor={page['next']}")["items"]
    assert (other["experiment"], other["status"], other["started_at"]) == ("second", "defined", None)
    told(desk, stop())
    shown = desk.get(FIRST)
    assert (shown["status"], shown["cause"], shown["reason"]) == ("stopped", "decided", "It is clear.")
    assert (shown["document"], shown["exposures"]) == (whole().document, 0)
    assert desk.code("GET", "/v1/experiments/third") == (404, "experiment_not_found")


def test_an_arm_is_told_and_recorded_once(desk: Desk) -> None:
    """By whoever asks and however often; who is in no arm sees what everybody sees."""
    path, party = f"{FIRST}/exposures", desk.party()
    own = desk.key_of(party, ["experiments:write"])
    assert desk.code("POST", path, {"party": party}) == (404, "experiment_not_found")
    told(desk, whole(), define("nowhere", lots="{count: 1}", layer="prices"))
    nothing = {"experiment": "short_form", "party": party, "arm": None}
    assert desk.post(path, {"party": party}) == nothing
    told(desk, start(), start("nowhere"))
    words = words_of([f"{decode(Prefix.PARTY, party):032x}"])
    (arm,) = arms_of(words, read_definition(whole().document).slice)
    for key in (None, own, None):
        assert desk.post(path, {"party": party}, key=key) == nothing | {"arm": ["control", "short"][arm]}
    assert desk.get(FIRST)["exposures"] == 1
    assert desk.post("/v1/experiments/nowhere/exposures", {"party": party})["arm"] is None
    assert desk.get("/v1/experiments/nowhere")["exposures"] == 0
    stranger = f"pty_{'0' * 25}1"
    assert desk.code("POST", path, {"party": stranger}, key=own) == (404, "not_found")
    assert desk.code("POST", path, {"party": "pty_1"}) == (400, "malformed_field")
    assert desk.code("POST", path, {"party": party}, key=desk.key_of(party)) == (403, "scope_missing")
    told(desk, stop())
    assert desk.post(path, {"party": party}) == nothing
    assert desk.get(FIRST)["exposures"] == 1


def test_it_ends_while_somebody_asks() -> None:
    """What the engine refuses then is no arm; any other refusal is one."""

    class Backend:
        """An engine that still says that it runs."""

        code = ""

        async def aggregates(self, *_: Any) -> list[dict[str, Any]]:
            """Return what was so a moment ago."""
            salts = {"holdout_salt": 1, "layer_salt": 2, "arms_salt": 3}
            place = {"first": 0, "count": 1_000_000, "held_out": 0, "weights": [1, 1], "arms": 2}
            return [{"status": ExperimentStatus.RUNNING, **salts, **place}]

        async def command(self, *_: Any, **__: Any) -> Receipt:
            """Refuse."""
            return Receipt(product=NAME, fingerprint="", code=self.code)

    backend: Any = Backend()
    backend.code = "experiment_not_running"
    assert asyncio.run(Experiments(backend).meet("short_form", 1)) is None
    backend.code = "key_reused"
    with pytest.raises(RefusedAs):
        asyncio.run(Experiments(backend).meet("short_form", 1))


def test_what_is_kept_is_shown(desk: Desk) -> None:
    """As it was written, of the form that the document says; until then there is nothing."""
    told(desk, whole())
    for name in ("results", "page"):
        assert desk.code("GET", f"{FIRST}/{name}") == (404, "results_not_there")
        assert desk.code("GET", f"/v1/experiments/none/{name}") == (404, "experiment_not_found")
    experiment = Experiment(
        name="short_form",
        layer="checkout",
        first=0,
        count=1_000_000,
        arms=["control", "short"],
        document=whole().document,
        defined=1,
    )
    kept: KeptResults = desk.api._services.results
    kept.keep(experiment, World().analysed(), until=BEGIN)
    shown = desk.ask("GET", f"{FIRST}/results")
    assert shown.headers["content-type"] == "application/json"
    ResultsDocument.model_validate_json(shown.content, strict=True, extra="forbid")
    assert len(shown.json()["comparisons"]) == 4
    page = desk.ask("GET", f"{FIRST}/page")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
