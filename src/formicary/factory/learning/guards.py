"""What must not happen while a model decides, seen without waiting for labels.

A guard compares what was really scored in a span of time with what the model before it would have said of the
same rows: whatever made those rows unusual is the same for both, so that a busy day alarms nobody.
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
from formicary.factory.learning.gates import daily_gains
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.rows import Rows

__all__ = ["Alarm", "Seen", "alarms", "money_alarm"]

Reals: TypeAlias = npt.NDArray[np.float64]

_ROWS_MIN: Final = 200
"""Of fewer rows shares say nothing."""
_MISSING_MAX: Final = 0.001
_SKEWED_MAX: Final = 0.001
"""While a challenger is let in further, a few rows are still scored as before."""
_STOPPED_MORE: Final = 0.005
"""Some times as many are stopped as before, and half a percent of all more."""
_CHANCE: Final = 4.0
"""And so many standard errors of a share, as the hours of one day have few rows."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must not be: what was measured, where the bound is, and what that means in words."""

    name: str
    figure: float
    bound: float
    said: str


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
        What the model before says of them, (n,).
    """

    rows: Rows
    scored: Reals
    own: Reals
    before: Reals


def alarms(seen: Seen, plan: LearningPlan) -> Iterator[Alarm]:
    """Go through what is wrong with what was scored; of very few rows nothing is told."""
    if len(seen.rows) < _ROWS_MIN:
        return
    missing = float(np.isnan(seen.scored).mean())
    if missing > _MISSING_MAX:
        yield _alarm("missing", missing, _MISSING_MAX, f"{missing:.1%} of rows have no score")
        return
    amounts = seen.rows.amounts
    now, before = (float(plan.worth.stops(chances, amounts).mean()) for chances in (seen.scored, seen.before))
    chance = _CHANCE * math.sqrt(now * (1 - now) / len(amounts))
    bound = before * plan.stopped_times_max + _STOPPED_MORE + chance
    if now > bound:
        yield _alarm(
            "stopped", now, bound, f"{now:.2%} of rows are stopped, by the model before {before:.2%}"
        )
    is_same = (seen.scored == seen.own) | (np.isnan(seen.scored) & np.isnan(seen.own))
    skewed = float((~is_same).mean())
    if skewed > _SKEWED_MAX:
        yield _alarm(
            "skew", skewed, _SKEWED_MAX, f"{skewed:.1%} of scores are not those of the model that decides"
        )


def money_alarm(seen: Seen, plan: LearningPlan) -> Iterator[Alarm]:
    """Tell whether rows with labels earned less than by the model before, and not by chance."""
    known = seen.rows.is_known & ~np.isnan(seen.scored)
    rows = seen.rows.chosen(known)
    ours, theirs = (
        plan.worth.values(plan.worth.stops(chances[known], rows.amounts), rows.labels, rows.amounts)
        for chances in (seen.scored, seen.before)
    )
    losses = daily_gains(rows.at, rows.counted(theirs - ours))
    bound = _sure(losses, plan)
    if bound > 0:
        yield _alarm("money", bound, 0.0, f"at least {bound:,.0f} a day less than by the model before")


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
