"""What a model does to its own rows: of whom it refused, nobody learns how they would have paid.

Three lenders start from the same cycle, in which everybody was lent to, and refit after each of the next ones
from what they know. One draws three in a hundred of those it would refuse and lends to them as well; their
rows weigh one over that chance (``decisions.propensities``). One is told how those it refused would have
paid: nobody can be, but none does better, so it shows what can be reached. What made applicants risky fades
meanwhile: who is refused for good reason at first would pay back later, and for a while nothing orders
applicants well. All are measured on applicants whom no policy chose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from formicary.factory.decisions.propensities import training_weights
from formicary.factory.learning.worth import Worth
from formicary.factory.models.calibration import Calibration, choose_calibration
from formicary.factory.models.forest import Forest, forest_of
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.spec import Column, ModelSpec
from formicary.factory.models.table import table_of
from formicary.factory.models.trainer import train_forest

__all__ = ["APPLICANTS", "CYCLES", "SHARE", "Cycle", "behind", "is_right", "lent"]

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

CYCLES: Final = 8
SHARE: Final = 0.03
APPLICANTS: Final = 20_000
"""A cycle. Of so many some 250 are drawn at first, a third of them bad: by those an area is told to
within four hundredths (Hanley and McNeil, Radiology 143, 1982)."""
_TESTED: Final = 8_000
_NAMES: Final = ("burden", "history", "novelty")
_KEPT: Final = 0.8
"""Of what a row counts, from one cycle to the next."""
_FALLEN_MIN: Final = 0.1
_BEHIND_MAX: Final = 0.05
_WORTH: Final = Worth(lost_bp=6_000, margin_bp=1_200)
_FADES: Final = (3.0, -2.0)
"""What novelty adds to the odds in the first cycle and in the last."""
_SPEC: Final = ModelSpec(
    name="lab",
    owner="labs",
    predicts="The chance that the applicant does not pay back.",
    columns=tuple(Column(name=name, reason=f"The {name} is unusual.") for name in _NAMES),
    trials=1,
    search=(
        ("num_leaves", (6,)),
        ("learning_rate", (0.08,)),
        ("min_data_in_leaf", (30,)),
        ("lambda_l2", (1.0,)),
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Applicants:
    """Columns (n, 3), amounts (n,) in minor units, and whether each would not pay back (n,)."""

    values: Reals
    amounts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int8]

    def chosen(self, rows: Flags) -> _Applicants:
        return replace(self, values=self.values[rows], amounts=self.amounts[rows], labels=self.labels[rows])


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """One cycle of one lender.

    Attributes
    ----------
    number, share
        Which, and of what share of those it would refuse it draws.
    own_area, true_area
        Under the curve of the refit model: on the rows it was told of, and on applicants nobody chose.
    approved
        The share of applicants that were lent to.
    default_rate
        Of those.
    money
        What came of all loans of the cycle, in minor units.
    explored, explored_money
        How many were drawn, and what came of them: the cost of exploring, where it is below zero.
    """

    number: int
    share: float
    own_area: float
    true_area: float
    approved: float
    default_rate: float
    money: int
    explored: int
    explored_money: int


def lent(
    seed: int, share: float, *, cycles: int = CYCLES, applicants: int = APPLICANTS, is_told: bool = False
) -> Iterator[Cycle]:
    """Go through the first cycles of a lender that draws such a share of those it would refuse.

    If told, it learns from those it refused as well.
    """
    draw = np.random.default_rng([seed, 4])
    start = _applicants(seed, 0, applicants)
    known = [(start, np.ones(len(start.labels)))]
    model = _refit(known, seed)[0]
    for number in range(1, cycles + 1):
        come = _applicants(seed, number, applicants)
        is_refused = _WORTH.stops(_chances(model, come.values), come.amounts)
        is_drawn = is_refused & (draw.random(len(is_refused)) < share)
        is_lent = ~is_refused | is_drawn
        is_known = is_lent | is_told
        propensities = np.where(is_refused & ~is_told, share or 1.0, 1.0)
        weights, _ = training_weights(propensities, is_known)
        known.append((come.chosen(is_known), weights[is_known]))
        model, own_area = _refit(known, seed)
        tested = _applicants(seed, number, _TESTED, is_test=True)
        yield Cycle(
            number=number,
            share=share,
            own_area=own_area,
            true_area=area_under_roc(scores=_chances(model, tested.values), labels=tested.labels),
            approved=float(is_lent.mean()),
            default_rate=float(come.labels[is_lent].mean()),
            money=_money(come.chosen(is_lent)),
            explored=int(is_drawn.sum()),
            explored_money=_money(come.chosen(is_drawn)),
        )


def behind(cycles: Sequence[Cycle], told: Sequence[Cycle]) -> list[float]:
    """Return by how much each cycle's true area is below that of the lender who was told everything."""
    return [best.true_area - one.true_area for one, best in zip(cycles, told, strict=True)]


