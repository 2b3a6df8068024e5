"""What must not happen while a model decides, seen without waiting for labels.

A guard compares what was really scored in a span of time with what the model before it would have said of the
same rows: whatever made those rows unusual is the same for both, so that a busy day alarms nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.learning.gates import daily_gains, lower_bound
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.rows import Rows

__all__ = ["Alarm", "Seen", "alarms", "money_alarm"]

Reals: TypeAlias = npt.NDArray[np.float64]

_ROWS_MIN: Final = 200
"""Of fewer rows shares say nothing."""
_DRIFT_BINS: Final = 10
_DRIFT_MAX: Final = 0.25
"""A population stability index above it is called a major shift by the industry's rule of thumb (Siddiqi,
*Credit Risk Scorecards*, 2006)."""
_MISSING_MAX: Final = 0.001
_STOPPED_TIMES_MAX: Final = 2.0
_STOPPED_MORE: Final = 0.005
"""Twice as many are stopped, and half a percent of all more."""


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
    before
        What the model before says of the same rows, (n,).
    """

    rows: Rows
    scored: Reals
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
    bound = before * _STOPPED_TIMES_MAX + _STOPPED_MORE
    if now > bound:
        yield _alarm(
            "stopped", now, bound, f"{now:.2%} of rows are stopped, by the model before {before:.2%}"
        )
    drift = stability_index(seen.before, seen.scored)
    if drift > _DRIFT_MAX:
        yield _alarm("scores", drift, _DRIFT_MAX, f"scores are not spread as before: {drift:.2f}")


def money_alarm(seen: Seen, plan: LearningPlan) -> Iterator[Alarm]:
    """Tell whether rows with labels earned less than the model before would have, more surely than by chance."""
    known = seen.rows.is_known & ~np.isnan(seen.scored)
    rows = seen.rows.chosen(known)
    ours, theirs = (
        plan.worth.values(plan.worth.stops(chances[known], rows.amounts), rows.labels, rows.amounts)
        for chances in (seen.scored, seen.before)
    )
    losses = daily_gains(rows.at, theirs - ours)
    bound = lower_bound(losses, plan.confidence)
    if len(losses) >= plan.judged_days and bound > 0:
        yield _alarm("money", bound, 0.0, f"at least {bound:,.0f} a day less than by the model before")


def stability_index(expected: Reals, found: Reals) -> float:
    """Return the population stability index of chances (n,) and (m,), over the deciles of those expected."""
    ends = np.unique(np.quantile(expected, np.linspace(0, 1, _DRIFT_BINS + 1)[1:-1]))
    shares = [
        (np.bincount(np.searchsorted(ends, one), minlength=len(ends) + 1) + 0.5) / (len(one) + 0.5)
        for one in (expected, found)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _alarm(name: str, figure: float, bound: float, said: str) -> Alarm:
    return Alarm(name=name, figure=figure, bound=bound, said=said)
