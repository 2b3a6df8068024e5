"""Whether a challenger passes groups alike that it must not know, and which of several does so most.

A group is a segment of the rows that is no column of the model, such as sex or age. That a row is not
stopped is the approval; ratios and their limit are those of ``monitoring.fairness``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from formicary.factory.learning.gates import Contest, Flags, Gate
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.monitoring.fairness import (
    FOUR_FIFTHS,
    FairnessReport,
    FairnessVerdict,
    approval_ratio,
)

__all__ = ["fairness_gates", "least_ratio"]

_GATE: Final = "fairness "
_ALIKE: Final = 1.0
"""In place of a ratio that cannot be told."""


def fairness_gates(contest: Contest, plan: LearningPlan) -> Iterator[Gate]:
    """Go through the groups of a plan: none may surely be passed under four fifths as often as another.

    Where the champion does no better, that does not stand against the challenger: it would stay the champion.
    """
    ours, theirs = contest.stopped(plan)
    for name in plan.groups:
        groups = np.array([str(one) for one in contest.rows.segments[name].tolist()])
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


def least_ratio(gates: Sequence[Gate]) -> float:
    """Return the least of the ratios that gates tell, 1 where none does."""
    return min((gate.figure for gate in gates if gate.name.startswith(_GATE)), default=_ALIKE)


def _report(approved: Flags, groups: object) -> FairnessReport:
    return approval_ratio(approved=approved, groups=np.asarray(groups))


def _ratio(report: FairnessReport) -> float:
    return _ALIKE if report.measure is None else report.measure
