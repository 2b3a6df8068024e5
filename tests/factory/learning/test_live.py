"""A model that learns on a journal: from nothing to a second champion, and back."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.state import Receipt
from formicary.factory.learning.errors import ChampionDiffers
from formicary.factory.learning.gates import Gate
from formicary.factory.learning.journaled import Tell
from formicary.factory.learning.live import NoChampionBefore
from formicary.factory.learning.messages import (
    CandidateDropped,
    ChallengerJudged,
    DayKnown,
    LearningUnexpected,
    RolledBack,
    StageEntered,
)
from formicary.factory.learning.standing import NONE
from formicary.factory.models.errors import TrainerMissing
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import Alias, MoveAlias
from tests.factory.learning.live_kit import MODEL, PLAN, SPEC, AnswerLost, Town, kinds_of, ready_models, words


class TrainedEnough(Exception):
    """A test has seen what a training is given."""


MOVED, TRIAL = "registry.AliasMoved", "registry.TrialSet"


def what(events: Any) -> list[str]:
    """Return what happened in words."""
    return [str(getattr(one, "stage", type(one).__name__)) for one in events]


def live_until(town: Town, stage: str, days: int = 10) -> None:
    """Live days until a stage is entered; the first champion gets its policy."""
    for _ in range(days):
        if stage in what(town.live().happened):
            return
    pytest.fail(f"no {stage} within {days} days")


def test_from_nothing_to_a_champion_and_back(tmp_path: Path) -> None:
    """Two challengers are let in one after the other; a rollback is one move, and the old one decides."""
    first, second = models = ready_models(2)
    town = Town(tmp_path, models=[first, second])
    early = town.live()
    assert (early.rows, early.happened) == (0, ())
    assert kinds_of(town, "learning.DayEnded") == []
    live_until(town, "shadow")
    with pytest.raises(DayKnown):
        town.learner().day(town.now)
    assert town.learner().known().aliases[Alias.SHADOW] == first.hash
    # Where nothing is on its way any more, the next one is trained on the same day.
    assert what(town.live().happened) == ["champion", "ChallengerJudged", "shadow"]
    town.arm()
    live_until(town, "canary", days=1)
    known = town.learner().known()
    assert (known.aliases[Alias.CHALLENGER], known.aliases[Alias.SHADOW]) == (second.hash, NONE)
    (share,) = [msgspec.json.decode(event.body)["share"] for event in kinds_of(town, TRIAL)]
    assert share == PLAN.canary_shares[0]
    day = town.live()
    assert what(day.happened) == ["champion"]
    assert day.decisions > 0
    assert day.standing.previous == first.hash
    # On trial both decided, and each about its own parties.
    decided = town.source.whole.decisions["model_0"]
    assert set(decided.tolist()) == set(words(models))
    assert what(town.live().happened) == []
    moves = len(kinds_of(town, MOVED))
    event = town.learner().roll_back(town.now, "it was\tthe test")
    assert (event.hash, event.to, event.reason) == (second.hash, first.hash, "it was the test")
    assert len(kinds_of(town, MOVED)) == moves + 1
    before = len(town.source.whole.decisions)
    town.pass_day()
    assert set(town.source.whole.decisions["model_0"][before:].tolist()) == set(words([first]))
    # With none before it rules decide alone.
    assert town.learner().roll_back(town.now, "again").to == NONE
    assert town.learner().known().aliases[Alias.CHAMPION] == NONE
    before = len(town.source.whole.decisions)
    town.pass_day()
    assert set(town.source.whole.decisions["model_0"][before:].tolist()) == {0}
    with pytest.raises(NoChampionBefore):
        town.learner().roll_back(town.now, "once more")


def test_answers_that_are_lost(tmp_path: Path) -> None:
    """Whatever answer is lost, and whether the command was done or not, everything happens once."""
    chance, models = Random(8), ready_models(2)
    town = Town(tmp_path, models=list(models), is_lost=lambda _: chance.choice(["", "", "before", "after"]))
    lost = sum(_lived_at_last(town) for _ in range(12))
    assert lost > 8
    counted = Counter(what(_history(town)))
    assert counted["shadow"] == counted["champion"] == counted["ChallengerJudged"] == 2
    assert len(kinds_of(town, "registry.ModelRegistered")) == 2
    moved = Counter(
        (told["alias"], told["hash"])
        for told in (msgspec.json.decode(event.body) for event in kinds_of(town, MOVED))
        if told["hash"]
    )
    assert moved == dict.fromkeys(
        [
            ("shadow", models[0].hash),
            ("champion", models[0].hash),
            ("shadow", models[1].hash),
            ("challenger", models[1].hash),
            ("champion", models[1].hash),
        ],
        1,
    )
    assert len(kinds_of(town, TRIAL)) == 1


def _lived_at_last(town: Town) -> int:
    """Live a day as often as it takes, each time by a new learner; return how often an answer was lost."""
    town.pass_day()
    lost = 0
    while True:
        ready = list(town.models)
        try:
            town.learner().day(town.now)
        except DayKnown:
            return lost
        except AnswerLost:
            lost += 1
            day = town.learner().known().day
            # A day that was not recorded is lived again, and learns the same again.
            if day is None or day.at < town.now:
                town.models = ready
        else:
            return lost


def _history(town: Town) -> list[Any]:
    return [one.event for one in town.learner().known().history]


def test_a_challenger_that_is_refused(tmp_path: Path) -> None:
    """Its gates are in the journal, figures that no number tells as well; its bytes are not."""
    town = Town(
        tmp_path,
        models=ready_models(1),
        gates=(
            Gate(name="money", is_passed=False, figure=-np.inf, bound=0.0, said="too few\ndays " + "x" * 300),
            Gate(name="odd", is_passed=True, figure=np.nan, bound=-0.0, said=""),
        ),
    )
    live_until(town, "ChallengerJudged")
    (judged,) = [one for one in _history(town) if isinstance(one, ChallengerJudged)]
    money, odd = judged.gates
    assert (money.figure, len(money.said), money.said[:12]) == (-1e15, 200, "too few days")
    assert (odd.figure, odd.said) == (0.0, "…")
    assert not judged.is_passed
    assert kinds_of(town, "registry.ModelPartStored") == []


def test_somebody_takes_a_candidate_away(tmp_path: Path) -> None:
    """A candidate whose alias is gone is given up, and a champion that somebody moved is the champion."""
    first, second = ready_models(2)
    town = Town(tmp_path, models=[first, second])
    live_until(town, "champion")
    by_hand: dict[str, Any] = {"subject": text_id(MODEL), "model": MODEL, "reason": "by hand"}
    assert town.command(REGISTRY, MoveAlias(alias=Alias.SHADOW, hash=NONE, **by_hand), "1").code == ""
    day = town.live()
    assert isinstance(day.happened[0], CandidateDropped)
    assert day.standing.candidate == NONE
    assert (
        town.command(REGISTRY, MoveAlias(alias=Alias.CHAMPION, hash=second.hash, **by_hand), "2").code == ""
    )
    assert town.learner().known().standing.champion == second.hash
    assert RolledBack not in [type(one) for one in town.live().happened]
    assert town.learner().known().aliases[Alias.CHAMPION] == second.hash


def test_what_the_engine_refuses(tmp_path: Path) -> None:
    """A command that is refused ends the day; what somebody else did in the same way does not."""
    town = Town(tmp_path, models=ready_models(1))
    live_until(town, "shadow")
    town.pass_day()

    def refusing(code: str) -> Tell:
        return lambda *_: Receipt(product="registry", fingerprint="", code=code)

    with pytest.raises(EngineRefused) as caught:
        town.learner(tell=refusing("model_not_found")).day(town.now)
    assert caught.value.reason == "model_not_found"
    with pytest.raises(LearningUnexpected):
        town.learner(tell=refusing("learning_unexpected")).day(town.now)
    day = town.learner(tell=refusing("alias_unchanged")).day(town.now)
    assert what(day.happened) == ["champion"]


def test_without_lightgbm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named."""
    town = Town(tmp_path, models=ready_models(1))
    for _ in range(6):
        town.pass_day()
    monkeypatch.setitem(sys.modules, "formicary.factory.learning.learner", None)
    with pytest.raises(TrainerMissing):
        town.learner().day(town.now)


