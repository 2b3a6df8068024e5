"""``formicary learn demo`` on a journal in memory, by a trainer that has its models ready."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from formicary.economy.checked_book import opening
from formicary.economy.moments import ReplayRefused, replay
from formicary.economy.stolen_cards import drifting_cards
from formicary.factory.engine.requests import command_request
from formicary.factory.facts import RecordFacts
from formicary.factory.learning.live import LearningDay
from formicary.factory.learning.messages import RolledBack, Told
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.standing import Stage, Standing
from formicary.factory.registry import SetTrial
from formicary.surfaces.cli import learn_demo
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.learn_demo import Demonstrated
from tests.factory.learning.live_kit import SPEC
from tests.factory.learning.test_product import A, B, entered, judged, rolled
from tests.surfaces.cli.kit import MemoryProgram, Terminal


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn_demo, "_CUSTOMERS", 10)
    spec = replace(SPEC, question=learn_demo.DEMO_SPEC.question)
    learnt = functools.partial(learn_demo.let_learn, spec=spec)
    monkeypatch.setattr(learn_demo, "let_learn", learnt)


def test_it_learns_and_is_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Two champions, each after its shadow, the second after its canaries; the first one decides again."""
    terminal = Terminal(MemoryProgram(), capsys)
    told = terminal.json("learn", "demo")
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


def test_in_words(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens is told as it does, and the evidence of the last of it at the end."""
    shadow, champion = entered(A, Stage.SHADOW), entered(A, Stage.CHAMPION)
    seen: list[tuple[int, Told]] = [(16, judged()), (16, shadow), (17, champion), (27, rolled(A, B))]

    def let_learn(_: object, payments: pl.DataFrame, tell: Callable[[int, Told], None]) -> Demonstrated:
        for day, event in seen:
            tell(day, event)
        return Demonstrated(
            days=27,
            payments=len(payments),
            frauds=9,
            held=8,
            held_frauds=7,
            happened=seen,
            promoted_seconds=[1.0, 2.0],
            rollback_seconds=0.01234,
        )

    monkeypatch.setattr(learn_demo, "let_learn", let_learn)
    terminal = Terminal(MemoryProgram(), capsys)
    assert terminal.run("learn", "demo") == ExitCode.DONE
    assert "day 17: champion" in terminal.err
    assert "0.0123" in terminal.out


def test_who_is_held_is_looked_at() -> None:
    """A person says of an honest payment that it was meant; a rollback that changes nothing is told."""
    payments = drifting_cards(seed=1, days=3, customers=20, turn=1)
    with MemoryProgram().demo(fresh=True, start_ns=int(payments["at"][0]) - DAY) as factory:
        replay([opening("learning", payments)], factory.execute, set_time=factory.set_time, done=len_of)
        lived = learn_demo._Lived(factory, Nobody(), payments, lambda *_: None)
        honest = payments.filter(~pl.col("is_theft"))["number"].to_list()
        lived.held = payments["number"].to_list()
        (request,) = lived._looked_at()
        assert isinstance(request.command, RecordFacts)
        assert len(request.command.ids["payment"]) == len(honest)
        lived.live()
        with pytest.raises(ReplayRefused):
            lived.take_back()


def len_of(_: int) -> None:
    """Take no notice."""


class Nobody:
    """A learner to whom nothing happens, and who takes back what nobody made."""

    def day(self, now: int) -> LearningDay:
        """Live a day on which nothing is known."""
        return LearningDay(day=now // DAY, standing=Standing())

    def roll_back(self, now: int, reason: str) -> RolledBack:
        """Say that something was taken back."""
        del now, reason
        return rolled(B, A)


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
