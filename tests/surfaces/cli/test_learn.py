"""``formicary learn``: a day of a model, where it stands, what happened to it, and a rollback."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from formicary.base.times import time_text
from formicary.factory.learning.live import LearningDay
from formicary.factory.learning.messages import RolledBack, ShownTold, Told
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.reading import Learnt, ToldAt
from formicary.factory.learning.standing import Stage
from formicary.factory.registry.errors import ModelNotFound
from formicary.surfaces.cli import learn
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.learning.live_kit import MODEL, Town, ready_models
from tests.factory.learning.test_product import A, B, alarm, dropped, entered, judged, rolled
from tests.surfaces.cli.kit import NOON, MemoryProgram, Terminal


@dataclass
class TownLearning:
    """The learning of a town in memory, as the command line reaches it."""

    town: Town
    asked: list[Any] = field(default_factory=list)

    def run(self, model: str, *, at: int | None, threads: int) -> LearningDay:
        """Live a day."""
        self.asked.append((model, at, threads))
        return self.town.live()

    def known(self, model: str) -> Learnt:
        """Return what is known."""
        if model != MODEL:
            raise ModelNotFound
        return self.town.learner().known()

    def roll_back(self, model: str, *, reason: str) -> RolledBack:
        """Take the champion back."""
        assert model == MODEL
        return self.town.learner().roll_back(self.town.now, reason)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Give a town with two models to be let in."""
    return Town(tmp_path, models=ready_models(2))


@pytest.fixture
def terminal(town: Town, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Give a command line beside the town."""
    return Terminal(MemoryProgram(learnt=TownLearning(town)), capsys)


def test_days_of_a_model(terminal: Terminal, town: Town) -> None:
    """A day is told with its gates, then where the model stands, and the whole history as evidence."""
    assert terminal.run("learn", "status", MODEL) == ExitCode.DONE
    assert "none" in terminal.out
    while "challenger" not in terminal.out:
        assert terminal.run("learn", "run", MODEL, "--at", "2011-12-09") == ExitCode.DONE
    assert "challenger passed" in terminal.out
    assert "money" in terminal.out
    assert terminal.program.learnt.asked[0] == (MODEL, NOON // DAY * DAY, 1)
    day = terminal.json("learn", "run", MODEL, "--threads", "2")
    assert terminal.program.learnt.asked[-1] == (MODEL, None, 2)
    assert [one["what"] for one in day["happened"]] == ["StageEntered", "ChallengerJudged", "StageEntered"]
    assert day["happened"][1]["gates"][0]["name"] == "money"
    status = terminal.json("learn", "status", MODEL)
    first, second = ready_models(2)
    assert (status["champion"], status["candidate"], status["stage"]) == (first.hash, second.hash, "shadow")
    assert (status["champion_since"], status["rolled_back_at"]) == (time_text(town.now), None)
    assert status["day"] == town.now // DAY
    assert terminal.run("learn", "status", MODEL) == ExitCode.DONE
    assert first.hash in terminal.out
    history = terminal.json("learn", "history", MODEL)["history"]
    assert [one["what"] for one in history][-1] == "DayEnded"
    assert [one["position"] for one in history] == sorted(one["position"] for one in history)
    assert terminal.run("learn", "history", MODEL) == ExitCode.DONE
    assert "all gates" in terminal.out
    assert "rows" not in terminal.out


def test_a_rollback(terminal: Terminal, town: Town) -> None:
    """Nothing to go back to is refused; else the one before decides again."""
    assert terminal.run("learn", "rollback", MODEL, "--reason", "it pays badly") == ExitCode.REFUSED
    assert "no_champion_before" in terminal.err
    for place in range(2):
        while town.learner().known().standing.champion != ready_models(2)[place].hash:
            town.live()
    document = terminal.json("learn", "rollback", MODEL, "--reason", "it pays badly")
    assert (document["what"], document["to"]) == ("RolledBack", ready_models(2)[0].hash)
    assert document["seconds"] < 60
    assert terminal.run("learn", "history", MODEL) == ExitCode.DONE
    assert "it pays badly" in terminal.out
    assert terminal.json("learn", "status", "nobody")["error"]["code"] == "model_not_found"


def test_a_rollback_in_words(terminal: Terminal, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells what was taken back, and how long that took."""
    del town
    back = rolled(B, A)
    monkeypatch.setattr(terminal.program.learnt, "roll_back", lambda *_, **__: back)
    assert terminal.run("learn", "rollback", MODEL, "--reason", "ill") == ExitCode.DONE
    assert f"{B[:12]} to {A[:12]}" in terminal.out
    assert " s" in terminal.err


def test_everything_has_words(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever may happen on a day is told in one line, with why."""
    shown = ShownTold(name="estimated area", figure=0.875, said="nearly as told")
    gates = [msgspec.structs.replace(judged().gates[0], is_passed=False)]
    refused = judged(is_passed=False, gates=gates, shown=[shown])
    happened = (refused, entered(A, Stage.CANARY, 250_000), dropped(A), alarm(A), rolled(B, ""))
    standing = terminal.program.learnt.known(MODEL).standing
    day = LearningDay(day=5, rows=1, happened=happened, standing=standing)
    monkeypatch.setattr(terminal.program.learnt, "run", lambda *_, **__: day)
    assert terminal.run("learn", "run", MODEL) == ExitCode.DONE
    assert "nearly as told" in terminal.out
    for words in ("challenger refused", "canary of 25 %", "dropped", "alarm: scores", "to rules alone", "NO"):
        assert words in terminal.out


def test_a_history_has_what_challengers_showed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below each, and in the document beside its gates."""
    shown = ShownTold(name="estimated area", figure=0.875, said="nearly as told")
    known = terminal.program.learnt.known(MODEL)
    told: tuple[Told, ...] = (judged(shown=[shown]), alarm(A))
    history = tuple(ToldAt(position=place, event=one) for place, one in enumerate(told))
    with_it = dataclasses.replace(known, history=history)
    monkeypatch.setattr(terminal.program.learnt, "known", lambda _: with_it)
    assert terminal.run("learn", "history", MODEL) == ExitCode.DONE
    assert "nearly as told" in terminal.out
    first, _ = terminal.json("learn", "history", MODEL)["history"]
    assert first["shown"] == [{"name": "estimated area", "figure": 0.875, "said": "nearly as told"}]


def test_the_group_takes_more_commands() -> None:
    """What else learns is added to the same group."""
    group = learn.group()
    group.command("more")(learn.status)
    names = [command.name for command in group.registered_commands]
    assert names == ["run", "status", "history", "rollback", "demo", "replay", "more"]
