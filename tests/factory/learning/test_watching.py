"""The champion is watched by what came of rows and by what it reads: seldom alarmed, never for nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from formicary.base.purposes import Purpose
from formicary.base.times import time_text
from formicary.factory.learning.challengers import Challenger
from formicary.factory.learning.gates import Gate
from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import (
    DRIFT,
    RESIDUALS,
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    Happened,
    RolledBack,
    Standing,
)
from formicary.factory.learning.watching import watched
from formicary.factory.learning.worth import Worth
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column, ModelSpec
from tests.factory.learning.learning_kit import FIRST, SPEC, clock, made_challenger, made_rows
from tests.factory.learning.learning_kit import PLAN as KIT_PLAN

Reals = npt.NDArray[np.float64]

DAYS, SINCE = 28, 14
_EACH, _PARTIES = 300, 900
MODEL = ModelSpec(
    name="watched",
    owner="tests",
    predicts="The chance that it comes out badly.",
    columns=tuple(Column(name=name, reason="It is high.") for name in ("level", "noise", "weekday")),
)
PLAN = LearningPlan(
    model=MODEL.name,
    worth=Worth(lost_bp=10_000, margin_bp=3_000),
    residual_odds=1.5,
    drift_index_max=0.25,
)
STANDING = Standing(champion="a" * 32, champion_since=(FIRST + SINCE) * DAY)


def chances_of(rows: Rows) -> Reals:
    """Return what is true of rows of a quiet world."""
    return np.asarray(expit(rows.values[:, 0] + rows.values[:, 1] - 3.0))


def world(seed: int, *, odds: float = 1.0, shift: float = 0.0, since: int = 18) -> Rows:
    """Return rows of parties with levels of their own; from a day on their odds, or levels, are others."""
    draw = np.random.default_rng(seed)
    count = DAYS * _EACH
    at = FIRST * DAY + np.sort(draw.integers(0, DAYS * DAY, count))
    whose = draw.integers(0, _PARTIES, count)
    levels = draw.normal(size=_PARTIES)
    is_new = at >= (FIRST + since) * DAY
    weekday = (at // DAY % 7).astype(np.float64)
    values = np.column_stack([levels[whose] + shift * is_new, draw.normal(size=count), weekday])
    margin = values[:, 0] + values[:, 1] - 3.0 + np.log(odds) * is_new
    return Rows(
        values=values,
        at=at,
        amounts=draw.integers(1_000, 50_000, count),
        labels=(draw.random(count) < expit(margin)).astype(np.int8),
        parties=np.column_stack([whose, whose]).astype(np.uint64),
        segments={},
    )


def alarms(rows: Rows, plan: LearningPlan = PLAN, standing: Standing = STANDING) -> list[AlarmRaised]:
    """Return what a look tells."""
    return list(watched(standing, rows, chances_of, MODEL, plan))


def names(found: list[AlarmRaised]) -> list[str]:
    """Return what alarms are called."""
    return [one.alarm.name for one in found]


def test_in_quiet_there_is_next_to_no_alarm() -> None:
    """Of forty worlds in which nothing changes none alarms, weekdays and rows of a party notwithstanding."""
    assert [names(alarms(world(seed))) for seed in range(40)] == [[]] * 40


@pytest.mark.parametrize("odds", [2.5, 0.3])
def test_odds_that_changed_are_told_with_their_beginning(odds: float) -> None:
    """Either way; sums are those of rows let through since then."""
    rows = world(1, odds=odds)
    (one,) = alarms(rows)
    assert one.alarm.name == RESIDUALS
    assert (one.alarm.figure > one.alarm.bound) is (odds > 1)
    days = [time_text((FIRST + day) * DAY)[:10] for day in range(DAYS)]
    (began,) = [place for place, day in enumerate(days) if day in one.alarm.said]
    assert abs(began - 18) <= 3
    chances = chances_of(rows)
    passed = (rows.at >= (FIRST + began) * DAY) & ~PLAN.worth.stops(chances, rows.amounts)
    assert one.alarm.figure <= rows.labels[passed].sum()
    assert one.alarm.bound <= chances[passed].sum()


def test_of_what_is_stopped_nothing_is_made() -> None:
    """Who looks tells of bad rows first: all of those that are stopped are bad here, and none alarms."""
    rows = world(2)
    stopped = PLAN.worth.stops(chances_of(rows), rows.amounts)
    assert stopped.mean() > 0.05
    assert alarms(replace(rows, labels=np.where(stopped, 1, rows.labels).astype(np.int8))) == []


def test_a_column_that_drifted_is_named() -> None:
    """The farthest, with how many others; not where the plan's index is higher, or parties are few."""
    rows = world(3, shift=1.5, since=20)
    moved = replace(rows, values=rows.values + (rows.at >= (FIRST + 20) * DAY)[:, None] * [0.0, 0.8, 0.0])
    told = {one.alarm.name: one.alarm for one in alarms(moved, replace(PLAN, residual_odds=0.0))}
    assert list(told) == [f"{DRIFT}level"] or list(told) == [f"{DRIFT}chance"]
    (alarm,) = told.values()
    assert alarm.figure > alarm.bound == 0.25
    assert "and " in alarm.said
    noise = replace(rows, values=world(3).values + (rows.at >= (FIRST + 20) * DAY)[:, None] * [0.0, 0.0, 9.0])
    assert names(alarms(noise, replace(PLAN, residual_odds=0.0))) == [f"{DRIFT}weekday"]
    assert alarms(rows, replace(PLAN, residual_odds=0.0, drift_index_max=50.0)) == []
    few = replace(moved, parties=moved.parties % np.uint64(150))
    assert alarms(few, replace(PLAN, residual_odds=0.0)) == []


