"""A fraud that nobody has seen: how soon it alarms, what is held meanwhile, when a model has learnt it.

::

    champion learns ─── quiet days, looked at ──┬── the new kind of bad rows, from some minute after 10 on
                                                │     an alarm; rows like those are held
                                                ├── labels of its first day are known
                                                │     trained at once, by parties
                                                └── the new champion decides

Three times an hour the last hour is looked at. Beside it live two others on the same rows: a learner that
never looks within a day and goes by its schedule, and the champion of the first day, which is never trained
again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.incoming import Surge
from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import Happened, Stage, StageEntered
from formicary.factory.learning.worth import Worth
from proofs.learning.worlds import COLUMNS, EXCESS, HOUR, STRANGER, World, drawn_world, merged, spec_of

__all__ = ["ALARM_MINUTES_MAX", "AN_HOUR", "Injected", "injected", "quiet_alarms", "sensed"]

Flags: TypeAlias = npt.NDArray[np.bool_]

_MINUTE: Final = HOUR // 60
AN_HOUR: Final = 30
"""Rows of the attack, beside 125. Of twenty, by chance an hour has fourteen now and then: too few to see."""
_BEGINS: Final = 34 * DAY + 10 * HOUR
"""The hour in which it begins, on a day that nothing else happens on; the minute is drawn."""
_LOOK: Final = HOUR // 3
"""After so long comes the next look at the last hour."""
_QUIET_DAYS: Final = 7
_DAYS: Final = 56
_ROWS_A_DAY: Final = 3_000
_LABEL_DAYS: Final = 5
_SAME_HOURS: Final = 14
_CAUGHT_MIN: Final = 0.8
ALARM_MINUTES_MAX: Final = 60
"""Looks come as they come: the last one within the hour has seen forty minutes of it at least."""

_PLAN: Final = LearningPlan(
    model="lab",
    worth=Worth(lost_bp=10_000, margin_bp=2_000, cost=2_00),
    every_days=28,
    positives_min=800,
    judged_days=7,
    negatives_each=5,
    segments=("region",),
    miscalibration_max=0.5,
    latency_free_ns=5_000,
    # An attack of a fifth of all rows turns so many decisions over, and stops so many rows more.
    flips_max=0.25,
    stopped_times_max=18.0,
    # Whoever is attacked lets a model in after a day of looking on; steps of a canary take a day each.
    canary_shares=(),
)


@dataclass(frozen=True, kw_only=True)
class Injected:
    """What came of an attack.

    Attributes
    ----------
    seed, an_hour
        Which, and of how many rows an hour.
    false_alarms
        Looks of quiet days that alarmed.
    minutes_to_alarm
        From its first row; None for never.
    held, held_good
        Of its rows, from the first alarm to the new champion, the share that was held or stopped; of all
        others in that time, the share that was held.
    labels_day, champion_day
        The midnight at which its first labels were known, and from which on the new champion decided, in days
        since it began; None for never.
    caught, caught_frozen
        Of its rows, on the champion's first day, the share that each stops.
    scheduled_day
        From which on one that goes by its schedule caught four in five, in days since it began.
    """

    seed: int
    an_hour: int
    false_alarms: int
    minutes_to_alarm: float | None
    held: float
    held_good: float
    labels_day: int
    champion_day: int | None
    caught: float
    caught_frozen: float
    scheduled_day: int | None

    @property
    def is_right(self) -> bool:
        """Whether it was seen within the hour, and learnt a day after its labels."""
        return (
            self.minutes_to_alarm is not None
            and self.minutes_to_alarm <= ALARM_MINUTES_MAX
            and self.champion_day is not None
            and self.champion_day - self.labels_day <= 1
            and self.caught >= _CAUGHT_MIN
        )


def attacked(seed: int, an_hour: int) -> tuple[World, Flags, int]:
    """Return a world with an attack, which of its rows (n,) are the attack's, and when it begins."""
    world = drawn_world(seed, days=_DAYS, rows_a_day=_ROWS_A_DAY, label_days=_LABEL_DAYS)
    draw = np.random.default_rng([seed, 3])
    begins = _BEGINS + int(draw.integers(60)) * _MINUTE
    count = an_hour * (_DAYS * DAY - begins) // HOUR
    like = world.rows.chosen(np.sort(draw.choice(len(world.rows), count)))
    values = like.values.copy()
    # Strangers, with amounts that nobody wonders about.
    values[:, STRANGER] = 4.5 + draw.exponential(0.3, count)
    values[:, EXCESS] = draw.normal(-0.3, 0.5, count)
    attack = replace(
        like,
        values=values,
        at=np.sort(draw.integers(begins, _DAYS * DAY, count)),
        labels=np.ones(count, np.int8),
        parties=draw.integers(0, 2**63, (count, 2)).astype(np.uint64),
        segments={"region": values[:, COLUMNS.index("region")].astype(np.int64)},
    )
    is_attack = np.argsort(np.concatenate([world.rows.at, attack.at]), kind="stable") >= len(world.rows)
    return replace(world, rows=merged(world.rows, attack)), is_attack, begins


