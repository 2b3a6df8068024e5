"""What a learner is given of a real journal: rows with what was known of them, and what decided about them.

Rows are those of a training set, features as they were known when each asked and labels as they are known
now, and those that were stopped. The chances are those of the journal's decisions, by the calibration of the
model that gave them. A row that nothing was asked about, as an imported one, one that was trusted, or one at
which no policy asks this model, is among those that are learnt from, and not among those that guards look
at.

Nothing here runs where decisions are made: reading training sets loads pyarrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.limits import BLOCK_ROWS
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.journaled import DecisionSource
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.scores import ByWord, scored_decisions
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.training_set import AskedRows
from formicary.factory.registry.reading import PolicyChange

__all__ = ["Decided", "decided", "fields_of", "rows_of"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """Rows that a model was asked about.

    Attributes
    ----------
    places
        Which of the asked rows they are, (m,), in the order of time.
    scored
        The chances that decided, (m,), NaN where there was none.
    """

    places: Words
    scored: Reals


def fields_of(spec: ModelSpec, plan: LearningPlan, point: DecisionPoint) -> tuple[str, ...]:
    """Return the fields and features that a learner reads beside a model's columns.

    Raises
    ------
    PlanMalformed
        The model's rows are about no money, nobody asks, or a segment is neither a field nor a feature.
    """
    question, on = spec.question, point.on
    if question is None or not question.money or not on.ids:
        message = f"{spec.name}: rows are about money, and of somebody"
        raise PlanMalformed(message)
    unknown = [name for name in plan.parted_by if name not in (*on.numbers, *point.features)]
    if unknown:
        message = f"{spec.name}: {', '.join(unknown)}: segments are fields or features at {point.name}"
        raise PlanMalformed(message)
    return tuple(dict.fromkeys((question.money, on.ids[point.party_column], *plan.parted_by)))


def rows_of(
    asked: AskedRows, spec: ModelSpec, plan: LearningPlan, point: DecisionPoint, weights: Reals
) -> Rows:
    """Return asked rows (n,) with weights (n,) as a learner takes them, ``UNKNOWN`` for no label."""
    money, party, *_ = fields_of(spec, plan, point)
    return Rows(
        values=asked.values,
        at=asked.at,
        amounts=np.nan_to_num(asked.numbers[money]).astype(np.int64),
        labels=np.where(asked.labels < 0, UNKNOWN, asked.labels).astype(np.int8),
        parties=asked.ids[party],
        weights=weights,
        segments={name: asked.numbers[name] for name in plan.parted_by},
    )


def decided(
    source: DecisionSource,
    asked: AskedRows,
    point: DecisionPoint,
    policies: Sequence[PolicyChange],
    *,
    model: str,
    models: ByWord,
    since: int,
    moved: int = 0,
) -> Decided:
    """Return the rows after a time, in nanoseconds, that a model was asked about, with its chances.

    Parameters
    ----------
    policies
        All that were armed at the point.
    model, models
        The name of the model, and its versions.
    moved
        The position at which it was settled who decides now: what was decided before it is left out.
    """
    latest = np.flatnonzero((asked.at > since) & (asked.positions > moved))
    places, scored = [np.zeros(0, np.int64)], [np.zeros(0)]
    for first in range(0, len(latest), BLOCK_ROWS):
        some = latest[first : first + BLOCK_ROWS]
        order = some[np.argsort(asked.positions[some], kind="stable")]
        found = scored_decisions(
            source.decisions_before(asked.positions[order]), point, policies, model=model, models=models
        )
        places.append(order[np.searchsorted(asked.positions[order], found.decisions["position"] + 1)])
        scored.append(found.chances)
    joined = np.concatenate(places)
    in_time = np.argsort(joined, kind="stable")
    return Decided(places=joined[in_time], scored=np.concatenate(scored)[in_time])
