"""How a model goes on learning: when it is trained anew, what a challenger must show, how it is let in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from formicary.base.lots import LOTS
from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.worth import Worth
from formicary.factory.models.spec import ModelSpec

__all__ = ["DAY", "LearningPlan"]

DAY: Final = 86_400_000_000_000
"""A business day in nanoseconds: the learner looks once a day."""

_BLOCKS_MIN: Final = 3
"""Of fewer blocks no spread can be told."""
_PARTED_MAX: Final = 20
"""Segments and, thrice, groups: what is told of them has to find room in one event."""

_ABOVE_ZERO: Final = (
    "miscalibration_max",
    "flips_max",
    "stopped_times_max",
    "first_stopped_max",
    "moved_index_max",
    "latency_ratio_max",
)


@dataclass(frozen=True, kw_only=True)
class LearningPlan:
    """The rules by which a model learns without anybody.

    Attributes
    ----------
    model
        The name of its specification.
    worth
        What stopping a row by its chance is worth: challengers are compared in this money.
    every_days
        The schedule: so many days after a training comes the next.
    positives_min
        So many positives must be known before the first training.
    new_positives_min
        So many new ones since a training make the next one worth while; fewer put it off.
    windows_days
        How far back challengers learn, one challenger each; 0 is everything that is known.
    alarmed_windows_days
        More of them after an alarm: short ones, as what is new is the newest.
    negatives_each
        Of negatives, so many are learnt from for each positive, the rest by their weight; 0 for all.
    judged_days
        The newest days whose labels are known: challengers are judged by them and do not learn from them.
        Each is a block of its own.
    segments
        Names of the rows' segments in which a challenger may not be worse.
    groups
        Names of the rows' segments that are attributes which the model must not know, and whose groups are to
        be passed alike.
    alternative_bp
        Of challengers that pass and earn within this of the best, in basis points of what it earns, the one
        that passes groups most alike is let in.
    opportunity_difference_max
        How much less often good rows of one group may be passed than those of another, as a share; 0 bounds
        nothing, and it is told as a figure only.
    segment_loss_bp
        What may be lost in a segment at most, of the money that is at stake there, in basis points.
    confidence
        Of the lower bound of the gain, one-sided; shared among the challengers of one day.
    miscalibration_max
        By how much of itself the expected number of positives may differ from theirs.
    flips_max
        The share of decisions that may turn over from one champion to the next.
    stopped_times_max
        How many times as many rows as the model before a new one may stop.
    first_stopped_max
        The share of rows that a model may stop where there is none before it.
    moved_index_max
        By so much more than those of the model before may a new champion's chances move, as a population
        stability index beside rows from before it decided.
    latency_ratio_max
        How many times as long as the champion's a score may take.
    latency_free_ns
        What a score may take whatever the champion's does, in nanoseconds: beside a forest of a few trees
        every other one is slow.
    shadow_days
        How long a challenger only looks on.
    canary_shares
        The shares of parties for whom it then decides, in millionths, ascending.
    canary_days
        How long each step takes.
    canary_loss_max
        So much less than the champion would have earned, in minor units, ends a canary.
    watched_days
        How long a new champion is watched beside the one before it.
    cool_down_days
        After a rollback nothing is let in for so long.
    residual_odds
        So many times as high, or as low, as its chances say must the odds be of what the champion lets
        through until it is told of, above 1; 0 looks at none of it.
    drift_index_max
        From which population stability index on a column that the champion reads, or its chance, has drifted;
        0 looks at none of them.
    fast
        The specification of the label that comes fast, with the columns of the slow one: a model of each is
        learnt, and the weight of their scores is chosen on rows from which neither learnt. None for the slow
        label alone.

    Notes
    -----
    What is looked at by ``residual_odds`` and ``drift_index_max`` alarms, and an alarm of any kind makes a
    training due, adds ``alarmed_windows_days`` and tightens guards, until a champion has learnt from it or
    four weeks are over: what the champion earns is watched beside the one before it however long it has
    decided, and a canary may lose half of ``canary_loss_max``. How many rows may be stopped is not tightened,
    as whoever has learnt what is new stops more of it. No alarm lets anything in.

    Raises
    ------
    PlanMalformed
        See ``findings``.
    """

    model: str
    worth: Worth
    every_days: int = 7
    positives_min: int = 100
    new_positives_min: int = 20
    windows_days: tuple[int, ...] = (0,)
    alarmed_windows_days: tuple[int, ...] = (14,)
    negatives_each: int = 20
    judged_days: int = 7
    segments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    alternative_bp: int = 100
    opportunity_difference_max: float = 0.0
    segment_loss_bp: int = 500
    confidence: float = 0.95
    miscalibration_max: float = 0.35
    flips_max: float = 0.05
    stopped_times_max: float = 2.0
    first_stopped_max: float = 0.25
    moved_index_max: float = 0.5
    latency_ratio_max: float = 3.0
    latency_free_ns: int = 2_000
    shadow_days: int = 1
    canary_shares: tuple[int, ...] = (10_000, 50_000, 250_000)
    canary_days: int = 1
    canary_loss_max: int = 2**62
    watched_days: int = 14
    cool_down_days: int = 14
    residual_odds: float = 0.0
    drift_index_max: float = 0.0
    fast: ModelSpec | None = None

    def __post_init__(self) -> None:
        if wrong := list(self.findings()):
            raise PlanMalformed(f"{self.model}: " + "; ".join(wrong))

    @property
    def parted_by(self) -> tuple[str, ...]:
        """By what rows are parted, segments and groups."""
        return (*self.segments, *self.groups)

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        if self.judged_days < _BLOCKS_MIN:
            yield f"at least {_BLOCKS_MIN} days judge, not {self.judged_days}"
        if not self.windows_days or min(*self.windows_days, *self.alarmed_windows_days, 0) < 0:
            yield "challengers learn from a number of days, or from everything (0)"
        shares = (0, *self.canary_shares, LOTS)
        if any(one >= after for one, after in itertools.pairwise(shares)):
            yield f"a canary widens step by step between 0 and {LOTS:,} millionths"
        if not 0 < self.confidence < 1:
            yield f"a confidence lies between 0 and 1, not {self.confidence}"
        yield from self._bounds()
        for name in ("every_days", "positives_min", "shadow_days", "canary_days", "watched_days"):
            if getattr(self, name) < 1:
                yield f"{name} is at least 1, not {getattr(self, name)}"
        for name in _ABOVE_ZERO:
            if not getattr(self, name) > 0:
                yield f"{name} is above zero, not {getattr(self, name)}"

    def _bounds(self) -> Iterator[str]:
        if self.residual_odds and not self.residual_odds > 1:
            yield f"residual_odds are above 1, or 0, not {self.residual_odds}"
        if min(self.drift_index_max, self.opportunity_difference_max) < 0:
            yield "drift_index_max and opportunity_difference_max are not negative"
        if len(self.segments) + 3 * len(self.groups) > _PARTED_MAX:
            yield f"segments, and thrice groups, are {_PARTED_MAX} at most"
