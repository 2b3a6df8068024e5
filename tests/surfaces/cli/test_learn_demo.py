"""``formicary learn demo`` on a journal in memory, by a trainer that has its models ready."""

from __future__ import annotations

from dataclasses import replace

import pytest

from formicary.economy.moments import ReplayRefused
from formicary.economy.stolen_cards import drifting_cards
from formicary.factory.engine.requests import command_request
from formicary.factory.learning.plan import DAY
from formicary.factory.registry import SetTrial
from formicary.surfaces.cli import learn_demo
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.learning.live_kit import SPEC
from tests.surfaces.cli.kit import MemoryProgram, Terminal


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn_demo, "_CUSTOMERS", 10)
    spec = replace(SPEC, question=learn_demo.DEMO_SPEC.question)
    monkeypatch.setitem(learn_demo.let_learn.__kwdefaults__, "spec", spec)


def test_it_learns_and_is_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Two champions, each after its shadow, the second after its canaries; the first one decides again."""
    terminal = Terminal(MemoryProgram(), capsys)
    told = terminal.json("learn", "demo")
    assert terminal.program.demo_folders == ["learn"]
    stages = [one.get("stage", one["what"]) for one in told["happened"]]
    assert [one for one in stages if one != "ChallengerJudged"] == [
        "shadow",
        "champion",
        "shadow",
        "canary",
        "canary",
        "champion",
        "RolledBack",
    ]
    assert told["first_champion_seconds"] < told["second_champion_seconds"] <= told["seconds"]
    assert told["rollback_seconds"] < 1
    assert 0 < told["held_frauds"] <= told["held"] < told["payments"]
    assert told["frauds"] > told["held_frauds"]


def test_too_few_days(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that ends before there is anything to learn is a finding, not an error."""
    monkeypatch.setattr(learn_demo, "_DAYS", 4)
    terminal = Terminal(MemoryProgram(), capsys)
    assert terminal.run("learn", "demo") == ExitCode.FINDINGS
    assert "None" in terminal.out


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment or a command that is not taken ends the demo, and so does another model that decides."""
    payments = drifting_cards(seed=1, days=3, customers=20, turn=1)
    start = int(payments["at"][0]) - DAY
    with MemoryProgram().demo(fresh=True, start_ns=start) as factory, monkeypatch.context() as patched:
        # Without deposits nobody can pay.
        patched.setattr(learn_demo, "replay", lambda *_, **__: None)
        with pytest.raises(ReplayRefused):
            learn_demo.let_learn(factory, payments, lambda *_: None)
    with MemoryProgram().demo(fresh=True, start_ns=start) as factory:
        trial = SetTrial(subject=5, model="m", share=1, reason="r")
        request = command_request("registry", trial, principal="p", key="k")
        with pytest.raises(ReplayRefused):
            learn_demo._done(factory, request)