def injected(seed: int, an_hour: int = AN_HOUR, *, with_schedule: bool = True) -> Injected:
    """Live through an attack of so many rows an hour, if told so with the learner by schedule beside it."""
    world, is_attack, begins = attacked(seed, an_hour)
    quiet = begins // DAY - _QUIET_DAYS
    first = _learner(seed)
    # Nothing decides before: the first is taken as it comes.
    first.plan = replace(_PLAN, miscalibration_max=2.0)
    for day in range(quiet):
        _day(world, first, day)
    learner, scheduled = _again(first, seed), _again(first, seed)
    frozen = first.standing.champion
    alarms, found, told = _looked_at(world, learner, quiet, begins)
    alarmed = next((now for now in alarms if now > begins), None)
    champion = next((now for now, one in told if _is_champion(one)), None)
    until = _DAYS * DAY if champion is None else champion
    began = begins // DAY * DAY
    caught, caught_frozen = 0.0, 0.0
    if champion is not None:
        attack = _attack(world, is_attack, champion, champion + DAY)
        caught, caught_frozen = (
            _stopped(learner, digest, attack) for digest in (learner.standing.champion, frozen)
        )
    held, held_good = _held(world, is_attack, (learner, frozen), found, (alarmed or until, until))
    return Injected(
        seed=seed,
        an_hour=an_hour,
        false_alarms=sum(now <= begins for now in alarms),
        minutes_to_alarm=None if alarmed is None else (alarmed - begins) / _MINUTE,
        held=held,
        held_good=held_good,
        labels_day=_LABEL_DAYS + 1,
        champion_day=None if champion is None else (champion - began) // DAY,
        caught=caught,
        caught_frozen=caught_frozen,
        scheduled_day=_scheduled(world, is_attack, scheduled, quiet) if with_schedule else None,
    )


