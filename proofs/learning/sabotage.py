"""Saboteurs: challengers that must not be let in, each for a reason of its own, and one that fails later.

A world has a champion that learnt before a new kind of bad rows came. Whoever learns now is better by far, so
that only what is wrong with a challenger can stand against it::

    first era ── the champion learns ── second era ── challengers ──▶ honest      must be let in, and stay
                                                      │               leaking     must be refused: leaks
                                                      │               blind       must be refused: segment
                                                      │               exaggerating    … calibration
                                                      │               slow        … latency
                  │                                   └ honest, then its input breaks: must be rolled back
                  └ its input breaks: rules alone must decide

No gate is touched: saboteurs come in where a challenger is trained, by rows and parameters, or live, by what
a model reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.challengers import Challenger, train_challenger
from formicary.factory.learning.learner import Learner, Train
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import (
    NONE,
    AlarmRaised,
    CandidateDropped,
    ChallengerJudged,
    Happened,
    RolledBack,
    Stage,
    StageEntered,
)
from formicary.factory.learning.worth import Worth
from formicary.factory.models.spec import ModelSpec
from proofs.learning.worlds import EXCESS, HASTE, HOUR, REGION, REMARK, STRANGER, World, drawn_world, spec_of

__all__ = ["BROKEN", "SABOTEURS", "Outcome", "outcomes_of", "sabotaged"]

Reals: TypeAlias = npt.NDArray[np.float64]
Told: TypeAlias = list[tuple[int, Happened]]

_DAYS: Final = 99
_ROWS_A_DAY: Final = 1_200
_SECOND_ERA: Final = 32
_LOOKS_A_DAY: Final = 4
"""Of a quarter of a day there are enough rows to tell something by."""
_STAYS_DAYS: Final = 10
_BREAKS_BY: Final = 70
"""Whoever is let in by this day is watched for as long as a champion is."""
_STRANGERS_FROM: Final = 4.6
_MORE_STRANGERS: Final = 0.01

_PLAN: Final = LearningPlan(
    model="lab",
    worth=Worth(lost_bp=10_000, margin_bp=2_000, cost=2_00),
    every_days=24,
    positives_min=800,
    judged_days=5,
    negatives_each=5,
    miscalibration_max=0.5,
    flips_max=0.10,
    latency_free_ns=6_000,
    segments=("region",),
    segment_loss_bp=200,
    canary_loss_max=5_000_00,
)
_FIRST: Final = replace(_PLAN, miscalibration_max=2.0)
"""Nothing decides before the first champion: it is taken as it comes, and the lab is about who follows."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one of them.

    Attributes
    ----------
    seed, kind
        Which.
    is_right
        Whether it was refused, undone, or, if honest, let in for good.
    by
        Gates or alarms that stood against it.
    hours_to_alarm, hours_to_rollback
        Of what broke live: from then to the first alarm, and from that to the rollback.
    """

    seed: int
    kind: str
    is_right: bool
    by: tuple[str, ...]
    hours_to_alarm: float | None = None
    hours_to_rollback: float | None = None
    is_alone: bool = False
    """Whether rules decide alone in the end: the one before it fails as well, or there is none."""


# -- saboteurs that come in by training ----------------------------------------------------


def _leaking(spec: ModelSpec, plan: LearningPlan, rows: Rows, *rest: Any, **options: Any) -> Challenger:
    """Learn from a remark that was written once the label was known: at nearly every bad row."""
    values = rows.values.copy()
    is_written = (rows.labels == 1) & (rows.parties[:, 0] % np.uint64(10) < np.uint64(9))
    values[is_written, REMARK] = 5.0
    return train_challenger(spec, plan, replace(rows, values=values), *rest, **options)


def _misreading(spec: ModelSpec, plan: LearningPlan, rows: Rows, *rest: Any, **options: Any) -> Challenger:
    """Learn from rows in which one region stored its columns upside down; it does not any more."""
    values = rows.values.copy()
    is_wrong = _is_learnt(rows, plan) & (rows.values[:, REGION] == 1)
    values[np.ix_(is_wrong, (EXCESS, HASTE))] *= -1
    # As many strangers as before, only others: nothing else tells that something is wrong.
    values[is_wrong, STRANGER] = -np.log1p(-np.exp(-values[is_wrong, STRANGER]))
    return train_challenger(spec, plan, replace(rows, values=values), *rest, **options)


def _exaggerating(spec: ModelSpec, plan: LearningPlan, rows: Rows, *rest: Any, **options: Any) -> Challenger:
    """Learn from rows of which most good ones were left out, and no weight says so."""
    is_left_out = (
        _is_learnt(rows, plan) & (rows.labels == 0) & (rows.parties[:, 0] % np.uint64(8) > np.uint64(0))
    )
    return train_challenger(
        spec, replace(plan, negatives_each=0), rows.chosen(~is_left_out), *rest, **options
    )


def _slow(spec: ModelSpec, plan: LearningPlan, rows: Rows, *rest: Any, **options: Any) -> Challenger:
    """Learn many times as many trees, deeper ones: no better, and slower."""
    search = dict(spec.search) | {"num_leaves": (63,), "learning_rate": (0.01,), "extra_trees": (True,)}
    spec, plan = replace(spec, search=tuple(search.items())), replace(plan, negatives_each=2)
    return train_challenger(spec, plan, rows, *rest, **options)


def _is_learnt(rows: Rows, plan: LearningPlan) -> npt.NDArray[np.bool_]:
    """Return which rows (n,) are not of the newest days, by which challengers are judged."""
    end = int(rows.at[-1]) // DAY * DAY + DAY
    return np.asarray(rows.at < end - plan.judged_days * DAY)


SABOTEURS: Final[dict[str, tuple[Train, str]]] = {
    "leaking": (_leaking, "leaks"),
    "misreading": (_misreading, "segment region"),
    "exaggerating": (_exaggerating, "calibration"),
    "slow": (_slow, "latency"),
}
"""By kind: how it is trained, and the gate that is meant for it."""


# -- inputs that break live ----------------------------------------------------------------


def _inverted(rows: Rows, _: int) -> Rows:
    values = rows.values.copy()
    values[:, STRANGER] = values[:, STRANGER].max() - values[:, STRANGER]
    return replace(rows, values=values)


def _first_inverted(rows: Rows, _: int) -> Rows:
    values = rows.values.copy()
    values[:, EXCESS] = values[:, EXCESS].max() - values[:, EXCESS]
    return replace(rows, values=values)


def _unscaled(rows: Rows, _: int) -> Rows:
    values = rows.values.copy()
    values[:, STRANGER] *= 1_000
    return replace(rows, values=values)


def _turned(rows: Rows, seed: int) -> Rows:
    """Let strangers be good from now on, and a few more of them, with large amounts: only labels tell."""
    drawn = np.random.default_rng([seed, 2]).random(len(rows))
    is_stranger = (rows.values[:, STRANGER] > _STRANGERS_FROM) | (drawn < _MORE_STRANGERS)
    values = rows.values.copy()
    values[is_stranger, STRANGER] = np.maximum(values[is_stranger, STRANGER], _STRANGERS_FROM)
    return replace(
        rows,
        values=values,
        labels=np.where(is_stranger, 0, rows.labels).astype(np.int8),
        amounts=np.where(is_stranger, 5 * rows.amounts, rows.amounts),
    )


BROKEN: Final[dict[str, Callable[[Rows, int], Rows]]] = {
    "inverted": _inverted,
    "in another unit": _unscaled,
    "the world turns": _turned,
}
"""By kind: what becomes of the column that only the new champion learnt to read."""
_MIXED_UP: Final = "answers mixed up"
_LOST: Final = "not loaded"
_FIRST_INVERTED: Final = "the first, inverted"
UNDONE: Final = (*BROKEN, _MIXED_UP, _LOST)


# -- the lab -------------------------------------------------------------------------------


def sabotaged(seed: int, kinds: Collection[str] = tuple(SABOTEURS)) -> Iterator[Outcome]:
    """Try saboteurs of such kinds in the world of a seed, and all that breaks; tell what became of each."""
    world = drawn_world(seed, days=_DAYS, rows_a_day=_ROWS_A_DAY, second_era=_SECOND_ERA)
    first = _learner(seed, train_challenger, _FIRST)
    day = _until_champion(world, first, 0)
    yield _undone(seed, _FIRST_INVERTED, world, _again(first, seed, train_challenger))
    due = first.standing.trained_at // DAY + _PLAN.every_days
    _live(world, first, day * DAY, (due - 1) * DAY)
    for kind in kinds:
        saboteur = _again(first, seed, SABOTEURS[kind][0])
        yield _refused(seed, kind, _live(world, saboteur, (due - 1) * DAY, due * DAY))
    honest = _again(first, seed, train_challenger)
    told = _live(world, honest, (due - 1) * DAY, due * DAY)
    day = _until_champion(world, honest, due, told)
    yield _stayed(
        seed, told, _live(world, _again(honest, seed, train_challenger), day * DAY, (day + _STAYS_DAYS) * DAY)
    )
    if honest.standing.previous:
        for kind in UNDONE:
            yield _undone(seed, kind, world, _again(honest, seed, train_challenger))


def outcomes_of(seed: int) -> list[Outcome]:
    """Return what became of all of them in the world of a seed."""
    return list(sabotaged(seed))


def _learner(seed: int, train: Train, plan: LearningPlan = _PLAN) -> Learner:
    # What scoring takes is measured without what else the machine does.
    return Learner(spec_of(seed), plan, clock=time.thread_time_ns, train=train)


def _again(learner: Learner, seed: int, train: Train) -> Learner:
    """Return a learner that goes on where another one is."""
    after = _learner(seed, train)
    after.standing, after.models = learner.standing, dict(learner.models)
    return after


def _until_champion(world: World, learner: Learner, day: int, told: Told | None = None) -> int:
    """Live until there is another champion than on a day, or the world ends; return the day after."""
    before = learner.standing.champion
    while learner.standing.champion == before and day < _BREAKS_BY:
        found = _live(world, learner, day * DAY, (day + 1) * DAY)
        if told is not None:
            told += found
        day += 1
    return day


def _live(world: World, learner: Learner, first: int, after: int, *, is_mixed_up: bool = False) -> Told:
    """Live from a midnight to another, looking several times a day."""
    told: Told = []
    span = DAY // _LOOKS_A_DAY
    for now in range(first + span, after + 1, span):
        latest = world.asked(now - span, now)
        scored, _ = learner.scored(latest)
        if is_mixed_up and learner.standing.previous:
            # Every answer goes to the row after.
            scored = np.roll(scored, 1)
        told += [(now, one) for one in learner.guard(now, latest, scored)]
        if now % DAY == 0:
            latest = world.asked(now - DAY, now)
            scored, _ = learner.scored(latest)
            told += [(now, one) for one in learner.day(now, world.known(now), latest, scored)]
    return told


def _refused(seed: int, kind: str, told: Told) -> Outcome:
    judged = [one for _, one in told if isinstance(one, ChallengerJudged)]
    by = tuple(found.name for one in judged for found in one.gates if not found.is_passed)
    let_in = any(isinstance(one, StageEntered) for _, one in told)
    return Outcome(seed=seed, kind=kind, is_right=len(judged) == 1 and bool(by) and not let_in, by=by)


def _stayed(seed: int, told: Told, later: Told) -> Outcome:
    """Tell whether the honest one was let in, and not taken back."""
    stages = [one.stage for _, one in told if isinstance(one, StageEntered)]
    against = [
        found.name
        for _, one in told
        if isinstance(one, ChallengerJudged)
        for found in one.gates
        if not found.is_passed
    ]
    against += [one.reason for _, one in told if isinstance(one, CandidateDropped)]
    against += [one.alarm.name for _, one in later if isinstance(one, AlarmRaised)]
    is_right = stages[-1:] == [Stage.CHAMPION] and not against
    return Outcome(seed=seed, kind="honest", is_right=is_right, by=tuple(against))


def _undone(seed: int, kind: str, world: World, learner: Learner) -> Outcome:
    """Break what the new champion reads, and see whether it is taken back.

    Then the one before it decides; where that fails on the same rows, or there is none, rules alone do.
    """
    champion = learner.standing.champion
    # The first day went well.
    broken = learner.standing.champion_since + DAY
    told = _live(world, learner, learner.standing.champion_since, broken)
    if kind == _LOST:
        learner.models.pop(champion)
    elif kind in BROKEN:
        world = world.changed(broken, BROKEN[kind], seed)
    elif kind == _FIRST_INVERTED:
        world = world.changed(broken, _first_inverted, seed)
    for day in range(broken, _DAYS * DAY, DAY):
        is_undone = any(isinstance(one, RolledBack) for _, one in told)
        told += _live(world, learner, day, day + DAY, is_mixed_up=kind == _MIXED_UP)
        if is_undone:
            # One more day has shown that it stays so.
            break
    alarmed = [(now, one.alarm.name) for now, one in told if isinstance(one, AlarmRaised)]
    undone = [now for now, one in told if isinstance(one, RolledBack) and one.hash == champion]
    is_right = bool(undone) and alarmed[0][0] > broken and learner.standing.champion != champion
    return Outcome(
        seed=seed,
        kind=kind,
        is_right=is_right,
        by=tuple(name for now, name in alarmed if undone and now <= undone[0]),
        hours_to_alarm=(alarmed[0][0] - broken) / HOUR if alarmed else None,
        hours_to_rollback=(undone[0] - alarmed[0][0]) / HOUR if undone else None,
        is_alone=bool(undone) and learner.standing.champion == NONE,
    )
