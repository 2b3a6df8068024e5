"""What a challenger must show before it is let near a decision: every gate with its figure and its bound.

A contest is judged by rows whose labels are known and which the challenger did not learn from. Money is
compared day by day on the same rows, so that what made a day good or bad for both cancels out; the lower bound
of the mean of the days' gains is Student's, one-sided.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows

__all__ = ["Contest", "Gate", "contest_gates", "daily_gains", "lower_bound", "passed"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_BP: Final = 10_000


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: what was measured, where the bound is, and what that means in words."""

    name: str
    is_passed: bool
    figure: float
    bound: float
    said: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """A challenger beside the champion on the same rows.

    Attributes
    ----------
    rows
        (n), all of them with a label.
    challenger, champion
        Their chances, (n,); None where there is no champion: then nothing is stopped.
    challengers
        How many are judged on this day: they share the confidence.
    """

    rows: Rows
    challenger: Reals
    champion: Reals | None
    challengers: int = 1

    def stopped(self, plan: LearningPlan) -> tuple[Flags, Flags]:
        """Return which rows (n,) the challenger stops, and which the champion."""
        amounts = self.rows.amounts
        ours = plan.worth.stops(self.challenger, amounts)
        if self.champion is None:
            return ours, np.zeros(len(ours), np.bool_)
        return ours, plan.worth.stops(self.champion, amounts)

    def gains(self, plan: LearningPlan) -> Words:
        """Return by how much each row (n,) is worth more with the challenger, in minor units."""
        ours, theirs = (
            plan.worth.values(stopped, self.rows.labels, self.rows.amounts) for stopped in self.stopped(plan)
        )
        return ours - theirs


def passed(gates: list[Gate]) -> bool:
    """Tell whether nothing stands against a challenger."""
    return all(gate.is_passed for gate in gates)


def daily_gains(at: Words, gains: Words) -> Words:
    """Return the sum of gains (n,) of each day that has a row, (days,), by times (n,) that ascend."""
    _, firsts = np.unique(at // DAY, return_index=True)
    return np.add.reduceat(gains, firsts) if len(gains) else gains


def lower_bound(blocks: npt.NDArray[Any], confidence: float) -> float:
    """Return what the mean of blocks (k,) lies above, with a confidence; minus infinity for fewer than two."""
    count = len(blocks)
    if count < 2:  # noqa: PLR2004, one block has no spread
        return -math.inf
    spread = float(np.std(blocks, ddof=1)) / math.sqrt(count)
    return float(np.mean(blocks)) - float(stdtrit(count - 1, confidence)) * spread


def contest_gates(contest: Contest, plan: LearningPlan) -> list[Gate]:
    """Return the gates that a contest decides: money, segments, calibration, turned decisions."""
    return [
        _money(contest, plan),
        *_segments(contest, plan),
        _calibration(contest, plan),
        _flips(contest, plan),
    ]


def _money(contest: Contest, plan: LearningPlan) -> Gate:
    blocks = daily_gains(contest.rows.at, contest.gains(plan))
    share = 1 - (1 - plan.confidence) / contest.challengers
    bound = lower_bound(blocks, share)
    enough = len(blocks) >= plan.judged_days
    beside = "letting everything pass" if contest.champion is None else "the champion"
    return Gate(
        name="money",
        is_passed=enough and bound > 0,
        figure=bound,
        bound=0.0,
        said=(
            f"beside {beside}, {np.mean(blocks) if len(blocks) else 0:,.0f} more a day on {len(blocks)} days, "
            f"at least {bound:,.0f} with a confidence of {share:.1%}"
        ),
    )


def _segments(contest: Contest, plan: LearningPlan) -> Iterator[Gate]:
    """Go through segments: of each the loss may be so much of what is at stake, or within its own noise."""
    gains, rows = contest.gains(plan), contest.rows
    for name in plan.segments:
        worst, where, bound = math.inf, "none", 0.0
        for segment in np.unique(rows.segments[name]).tolist():
            within = rows.segments[name] == segment
            stake = int(rows.amounts[within & (rows.labels == 1)].sum())
            allowed = -stake * plan.segment_loss_bp / _BP
            of_segment = daily_gains(rows.at[within], gains[within])
            # Of few rows a loss may be chance: it counts where it is more than that.
            upper = -lower_bound(-of_segment, plan.confidence) * len(of_segment)
            shown = max(float(of_segment.sum()), allowed) if upper > allowed else float(of_segment.sum())
            if shown - allowed < worst:
                worst, where, bound = shown - allowed, str(segment), allowed
        yield Gate(
            name=f"segment {name}",
            is_passed=worst >= 0,
            figure=worst + bound if math.isfinite(worst) else 0.0,
            bound=bound,
            said=f"the worst is {where}: {worst + bound if math.isfinite(worst) else 0:,.0f}, of {bound:,.0f}",
        )


def _calibration(contest: Contest, plan: LearningPlan) -> Gate:
    expected, found = float(contest.challenger.sum()), int((contest.rows.labels == 1).sum())
    off = expected / max(found, 1) - 1
    # By chance alone a count is off by its square root.
    bound = max(plan.miscalibration_max, 3 / math.sqrt(max(found, 1)))
    return Gate(
        name="calibration",
        is_passed=abs(off) <= bound,
        figure=off,
        bound=bound,
        said=f"{expected:,.0f} positives expected, {found:,} found: {off:+.1%}",
    )


def _flips(contest: Contest, plan: LearningPlan) -> Gate:
    ours, theirs = contest.stopped(plan)
    turned = float((ours != theirs).mean()) if len(ours) else 0.0
    return Gate(
        name="flips",
        is_passed=turned <= plan.flips_max,
        figure=turned,
        bound=plan.flips_max,
        said=f"{turned:.2%} of decisions turn over",
    )
