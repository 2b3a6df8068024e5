"""After an alarm a training is due at once, and parties are parted in place of days."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.factory.learning import challengers
from formicary.factory.learning.challengers import train_challenger
from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.gates import Contest, contest_gates
from formicary.factory.learning.guards import Alarm, Before, Seen, alarms
from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import ALARM_LASTS, AlarmRaised, Standing, evolve
from formicary.factory.learning.worth import Worth
from formicary.factory.models.errors import LabelsTooFew
from proofs.learning.worlds import HOUR, World, drawn_world, spec_of

ALARM = AlarmRaised(
    model="lab", hash="one", alarm=Alarm(name="incoming age", figure=9.0, bound=1.0, said="nine")
)
PLAN = LearningPlan(
    model="lab",
    worth=Worth(margin_bp=2_000),
    every_days=30,
    judged_days=3,
    positives_min=20,
    segments=("region",),
)


@pytest.fixture(scope="module")
def world() -> World:
    """Return a small world."""
    return drawn_world(5, days=24, rows_a_day=400, label_days=1)


def test_the_first_alarm_counts_until_somebody_learnt() -> None:
    """Later ones do not put it off; a champion since, or a month, ends it."""
    alarmed = evolve(Standing(champion="one", champion_since=5), ALARM, 10)
    assert alarmed.alarmed_at == 10
    assert evolve(alarmed, ALARM, 11).alarmed_at == 10
    assert alarmed.is_alarmed(10 + ALARM_LASTS)
    assert not alarmed.is_alarmed(11 + ALARM_LASTS)
    assert not replace_since(alarmed, 12).is_alarmed(13)
    assert evolve(replace_since(alarmed, 12), ALARM, 14).alarmed_at == 14


def replace_since(standing: Standing, since: int) -> Standing:
    """Return a standing whose champion decides since then."""
    return Standing(champion="two", champion_since=since, alarmed_at=standing.alarmed_at)


def test_a_training_is_due_as_soon_as_labels_of_the_alarm_are_known(world: World) -> None:
    """By the schedule it would be a month later; all windows are tried, the short ones as well."""
    asked: list[tuple[int, bool]] = []

    def train(*_: Any, window_days: int, is_alarmed: bool, **__: Any) -> Any:
        asked.append((window_days, is_alarmed))
        message = "of a class"
        raise LabelsTooFew(message)

    began = 18 * DAY + HOUR
    standing = Standing(champion="one", trained_at=12 * DAY, alarmed_at=began, champion_since=14 * DAY)
    learner = Learner(spec_of(0), PLAN, clock=lambda: 0, train=train, standing=standing)
    for day in (18, 19):
        learner.day(day * DAY, world.known(day * DAY), world.asked(0, 0), np.empty(0))
    assert asked == []
    learner.day(22 * DAY, world.known(22 * DAY), world.asked(0, 0), np.empty(0))
    assert asked == [(0, True), (14, True)]


def test_parties_are_parted_and_the_newest_day_is_learnt(world: World) -> None:
    """A third of the newest parties judges; all others are learnt from, whatever their day."""
    rows = world.known(20 * DAY)
    told = {
        is_alarmed: train_challenger(
            spec_of(0), PLAN, rows, None, window_days=10, clock=lambda: 0, is_alarmed=is_alarmed
        )
        for is_alarmed in (False, True)
    }
    money = {key: next(one for one in found.gates if one.name == "money") for key, found in told.items()}
    assert "a day in 3 of them" in money[False].said
    assert "a block in 10 of them" in money[True].said
    # Ten days in all, the newest among them; by the schedule ten before the three that judge.
    assert told[True].model.evidence.rows < told[False].model.evidence.rows


def test_what_takes_little_may_take_longer_than_the_champion(world: World) -> None:
    """Ten times a nanosecond a row is nothing; beyond what is free the ratio counts."""
    rows = world.known(20 * DAY)
    model = train_challenger(spec_of(0), PLAN, rows, None, window_days=10, clock=lambda: 0).model
    for free, is_passed in ((10, True), (9, False)):
        # By turns: ten nanoseconds a row, then one for the champion.
        steps = itertools.cycle([0, 5_120, 0, 512])
        plan = replace(PLAN, latency_free_ns=free)
        gate = challengers._latency(model.forest, model, rows, plan, steps.__next__)
        assert (gate.is_passed, gate.figure) == (is_passed, 10.0)


def test_a_look_raises_alarms_and_names_what_to_hold(world: World) -> None:
    """Without a champion scores tell nothing, columns do."""
    learner = Learner(spec_of(0), PLAN, clock=lambda: 0)
    before, latest = world.asked(0, 10 * DAY), world.asked(10 * DAY, 11 * DAY)
    assert learner.look(11 * DAY, latest, before, days=10) == ([], [])
    values = latest.values.copy()
    values[:40, 4] = 6.0
    happened, found = learner.look(11 * DAY, replace(latest, values=values), before, days=10)
    assert {one.column for one in found} == {"stranger"}
    assert [type(one) for one in happened] == [AlarmRaised] * len(found)
    assert learner.standing.alarmed_at == 11 * DAY


def contest(world: World, champion: np.ndarray | None) -> tuple[Rows, Contest]:
    """Return a contest of a challenger that stops everything."""
    rows = world.known(6 * DAY)
    return rows, Contest(rows=rows, challenger=np.ones(len(rows)), champion=champion)


def test_where_nothing_decided_nothing_turns_over(world: World) -> None:
    """The first champion stops what nobody stopped; a later one that does so is refused."""
    for champion, is_passed in ((None, True), (np.zeros(len(world.known(6 * DAY))), False)):
        gates = {one.name: one for one in contest_gates(contest(world, champion)[1], PLAN)}
        assert gates["flips"].is_passed is is_passed


def test_few_rows_stop_more_by_chance(world: World) -> None:
    """Of two hundred rows a few more are chance, of two thousand they are not."""
    for count, expected in ((250, []), (4_000, ["stopped"])):
        rows = world.rows.chosen(slice(0, count))
        before, scored = np.zeros(count), np.zeros(count)
        scored[: round(count * 0.02)] = 1.0
        seen = Seen(rows=rows, scored=scored, own=scored, before=Before(chances=before))
        assert [one.name for one in alarms(seen, PLAN)] == expected


@pytest.mark.parametrize("change", [{"alarmed_windows_days": (-1,)}, {"stopped_times_max": 0.0}])
def test_a_plan_is_checked(change: dict[str, Any]) -> None:
    """Windows of an alarm and what may be stopped are numbers that mean something."""
    with pytest.raises(PlanMalformed):
        replace(PLAN, **change)