def test_nothing_is_told_where_nothing_is_asked_or_known() -> None:
    """By a plan without either, before a week is over, of no rows, and of a model without chances."""
    rows = world(3, odds=3.0, shift=2.0)
    assert alarms(rows, replace(PLAN, residual_odds=0.0, drift_index_max=0.0)) == []
    assert names(alarms(rows.between(0, (FIRST + 20) * DAY), replace(PLAN, residual_odds=0.0))) == []
    assert alarms(rows.chosen(slice(0, 0))) == []
    nothing = watched(STANDING, rows, lambda some: np.full(len(some), np.nan), MODEL, PLAN)
    assert list(nothing) == []


def test_a_chart_begins_anew_after_its_alarm() -> None:
    """What it told of is not told again; what goes on is."""
    rows = world(1, odds=2.5)
    later = replace(rows, labels=np.where(rows.at >= (FIRST + 24) * DAY, world(1).labels, rows.labels))
    assert names(alarms(later)) == [RESIDUALS]
    alarmed = replace_alarm(STANDING, (FIRST + 24) * DAY)
    assert alarms(later, standing=alarmed) == []
    assert names(alarms(rows, standing=alarmed)) == [RESIDUALS]


def replace_alarm(standing: Standing, at: int) -> Standing:
    """Return a standing after an alarm at a time."""
    return Standing(champion=standing.champion, champion_since=standing.champion_since, alarmed_at=at)


# -- what follows --------------------------------------------------------------------------

GOOD, BAD = made_challenger(0), made_challenger(2, turned=True)
TURNS = 24
WORLD = made_rows(40)
TURNED = replace(
    WORLD,
    labels=np.where(WORLD.at >= (FIRST + TURNS) * DAY, made_rows(40, turned=True).labels, WORLD.labels),
)
SELDOM = replace(KIT_PLAN, every_days=99, residual_odds=2.0, alarmed_windows_days=(5,))