def is_right(off: Sequence[Cycle], on: Sequence[Cycle], told: Sequence[Cycle]) -> bool:
    """Whether not exploring does harm that nobody sees, and exploring helps.

    Without it a lender falls ever further behind what can be reached, while in every cycle it thinks better
    of itself than the one that knows everything; with it none falls far behind.
    """
    fallen = behind(off, told)
    return (
        fallen[-1] - fallen[0] > _FALLEN_MIN
        and all(one.own_area >= best.own_area for one, best in zip(off, told, strict=True))
        and max(behind(on, told)) <= _BEHIND_MAX
    )


def _applicants(seed: int, number: int, count: int, *, is_test: bool = False) -> _Applicants:
    draw = np.random.default_rng([seed, 5, number, int(is_test)])
    values = draw.normal(size=(count, len(_NAMES)))
    burden, history, novelty = values.T
    first, last = _FADES
    fades = first + (last - first) * min(2 * number / CYCLES, 1.0)
    odds = -2.6 + 0.7 * burden - 0.6 * history + fades * np.maximum(novelty, 0.0)
    return _Applicants(
        values=values,
        amounts=np.round(np.exp(draw.normal(12.5, 0.5, count))).astype(np.int64),
        labels=(draw.random(count) < expit(odds)).astype(np.int8),
    )


def _refit(known: list[tuple[_Applicants, Reals]], seed: int) -> tuple[tuple[Forest, Calibration], float]:
    """Learn from applicants and their weights; return the model, and how well it orders rows left out."""
    spec = replace(_SPEC, seed=seed)
    values = np.concatenate([one.values for one, _ in known])
    labels = np.concatenate([one.labels for one, _ in known])
    # Older rows count less: where there are newer ones, those tell.
    weights = np.concatenate(
        [weights * _KEPT ** (len(known) - 1 - place) for place, (_, weights) in enumerate(known)]
    )
    columns = {name: values[:, place] for place, name in enumerate(_NAMES)}
    table = table_of(spec, columns, labels, weights=weights)
    trained = train_forest(spec, table)
    # Of many rows only some are left out.
    judged = ~np.isnan(trained.left_out)
    scores, told = trained.left_out[judged], labels[judged]
    calibration = choose_calibration(scores=scores, labels=told, weights=weights[judged], seed=seed)
    own_area = area_under_roc(scores=scores, labels=told)
    return (forest_of(trained.booster), calibration), own_area


def _chances(model: tuple[Forest, Calibration], values: Reals) -> Reals:
    forest, calibration = model
    return calibration.apply(forest.raw_scores(values))


def _money(lent_to: _Applicants) -> int:
    """Return what loans bring, in minor units: what stopping them would have saved, turned around."""
    stopped = np.ones(len(lent_to.labels), np.bool_)
    return -int(_WORTH.values(stopped, lent_to.labels, lent_to.amounts).sum())
