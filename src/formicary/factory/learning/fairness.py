"""Whether a challenger passes groups alike that it must not know, and which of several does so most.

A group is a segment of the rows that is no column of the model, such as sex or age. That a row is not
stopped is the approval; ratios, differences and their verdicts are those of ``monitoring.fairness``. Equal
opportunity is a gate only where a plan bounds it: of rows that were stopped only some outcomes are told, and
whether theirs tell of all of them is for whoever makes the plan to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.gates import Contest, Flags, Gate
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.monitoring.fairness import (
    FOUR_FIFTHS,
    FairnessReport,
    FairnessVerdict,
    approval_ratio,
    equal_opportunity,
)

__all__ = ["fairness_gates", "group_names", "least_ratio"]

Names: TypeAlias = npt.NDArray[np.str_]

_GATE: Final = "fairness "
_ALIKE: Final = 1.0
"""In place of a ratio that cannot be told."""


def fairness_gates(contest: Contest, plan: LearningPlan) -> Iterator[Gate]:
    """Go through the groups of a plan: none may surely be passed under four fifths as often as another.

    Nor, where a plan bounds it, good rows of one more seldom than those of another. Where the champion does
    no better, that does not stand against the challenger: it would stay the champion.
    """
    ours, theirs = contest.stopped(plan)
    for name in plan.groups:
        groups = group_names(contest.rows.segments[name])
        found, before = (_report(~stopped, groups) for stopped in (ours, theirs))
        is_no_worse = contest.champion is not None and _ratio(found) >= _ratio(before)
        yield Gate(
            name=f"{_GATE}{name}",
            is_passed=found.verdict != FairnessVerdict.ADVERSE or is_no_worse,
            figure=_ratio(found),
            bound=FOUR_FIFTHS,
            said=(
                f"who is passed least often is so {_ratio(found):.2f} times as often as {found.best}: "
                f"{found.verdict}; by the champion {_ratio(before):.2f} times"
            ),
        )
        if plan.opportunity_difference_max:
            yield _opportunity(contest, plan, name, groups)


def _opportunity(contest: Contest, plan: LearningPlan, name: str, groups: Names) -> Gate:
    found, before = (
        equal_opportunity(
            approved=~stopped,
            labels=contest.rows.labels,
            groups=groups,
            limit=plan.opportunity_difference_max,
        )
        for stopped in contest.stopped(plan)
    )
    ours, theirs = (one.measure or 0.0 for one in (found, before))
    is_no_worse = contest.champion is not None and ours <= theirs
    return Gate(
        name=f"opportunity {name}",
        is_passed=found.verdict != FairnessVerdict.ADVERSE or is_no_worse,
        figure=ours,
        bound=plan.opportunity_difference_max,
        said=(
            f"good rows of one group are passed {ours:.1%} less often than those of {found.best}: "
            f"{found.verdict}; by the champion {theirs:.1%}"
        ),
    )


def group_names(codes: npt.NDArray[Any]) -> Names:
    """Return the names of the groups or segments (n,) that rows belong to."""
    known, places = np.unique(codes, return_inverse=True)
    return np.array([str(one) for one in known.tolist()], np.str_)[places]


def least_ratio(gates: Sequence[Gate]) -> float:
    """Return the least of the ratios that gates tell, 1 where none does."""
    return min((gate.figure for gate in gates if gate.name.startswith(_GATE)), default=_ALIKE)


def _report(approved: Flags, groups: Names) -> FairnessReport:
    return approval_ratio(approved=approved, groups=groups)


def _ratio(report: FairnessReport) -> float:
    return _ALIKE if report.measure is None else report.measure
