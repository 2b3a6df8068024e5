"""Two kinds of labels, each with its model, whose scores are one.

::

    labels of everybody, late    ├───── slow model ─────┼ chooses the weight ┼──── judged ────┤
    labels of few, at once       ├───── fast model ─────┤                    ┆                ┆
                                 ├───── fast model, the same again ──────────┤                ┆
    the released fast model      ├───────────────────────────────────────────┴────────────────┴── newest ──┤

What people looked at has a label at once, and only because some model had alerted them to it; a model of
both kinds of rows would forget the few. So each kind has its model, and their scores are averaged by a weight
that is chosen on rows with slow labels from which neither has learnt (``monitoring.combined``). The weighted
sum of raw scores is one forest (``models.combined_forest``): one version, one hash, one calibration on top.

Where there is too little of the fast kind, or both are no better than the slow one alone on rows that are
later than those that chose the weight, the slow model is alone.

Nothing here runs where decisions are made: it loads LightGBM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import lightgbm
import numpy as np
import numpy.typing as npt

from formicary.factory.learning.errors import PlanMalformed
from formicary.factory.learning.gates import Shown
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.tables import table_beside
from formicary.factory.models.combined_forest import combined_forest
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.forest import Forest, forest_of
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import Categories, TrainingTable
from formicary.factory.models.trainer import Trained, refitted, train_forest
from formicary.factory.monitoring.combined import choose_weight, combined

__all__ = ["Fast", "Fitted", "fitted"]

Reals: TypeAlias = npt.NDArray[np.float64]

_WHOLE: Final = 100
_END: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Fast:
    """A model of fast labels.

    Attributes
    ----------
    spec, trained
        Of it; it learnt from rows before those that chose the weight.
    rows
        All that were looked at, as far back as is learnt from.
    weight
        How much it counts, in percent, above zero.
    """

    spec: ModelSpec
    trained: Trained
    rows: Rows
    weight: int

    def again(self, categories: Categories, negatives_each: int, until: int) -> lightgbm.Booster:
        """Return it learnt from all rows that asked before a time, in nanoseconds: no search."""
        rows = self.rows.between(0, until)
        table = table_beside(self.spec, rows, categories, negatives_each=negatives_each)
        return refitted(self.spec, table, self.trained)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """What a training came to: a model of slow labels, and where it is of use one of fast ones.

    Attributes
    ----------
    spec, plan, table, slow
        Of the model of slow labels, and what it learnt from.
    fast
        None where the slow one is alone.
    left_out
        (n,) the score of each row of the slow one's table by forests that did not learn from it; NaN for a
        row that was never left out.
    shown
        What is told of it.
    """

    spec: ModelSpec
    plan: LearningPlan
    table: TrainingTable
    slow: Trained
    fast: Fast | None
    left_out: Reals
    shown: tuple[Shown, ...]

    def judged(self, border: int) -> Forest:
        """Return the forest of rows that asked before a time, in nanoseconds, of what is judged after it."""
        return self.forest([self.slow.booster, *self._fast_again(self.table, border)])

    def again(self, table: TrainingTable) -> list[lightgbm.Booster]:
        """Return the boosters learnt anew: from a table of slow labels, and from all fast ones."""
        return [refitted(self.spec, table, self.slow), *self._fast_again(table, _END)]

    def forest(self, boosters: Sequence[lightgbm.Booster]) -> Forest:
        """Return the one forest of boosters, that of slow labels first."""
        forests = [forest_of(one) for one in boosters]
        if self.fast is None:
            return forests[0]
        share = self.fast.weight / _WHOLE
        # Of weight 100 the slow one adds nothing.
        kept = [(one, weight) for one, weight in zip(forests, (1 - share, share), strict=True) if weight > 0]
        return combined_forest(*zip(*kept, strict=True))

    def _fast_again(self, beside: TrainingTable, until: int) -> list[lightgbm.Booster]:
        if self.fast is None:
            return []
        return [self.fast.again(beside.categories, self.plan.negatives_each, until)]


def fitted(
    spec: ModelSpec, plan: LearningPlan, table: TrainingTable, investigated: Rows | None, *, threads: int
) -> Fitted:
    """Train what a plan asks for.

    Parameters
    ----------
    spec, plan
        What is learnt.
    table
        Rows with slow labels, those that judge not among them.
    investigated
        Rows with fast labels, as far back as is learnt from; None where there are none.
    threads
        How many cores.

    Raises
    ------
    ModelRefused
        There are too few slow labels, or rows that cannot be learnt from.
    PlanMalformed
        The two kinds of labels are about other columns.
    """
    slow = train_forest(spec, table, threads=threads)
    alone = Fitted(spec=spec, plan=plan, table=table, slow=slow, fast=None, left_out=slow.left_out, shown=())
    if plan.fast is None or investigated is None or table.at is None:
        return alone
    if plan.fast.columns != spec.columns:
        message = f"{plan.fast.name} and {spec.name} read other columns: their scores do not add up"
        raise PlanMalformed(message)
    try:
        return _with_fast(alone, plan.fast, investigated, threads)
    except ModelRefused as refusal:
        # Too few alerts, or of one kind: tomorrow there are more, and the slow labels are as good as before.
        return _shown(alone, 0, f"the slow model is alone: {refusal}")


def _with_fast(alone: Fitted, spec: ModelSpec, rows: Rows, threads: int) -> Fitted:
    """Return the slow model with a fast one beside it."""
    plan, slow, table = alone.plan, alone.slow, alone.table
    is_left_out = ~np.isnan(slow.left_out)
    judge = table.rows(is_left_out)
    assert judge.at is not None  # noqa: S101, who calls has looked
    before = rows.between(0, int(judge.at.min()))
    learnt = table_beside(spec, before, table.categories, negatives_each=plan.negatives_each)
    trained = train_forest(spec, learnt, threads=threads)
    quick, steady = forest_of(trained.booster).raw_scores(judge.values), slow.left_out[is_left_out]
    found = choose_weight(fast=quick, slow=steady, labels=judge.labels, at=judge.at, weights=judge.weights)
    # A weight that is best where it was chosen is no evidence.
    is_better = found.judged > found.judged_slow
    told = (
        f"{'' if is_better else 'the slow model is alone: '}"
        f"{found.weight} percent by {len(rows):,} rows that were looked at have an average precision of "
        f"{found.judged:.4f}, the slow alone {found.judged_slow:.4f}, the fast {found.judged_fast:.4f}"
    )
    if not is_better:
        return _shown(alone, 0, told)
    left_out = np.full(len(table.labels), np.nan)
    left_out[is_left_out] = combined(quick, steady, found.weight)
    fast = Fast(spec=spec, trained=trained, rows=rows, weight=found.weight)
    return _shown(replace(alone, fast=fast, left_out=left_out), found.weight, told)


def _shown(one: Fitted, weight: int, told: str) -> Fitted:
    return replace(one, shown=(Shown(name="fast labels", figure=float(weight), said=told),))
