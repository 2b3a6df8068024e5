"""What a challenger showed on the rows that judge it, beside the gates: figures that inform.

A gate can fail. What is told here stands against nothing: whether good rows of every group are passed alike
and chances come true in each, where chances are off by segment, how well performance could have been told
without labels, and how far scores and columns are from what they were. Whoever reads later why a challenger
was let in finds them in the same event.

Figures of groups hold as far as the labels do: of rows that were stopped only some outcomes are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.fairness import group_names
from formicary.factory.learning.gates import Contest, Shown
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.monitoring.calibration_by_segment import (
    CalibratedPart,
    CalibrationVerdict,
    calibration_by_segment,
)
from formicary.factory.monitoring.drift import Drift, drift_report
from formicary.factory.monitoring.estimated_performance import (
    STAKES_MAX,
    PerformanceReport,
    Stakes,
    performance,
)
from formicary.factory.monitoring.fairness import equal_opportunity

__all__ = ["evidence_of"]

Reals: TypeAlias = npt.NDArray[np.float64]

_COLUMNS_SHOWN: Final = 3
"""The columns that are farthest from what was learnt."""
_SKETCHED_MAX: Final = 50_000
"""Rows of a side: of more the indices say the same, and take longer."""
_OFF: Final = {CalibrationVerdict.TOO_LOW, CalibrationVerdict.TOO_HIGH}
_BP: Final = 10_000


def evidence_of(
    contest: Contest, plan: LearningPlan, names: tuple[str, ...], learnt: Reals
) -> Iterator[Shown]:
    """Go through what a contest shows.

    Parameters
    ----------
    contest, plan
        Who was judged on which rows, and by which rules.
    names, learnt
        Of the columns, and what the challenger learnt from, (m, columns).
    """
    for name in plan.groups:
        yield _opportunity(contest, plan, name)
    for name in plan.parted_by:
        yield _calibration(contest, name)
    yield from _estimates(contest, plan)
    if contest.champion is not None:
        yield _scores(contest.challenger, contest.champion)
    yield from _columns(names, learnt, contest.rows.values)


# -- groups and segments -------------------------------------------------------------------


def _opportunity(contest: Contest, plan: LearningPlan, name: str) -> Shown:
    stopped, _ = contest.stopped(plan)
    groups = group_names(contest.rows.segments[name])
    found = equal_opportunity(approved=~stopped, labels=contest.rows.labels, groups=groups)
    told = "no two groups to compare"
    if found.measure is not None:
        told = f"of good rows one group is passed {found.measure:.1%} less often than {found.best}"
    return Shown(name=f"opportunity {name}", figure=found.measure or 0.0, said=f"{told}: {found.verdict}")


def _calibration(contest: Contest, name: str) -> Shown:
    parts = calibration_by_segment(
        chances=contest.challenger,
        labels=contest.rows.labels,
        segments=group_names(contest.rows.segments[name]),
    )
    off = [one for one in parts if one.verdict in _OFF]
    unsure = sum(one.verdict == CalibrationVerdict.UNSURE for one in parts)
    told = f"{len(off)} of {len(parts)} parts are off for sure, {unsure} are too few to tell"
    if off:
        told += f"; the farthest is {_told(max(off, key=_distance))}"
    return Shown(name=f"calibration {name}", figure=float(len(off)), said=told)


def _distance(part: CalibratedPart) -> float:
    """Return how far a part's chances are from the nearest share that is not ruled out."""
    return max(part.observed.low - part.expected, part.expected - part.observed.high)


def _told(part: CalibratedPart) -> str:
    which = f"{part.segment}" if not part.part else f"tenth {part.part} of {part.segment}"
    found = part.observed
    return f"{which}, {part.expected:.2%} expected, {found.count:,} of {found.rows:,} found"


# -- performance without labels ------------------------------------------------------------


def _estimates(contest: Contest, plan: LearningPlan) -> Iterator[Shown]:
    """Go through what could have been told of the judged rows before their labels, beside what came."""
    stopped, _ = contest.stopped(plan)
    found = performance(
        chances=contest.challenger,
        labels=contest.rows.labels,
        turned_away=stopped,
        stakes=_stakes(contest.rows, plan),
    )
    said, came = found.estimated_matured, found.realised_matured
    yield Shown(
        name="estimated area",
        figure=said.area_under_roc or 0.0,
        said=f"the area under the curve is {_area(said.area_under_roc)} by the chances alone, "
        f"{_area(came.area_under_roc)} by the labels",
    )
    yield Shown(
        name="estimated missed",
        figure=said.missed,
        said=f"positives let through: {said.missed:,.1f} by the chances alone, {came.missed:,.0f} by the "
        f"labels: {_borne_out(found)}",
    )
    if said.money is not None and came.money is not None:
        yield Shown(
            name="estimated money",
            figure=float(said.money),
            said=f"what is let through earns {said.money:,} by the chances alone, {came.money:,} by the "
            f"labels: {_borne_out(found)}",
        )


def _stakes(rows: Rows, plan: LearningPlan) -> Stakes | None:
    """Return what rows earn and lose, None where sums of it are too large to be told."""
    if int(rows.amounts.max()) * len(rows) > STAKES_MAX // _BP:
        return None
    worth = plan.worth
    return Stakes(
        gains=rows.amounts * worth.margin_bp // _BP,
        losses=rows.amounts * worth.lost_bp // _BP,
    )


def _area(found: float | None) -> str:
    return "not told" if found is None else f"{found:.3f}"


def _borne_out(found: PerformanceReport) -> str:
    return "borne out" if found.is_borne_out else "not borne out"


# -- scores and columns --------------------------------------------------------------------


def _scores(ours: Reals, theirs: Reals) -> Shown:
    (found,) = drift_report({"chance": _some(theirs)}, {"chance": _some(ours)}).columns
    return Shown(
        name="scores", figure=found.psi or 0.0, said=f"chances beside the champion's: {_indices(found)}"
    )


def _columns(names: tuple[str, ...], learnt: Reals, judged: Reals) -> Iterator[Shown]:
    """Go through the columns whose judged rows are farthest from those that were learnt."""
    sides = [dict(zip(names, _some(values).T, strict=True)) for values in (learnt, judged)]
    for found in drift_report(*sides).columns[:_COLUMNS_SHOWN]:
        yield Shown(
            name=f"drift {found.name}",
            figure=found.psi or 0.0,
            said=f"beside the rows that it learnt from: {_indices(found)}: {found.verdict}",
        )


def _indices(found: Drift) -> str:
    distance = "not told" if found.distance_min is None else f"{found.distance_min:.3f} or more"
    return f"stability index {found.psi or 0.0:.3f}, distance {distance}"


def _some(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows (n, ...) spread over all of them, at most so many as are sketched."""
    return rows[:: len(rows) // _SKETCHED_MAX + 1]
