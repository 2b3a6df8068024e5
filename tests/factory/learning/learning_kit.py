"""A small world whose bad rows are told by two columns, and a plan to learn in it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.challengers import Challenger, train_challenger
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.worth import Worth
from formicary.factory.models.spec import Column, ModelSpec

__all__ = ["FIRST", "PLAN", "SPEC", "SmallStream", "clock", "made_challenger", "made_rows"]

FIRST = 20_000
"""The first day of the world, counted from 1970."""
_EACH = 60
_LABEL_DAYS = 2

SPEC = ModelSpec(
    name="default",
    owner="tests",
    predicts="The chance that it comes out badly.",
    columns=(
        Column(name="debt", reason="The debt is high.", monotone=1),
        Column(name="age", reason="The account is young."),
        Column(name="noise", reason="It counted against it."),
    ),
    trials=1,
    seed=3,
    search=(("num_leaves", (4,)), ("min_data_in_leaf", (10,)), ("learning_rate", (0.1,))),
)
PLAN = LearningPlan(
    model=SPEC.name,
    worth=Worth(lost_bp=10_000, margin_bp=3_000, cost=100),
    every_days=3,
    positives_min=40,
    new_positives_min=5,
    judged_days=4,
    negatives_each=4,
    segments=("region",),
    segment_loss_bp=2_000,
    miscalibration_max=0.6,
    flips_max=0.3,
    first_stopped_max=0.5,
    latency_ratio_max=50.0,
    canary_shares=(100_000, 500_000),
    canary_days=1,
    watched_days=4,
    cool_down_days=5,
)


def clock() -> int:
    """Return a time at which nothing takes any: what scoring takes is nobody's business here."""
    return 0


def made_rows(
    days: int, *, first: int = FIRST, each: int = _EACH, seed: int = 0, turned: bool = False
) -> Rows:
    """Return so many rows a day; where ``turned``, what was good is bad."""
    count = days * each
    chance = np.random.default_rng(seed)
    debt, age = chance.normal(size=count), chance.normal(size=count)
    odds = (2.0 * debt - 1.5 * age) * (-1 if turned else 1) - 2.0
    labels = (chance.random(count) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    at = first * DAY + np.arange(count) * (DAY // each)
    return Rows(
        values=np.column_stack([debt, age, chance.normal(size=count)]),
        at=at,
        amounts=chance.integers(1_000, 50_000, count),
        labels=labels,
        parties=chance.integers(0, 2**64, (count, 2), np.uint64),
        segments={"region": chance.integers(0, 2, count)},
    )


@cache
def made_challenger(seed: int = 0, days: int = 16, *, turned: bool = False) -> Challenger:
    """Return what a real training of some days comes to, without a champion beside it."""
    rows = made_rows(days, seed=seed, turned=turned)
    return train_challenger(replace(SPEC, seed=seed), PLAN, rows, None, window_days=0, clock=clock)


class SmallStream:
    """The world day by day; labels are known two days late."""

    spec = SPEC
    plan = PLAN

    def __init__(self, days: int) -> None:
        self.first, self.after = FIRST, FIRST + days
        self.seen: list[tuple[int, int]] = []
        self._rows = made_rows(days)

    def asked(self, day: int) -> Rows:
        """Return the rows of a day, without labels."""
        rows = self._rows.between(day * DAY, (day + 1) * DAY)
        return replace(rows, labels=np.full(len(rows), UNKNOWN, np.int8))

    def looked_at(self, day: int, _: Rows, scored: npt.NDArray[Any]) -> None:
        """Note how many rows were scored."""
        self.seen.append((day, int((~np.isnan(scored)).sum())))

    def labels(self, rows: int, now: int) -> npt.NDArray[np.int8]:
        """Return the labels that are known by a time."""
        labels = self._rows.labels[:rows].copy()
        labels[self._rows.at[:rows] > now - _LABEL_DAYS * DAY] = UNKNOWN
        return labels