class Trained:
    """A training that notes how it was asked, and returns one that is refused."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, bool]] = []

    def __call__(self, *given: Any, window_days: int, is_alarmed: bool, **_: Any) -> Challenger:
        """Note the day of the newest row, and how far back is learnt."""
        self.asked.append((int(given[2].at[-1]) // DAY - FIRST, window_days, is_alarmed))
        against = Gate(name="money", is_passed=False, figure=0.0, bound=0.0, said="no more")
        return replace(GOOD, gates=(against,))


def lived(
    rows: Rows, *, plan: LearningPlan = SELDOM, spec: ModelSpec = SPEC, after: int = 40, **standing: Any
) -> tuple[list[tuple[int, Happened]], Trained]:
    """Let days go by from the twentieth on, labels known at once."""
    train = Trained()
    champion: dict[str, Any] = {"champion": GOOD.model.hash, "champion_since": (FIRST + 20) * DAY}
    learner = Learner(
        spec,
        plan,
        clock=clock,
        train=train,
        standing=Standing(**champion | {"trained_at": (FIRST + 19) * DAY} | standing),
        models={one.model.hash: one.model for one in (GOOD, BAD)},
    )
    happened: list[tuple[int, Happened]] = []
    for day in range(20, after):
        now = (FIRST + day + 1) * DAY
        latest = rows.between(now - DAY, now)
        told = learner.day(now, rows.between(0, now), latest, learner.scored(latest)[0])
        happened += [(day, one) for one in told]
    return happened, train


def test_an_alarm_brings_a_training_forward_and_promotes_nothing() -> None:
    """On the day on which it is raised, with the short window as well; once, and in quiet never."""
    happened, train = lived(WORLD)
    assert (happened, train.asked) == ([], [])
    happened, train = lived(TURNED)
    (raised,) = (day for day, one in happened if isinstance(one, AlarmRaised))
    assert TURNS <= raised <= TURNS + 5
    assert train.asked[:2] == [(raised, 0, True), (raised, 5, True)]
    assert {type(one) for _, one in happened} == {AlarmRaised, ChallengerJudged}


def test_rows_are_waited_for_until_their_horizon_is_over() -> None:
    """Bad ones are told before: with a horizon of six days the alarm comes six days later."""
    label = Label(fact="outcome", event="thing", positive=(("bad", 1),), horizon="6d")
    asks = replace(SPEC, question=Question(features="things", purpose=Purpose.FRAUD, label=label))
    first, late = (
        next(day for day, one in lived(TURNED, spec=spec)[0] if isinstance(one, AlarmRaised))
        for spec in (SPEC, asks)
    )
    assert late == first + 6


ALARMED: dict[str, Any] = {"alarmed_at": (FIRST + 20) * DAY, "alarm": f"{DRIFT}age"}
UNWATCHED = replace(SELDOM, residual_odds=0.0)


def test_under_an_alarm_a_champion_of_old_is_watched_again() -> None:
    """By what it earns beside the one before it; without an alarm its days of being watched are over."""
    old: dict[str, Any] = {
        "champion": BAD.model.hash,
        "previous": GOOD.model.hash,
        "champion_since": (FIRST + 2) * DAY,
    }
    assert not lived(WORLD, plan=UNWATCHED, after=22, **old)[0]
    happened, _ = lived(WORLD, plan=UNWATCHED, after=22, **old, **ALARMED)
    (back,) = (one for _, one in happened if isinstance(one, RolledBack))
    assert back.to == GOOD.model.hash


def test_under_an_alarm_a_canary_may_lose_half() -> None:
    """What it lost is two thirds of what it may: in quiet it goes on."""
    rows = WORLD.between((FIRST + 20) * DAY, (FIRST + 21) * DAY)
    worth = []
    for model in (GOOD.model, BAD.model):
        assert model.calibration is not None
        chances = model.calibration.apply(model.forest.raw_scores(rows.values))
        stopped = KIT_PLAN.worth.stops(chances, rows.amounts)
        worth.append(int(KIT_PLAN.worth.values(stopped, rows.labels, rows.amounts).sum()))
    plan = replace(UNWATCHED, canary_loss_max=(worth[0] - worth[1]) * 3 // 2, canary_days=9)
    canary: dict[str, Any] = {"candidate": BAD.model.hash, "stage": "canary", "share": 100_000}
    since: dict[str, Any] = {"stage_since": (FIRST + 20) * DAY, "champion_since": (FIRST + 19) * DAY}
    assert not lived(WORLD, plan=plan, after=21, **canary, **since)[0]
    happened, _ = lived(WORLD, plan=plan, after=21, **canary, **since, **ALARMED)
    (dropped,) = (one for _, one in happened if isinstance(one, CandidateDropped))
    assert "lost" in dropped.reason
