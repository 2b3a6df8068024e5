"""What a challenger must show before it is let near a decision: every gate with its figure and its bound.

A contest is judged by rows whose labels are known and which the challenger did not learn from. Money is
compared day by day on the same rows, so that what made a day good or bad for both cancels out; the lower
bound of the mean of the days' gains is Student's, one-sided. What is new since today has one day only: after
an alarm blocks of parties take the place of days.
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

__all__ = ["Contest", "Gate", "Shown", "contest_gates", "daily_gains", "lower_bound"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_BP: Final = 10_000
_PARTIES_MIN: Final = 30
"""Of fewer whose money changed, a sum is far from normal."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: what was measured, where the bound is, and what that means in words."""

    name: str
    is_passed: bool
    figure: float
    bound: float
    said: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a challenger showed beside its gates: it informs, and stands against nothing."""

    name: str
    figure: float
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
    blocks
        (n,) which rows are added up before they are compared; None for those of each day.
    """

    rows: Rows
    challenger: Reals
    champion: Reals | None
    challengers: int = 1
    blocks: Words | None = None

    @property
    def block_of(self) -> Words:
        """The block (n,) of each row."""
        return self.rows.at // DAY if self.blocks is None else self.blocks

    def stopped(self, plan: LearningPlan) -> tuple[Flags, Flags]:
        """Return which rows (n,) the challenger stops, and which the champion."""
        amounts = self.rows.amounts
        ours = plan.worth.stops(self.challenger, amounts)
        if self.champion is None:
            return ours, np.zeros(len(ours), np.bool_)
        return ours, plan.worth.stops(self.champion, amounts)

    def gains(self, plan: LearningPlan) -> Words:
        """Return by how much each row (n,), with all that it stands for, is worth more with the challenger.

        In minor units.
        """
        ours, theirs = (
            plan.worth.values(stopped, self.rows.labels, self.rows.amounts) for stopped in self.stopped(plan)
        )
        return self.rows.counted(ours - theirs)


def daily_gains(at: Words, gains: Words) -> Words:
    """Return the sum of gains (n,), at least one, of each day that has a row, by times (n,) that ascend."""
    return _sums(at // DAY, gains)


def _sums(blocks: Words, gains: Words) -> Words:
    """Return the sum of gains (n,), at least one, of each block that has a row."""
    order = np.argsort(blocks, kind="stable")
    _, firsts = np.unique(blocks[order], return_index=True)
    return np.asarray(np.add.reduceat(gains[order], firsts), np.int64)


def lower_bound(blocks: npt.NDArray[Any], confidence: float) -> float:
    """Return what the mean of blocks (k,) lies above, with a confidence; minus infinity below two."""
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
    days = _sums(contest.block_of, contest.gains(plan))
    share = 1 - (1 - plan.confidence) / contest.challengers
    bound = lower_bound(days, share)
    block = "day" if contest.blocks is None else "block"
    beside = "letting everything pass" if contest.champion is None else "the champion"
    return Gate(
        name="money",
        is_passed=len(days) >= plan.judged_days and bound > 0,
        figure=bound,
        bound=0.0,
        said=(
            f"beside {beside} {days.mean():,.0f} more a {block} in {len(days)} of them, "
            f"at least {bound:,.0f} with a confidence of {share:.1%}"
        ),
    )


def _segments(contest: Contest, plan: LearningPlan) -> Iterator[Gate]:
    gains, rows, blocks = contest.gains(plan), contest.rows, contest.block_of
    for name in plan.segments:
        codes = rows.segments[name]
        beyond = {
            str(code): _beyond(rows.chosen(codes == code), blocks[codes == code], gains[codes == code], plan)
            for code in np.unique(codes).tolist()
        }
        worst = max(beyond, key=beyond.__getitem__)
        yield Gate(
            name=f"segment {name}",
            is_passed=beyond[worst] <= 0,
            figure=beyond[worst],
            bound=0.0,
            said=f"the worst is {worst}: surely {max(beyond[worst], 0):,.0f} more lost than may be",
        )


def _beyond(rows: Rows, blocks: Words, gains: Words, plan: LearningPlan) -> float:
    """Return how much more than may be is lost with the rows (n) of a segment, chance taken off."""
    stake = int(rows.counted(rows.amounts)[rows.labels == 1].sum())
    return _surely_lost(rows, blocks, gains, plan) - stake * plan.segment_loss_bp / _BP


def _surely_lost(rows: Rows, blocks: Words, gains: Words, plan: LearningPlan) -> float:
    """Return what is lost at least, by days or by parties, whichever tells more.

    There are few days, which need not be alike; parties are many, and each may have one bad day. Of few whose
    money changed the sum is not normal.
    """
    days = -_sums(blocks, gains)
    lost = lower_bound(days, plan.confidence) * len(days)
    _, party_of = np.unique(np.ascontiguousarray(rows.parties).view("V16")[:, 0], return_inverse=True)
    parties = -_sums(party_of, gains)
    if np.count_nonzero(parties) >= _PARTIES_MIN:
        lost = max(lost, lower_bound(parties, plan.confidence) * len(parties))
    return lost


def _calibration(contest: Contest, plan: LearningPlan) -> Gate:
    weights = contest.rows.weights
    positive = weights[contest.rows.labels == 1]
    expected, found = float((contest.challenger * weights).sum()), float(positive.sum())
    off = expected / max(found, 1) - 1
    # By chance alone a count is off by its square root, and one by weights by more.
    by_chance = math.sqrt(float((positive**2).sum())) / found if found else 1.0
    bound = max(plan.miscalibration_max, 3 * by_chance)
    return Gate(
        name="calibration",
        is_passed=abs(off) <= bound,
        figure=off,
        bound=bound,
        said=f"{expected:,.0f} positives expected, {found:,} found: {off:+.1%}",
    )


def _flips(contest: Contest, plan: LearningPlan) -> Gate:
    ours, theirs = contest.stopped(plan)
    # The first one turns over nobody's decisions.
    is_turned = (ours != theirs) & (contest.champion is not None)
    turned = float(np.average(is_turned, weights=contest.rows.weights))
    return Gate(
        name="flips",
        is_passed=turned <= plan.flips_max,
        figure=turned,
        bound=plan.flips_max,
        said=f"{turned:.2%} of decisions turn over",
    )