def sensed(seed: int, an_hour: int) -> float | None:
    """Return the minutes until an attack of so many rows an hour alarms without a model, at most two days."""
    world, _, begins = attacked(seed, an_hour)
    learner = _learner(seed)
    for now in range((begins // _LOOK + 1) * _LOOK, begins + 2 * DAY, _LOOK):
        if _looked(world, learner, now):
            return (now - begins) / _MINUTE
    return None


def quiet_alarms(seed: int, *, days: int = 20) -> tuple[int, list[int]]:
    """Look through days in which nothing is new, without a model: how many looks, and when one alarmed."""
    first, after = _SAME_HOURS * DAY, (_SAME_HOURS + days) * DAY
    world = drawn_world(seed, days=after // DAY, rows_a_day=_ROWS_A_DAY, label_days=_LABEL_DAYS)
    learner = _learner(seed)
    looks = range(first + HOUR, after + 1, _LOOK)
    return len(looks), [now for now in looks if _looked(world, learner, now)]


def _learner(seed: int) -> Learner:
    return Learner(spec_of(seed), _PLAN, clock=time.thread_time_ns)


def _again(learner: Learner, seed: int) -> Learner:
    after = _learner(seed)
    after.standing, after.models = learner.standing, dict(learner.models)
    return after


def _day(world: World, learner: Learner, day: int) -> list[tuple[int, Happened]]:
    now = (day + 1) * DAY
    latest = world.asked(now - DAY, now)
    scored, _ = learner.scored(latest)
    return [(now, one) for one in learner.day(now, world.known(now), latest, scored)]


def _looked_at(
    world: World, learner: Learner, first: int, begins: int
) -> tuple[list[int], list[Surge], list[tuple[int, Happened]]]:
    """Live on, looking again and again, until a new champion decides: alarms, surges, what happened."""
    alarms: list[int] = []
    found: list[Surge] = []
    told: list[tuple[int, Happened]] = []
    for day in range(first, _DAYS):
        for now in range(day * DAY + _LOOK, (day + 1) * DAY + 1, _LOOK):
            surged = _looked(world, learner, now)
            if surged:
                alarms.append(now)
            # What was found by then is held from then on; of quiet days nothing is left.
            found += surged if now > begins and not found else []
        told += _day(world, learner, day)
        if any(_is_champion(one) for _, one in told):
            break
    return alarms, found, told


def _looked(world: World, learner: Learner, now: int) -> list[Surge]:
    """Look at the last hour, beside the same hour of two weeks."""
    ends = now - DAY * np.arange(_SAME_HOURS, 0, -1)
    spans = np.searchsorted(world.rows.at, (ends - HOUR, ends)).T
    before = world.rows.chosen(np.concatenate([np.arange(*span) for span in spans]))
    return learner.look(now, world.asked(now - HOUR, now), before, days=len(spans))[1]


def _is_champion(one: Happened) -> bool:
    return isinstance(one, StageEntered) and one.stage == Stage.CHAMPION


def _attack(world: World, is_attack: Flags, first: int, after: int) -> Rows:
    return world.rows.chosen(is_attack).between(first, after)


def _stopped(learner: Learner, digest: str, rows: Rows) -> float:
    model: Any = learner.models[digest]
    chances = model.calibration.apply(model.forest.raw_scores(rows.values))
    return float(_PLAN.worth.stops(chances, rows.amounts).mean())


def _held(
    world: World,
    is_attack: Flags,
    decides: tuple[Learner, str],
    found: list[Surge],
    span: tuple[int, int],
) -> tuple[float, float]:
    """Return the shares of the attack and of all others that were held or stopped in a span of time."""
    learner, frozen = decides
    shares = []
    for chosen in (is_attack, ~is_attack):
        rows = world.rows.chosen(chosen).between(*span)
        model: Any = learner.models[frozen]
        is_held = np.zeros(len(rows), np.bool_)
        for one in found:
            is_held |= one.holds(rows, COLUMNS)
        if chosen is is_attack:
            chances = model.calibration.apply(model.forest.raw_scores(rows.values))
            is_held |= _PLAN.worth.stops(chances, rows.amounts)
        shares.append(float(is_held.mean()) if len(rows) else 0.0)
    return shares[0], shares[1]


def _scheduled(world: World, is_attack: Flags, learner: Learner, first: int) -> int | None:
    """Return the day, since the attack began, on which one that never looks within a day caught it."""
    began = _BEGINS // DAY
    for day in range(first, _DAYS - 1):
        _day(world, learner, day)
        attack = _attack(world, is_attack, (day + 1) * DAY, (day + 2) * DAY)
        if day >= began and _stopped(learner, learner.standing.champion, attack) >= _CAUGHT_MIN:
            return day + 1 - began
    return None