def test_stages_are_told(tmp_path: Path) -> None:
    """Nothing is told twice where nothing was lost."""
    town = Town(tmp_path, models=ready_models(1))
    live_until(town, "champion")
    entered = [one for one in _history(town) if isinstance(one, StageEntered)]
    assert what(entered) == ["shadow", "champion"]
    sent = town.sent
    town.live()
    assert town.sent == sent + 1


def test_another_release(tmp_path: Path) -> None:
    """A candidate that reads other columns is given up; beside such a champion nothing can be compared."""
    first, second = ready_models(2)
    town = Town(tmp_path, models=[first, second])
    other = replace(SPEC, columns=SPEC.columns[:1])
    live_until(town, "shadow")
    dropped = town.live(spec=other).happened[0]
    assert isinstance(dropped, CandidateDropped)
    assert "other columns" in dropped.reason
    live_until(town, "champion")
    town.pass_day()
    with pytest.raises(ChampionDiffers):
        town.learner(spec=other).day(town.now)


def test_a_label_that_comes_fast(tmp_path: Path) -> None:
    """What somebody found is learnt from beside the slow label; of the rest nothing is said."""
    question = SPEC.question
    assert question is not None
    early = replace(question.label, negative=(("confirmed", 1),), horizon="90d", is_early=True)
    fast = replace(SPEC, name="payment_found", question=replace(question, label=early))
    given: list[Any] = []

    def train(*_: Any, investigated: Any, **__: Any) -> Any:
        given.append(investigated)
        raise TrainedEnough

    town = Town(tmp_path)
    for _ in range(9):
        town.pass_day()
    with suppress(TrainedEnough):
        town.live(plan=replace(PLAN, fast=fast), train=train)
    told = [msgspec.json.decode(event.body) for event in kinds_of(town, "facts.FactsRecorded")]
    frauds = sum(len(one["at"]) for one in told if one["kind"] == question.label.fact)
    assert given[-1].labels.tolist() == [1] * frauds
    assert frauds > 0
    rows = {int(at) for at in given[-1].at}
    asked = set(town.payments.filter("is_theft")["at"].to_list())
    assert len(rows) == frauds
    assert len(asked) >= frauds
