"""What must not happen while a model decides, seen without waiting for labels.

A guard compares what was really scored in a span of time with what the model before it would have said of the
same rows: whatever made those rows unusual is the same for both, so that a busy day alarms nobody. A first
model has nothing before it and is compared with that: with rules alone, which stop nothing by a chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from formicary.factory.experiments.sequences import lower_critical_values, mixture_parties
from formicary.factory.features.quality.drift import stability
from formicary.factory.features.quality.sketch import sketch_of
from formicary.factory.learning.gates import daily_gains
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.timing import Nanoseconds, best_times
from formicary.factory.models.forest import Forest

__all__ = ["Alarm", "Before", "Seen", "alarms", "latency_alarm", "money_alarm", "moved_index"]

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_ROWS_MIN: Final = 200
"""Of fewer rows shares say nothing."""
_MISSING_MAX: Final = 0.001
_SKEWED_MAX: Final = 0.001
"""While a challenger is let in further, a few rows are still scored as before."""
_STOPPED_MORE: Final = 0.005
"""Some times as many are stopped as before, and half a percent of all more."""
_CHANCE: Final = 4.0
"""And so many standard errors of a share, as the hours of one day have few rows."""
_TIMED_ROWS: Final = 512


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must not be: what was measured, where the bound is, and what that means in words."""

    name: str
    figure: float
    bound: float
    said: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Before:
    """What the model before says of rows.

    Attributes
    ----------
    chances
        (n,).
    moved
        By how much more the chances of the model that decides moved since it began than those of this one:
        the difference of their stability indices.
    """

    chances: Reals
    moved: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """Rows as they were decided about.

    Attributes
    ----------
    rows
        (n).
    scored
        The chances that decided, (n,), NaN where there was none.
    own
        What the models that decided say of the same rows when they are asked again, (n,).
    before
        What the model before says of them; None where there is none.
    """

    rows: Rows
    scored: Reals
    own: Reals
    before: Before | None = None

    @property
    def _before(self) -> Reals:
        # Who says nothing stops nothing.
        return np.full(len(self.rows), np.nan) if self.before is None else self.before.chances

    def stopped(self, plan: LearningPlan) -> tuple[Flags, Flags]:
        """Return which rows (n,) were stopped, and which the model before would have stopped."""
        amounts = self.rows.amounts
        return plan.worth.stops(self.scored, amounts), plan.worth.stops(self._before, amounts)


def alarms(seen: Seen, plan: LearningPlan) -> Iterator[Alarm]:
    """Go through what is wrong with what was scored; of very few rows nothing is told."""
    if len(seen.rows) < _ROWS_MIN:
        return
    missing = float(np.isnan(seen.scored).mean())
    if missing > _MISSING_MAX:
        yield _alarm("missing", missing, _MISSING_MAX, f"{missing:.1%} of rows have no score")
        return
    yield from _stopped(seen, plan)
    is_same = (seen.scored == seen.own) | (np.isnan(seen.scored) & np.isnan(seen.own))
    skewed = float((~is_same).mean())
    if skewed > _SKEWED_MAX:
        yield _alarm(
            "skew", skewed, _SKEWED_MAX, f"{skewed:.1%} of scores are not those of the model that decides"
        )
    if seen.before is not None and seen.before.moved > plan.moved_index_max:
        moved = seen.before.moved
        yield _alarm(
            "scores",
            moved,
            plan.moved_index_max,
            f"its chances lie elsewhere than before it decided, by an index {moved:.2f} above that of the "
            "model before",
        )


def _stopped(seen: Seen, plan: LearningPlan) -> Iterator[Alarm]:
    """Tell whether too many are stopped: beside the model before, or without one beside all."""
    now, before = (float(stopped.mean()) for stopped in seen.stopped(plan))
    chance = _CHANCE * math.sqrt(now * (1 - now) / len(seen.rows))
    if seen.before is None:
        bound, others = plan.first_stopped_max, "there is no model before"
    else:
        bound = before * plan.stopped_times_max + _STOPPED_MORE
        others = f"by the model before {before:.2%}"
    if now > bound + chance:
        yield _alarm("stopped", now, bound + chance, f"{now:.2%} of rows are stopped, {others}")


def moved_index(reference: Reals, chances: Reals) -> float:
    """Return the stability index of chances (m,) beside those of other rows (n,); 0 where they are few."""
    if min(len(reference), len(chances)) < _ROWS_MIN:
        return 0.0
    return stability(sketch_of(reference), sketch_of(chances)).index


def latency_alarm(
    ours: Forest, theirs: Forest, rows: Rows, plan: LearningPlan, clock: Nanoseconds
) -> Iterator[Alarm]:
    """Tell whether rows that were decided about take too long, beside the model before on the same machine.

    The gate of the same name looked at other rows, and maybe on another machine.
    """
    values = rows.values[-_TIMED_ROWS:]
    if not len(values):
        return
    mine, before = best_times([ours, theirs], values, clock)
    ratio = mine / max(before, 1)
    if ratio > plan.latency_ratio_max and mine > plan.latency_free_ns * len(values):
        took = f"{mine / len(values) / 1_000:.1f} µs a row, {ratio:.2f} times the model before"
        yield _alarm("latency", ratio, plan.latency_ratio_max, took)


def money_alarm(seen: Seen, plan: LearningPlan) -> Iterator[Alarm]:
    """Tell whether rows with labels earned less than by the model before, or by none, and not by chance."""
    known = seen.rows.is_known & ~np.isnan(seen.scored)
    rows = seen.rows.chosen(known)
    ours, theirs = (
        plan.worth.values(stopped[known], rows.labels, rows.amounts) for stopped in seen.stopped(plan)
    )
    losses = daily_gains(rows.at, rows.counted(theirs - ours))
    bound = _sure(losses, plan)
    if bound > 0:
        than = "without a model" if seen.before is None else "by the model before"
        yield _alarm("money", bound, 0.0, f"at least {bound:,.0f} a day less than {than}")


def _sure(losses: npt.NDArray[np.int64], plan: LearningPlan) -> float:
    """Return what the mean of daily losses (k,) lies above, however often one looks.

    A confidence sequence; of few days the spread itself is uncertain, so that it is as much wider as
    Student's interval is than the normal one.
    """
    count, alpha = len(losses), 1 - plan.confidence
    if count < plan.judged_days:
        return -math.inf
    mixture = mixture_parties(plan.watched_days, 2 * alpha)
    wide = float(lower_critical_values(count, mixture, alpha))
    wide *= float(stdtrit(count - 1, plan.confidence) / ndtri(plan.confidence))
    return float(losses.mean()) - wide * float(np.std(losses, ddof=1)) / math.sqrt(count)


def _alarm(name: str, figure: float, bound: float, said: str) -> Alarm:
    return Alarm(name=name, figure=figure, bound=bound, said=said)
