"""Does a column tell what is to be predicted? What was written after the outcome ranks far too well.

Two signs, each of rows that were left out: a column alone orders nearly all pairs rightly; or without it a
forest errs several times as often. Neither proves that a column was written later, so a specification may say
why it was known (``Column.known_because``); nothing else lets it pass.

Of very many rows at most 10,000 of either class are looked at, those of the lowest hashes of their places: an
area under the curve does not depend on the classes' shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import lightgbm
import numpy as np
import numpy.typing as npt

from formicary.base.limits import LEAK_ROWS_EACH_MAX
from formicary.factory.models._folds import stratified_folds, stratified_sample
from formicary.factory.models.errors import LeakSuspected
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.spec import ModelSpec, Objective
from formicary.factory.models.table import TrainingTable

__all__ = ["Suspicion", "require_no_leaks", "suspicions"]

Reals: TypeAlias = npt.NDArray[np.float64]

ALONE_MAX: Final = 0.9
"""Area under the curve of one column alone; the strongest of honest credit data reach 0.8."""
ERROR_RATIO_MAX: Final = 3.0
"""How many times as many pairs are ordered wrongly without the column."""
_WITH_MIN: Final = 0.9
"""Below this, all columns together tell so little that none of them can be a copy of the label."""
_CANDIDATES: Final = 3
_ROUNDS: Final = 100
_ROUNDS_ALONE: Final = 30
"""One column is soon told: its order is what counts, not how far apart scores are."""
_FOREST: Final[dict[str, Any]] = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """Why a column is suspected.

    Attributes
    ----------
    column
        Its name.
    said
        The sign, with its figures.
    """

    column: str
    said: str


def suspicions(spec: ModelSpec, table: TrainingTable) -> list[Suspicion]:
    """Return the columns of a classification that tell its label too well, the strongest first."""
    if spec.objective != Objective.CLASSIFICATION:
        return []
    table = table.rows(stratified_sample(table.labels, each_max=LEAK_ROWS_EACH_MAX, seed=spec.seed))
    is_judged = stratified_folds(table.labels, folds=2, seed=spec.seed) == 1
    parameters = _FOREST | {"seed": spec.seed}
    alone = [
        _area(spec, table, [place], is_judged, parameters, rounds=_ROUNDS_ALONE)[0]
        for place in range(len(spec.columns))
    ]
    found = {
        place: f"alone it orders {area:.1%} of pairs rightly"
        for place, area in enumerate(alone)
        if area > ALONE_MAX
    }
    everything = list(range(len(spec.columns)))
    area, gains = _area(spec, table, everything, is_judged, parameters)
    if area > _WITH_MIN and len(everything) > 1:
        for place in np.argsort(-gains, kind="stable")[:_CANDIDATES].tolist():
            rest = [other for other in everything if other != place]
            without = _area(spec, table, rest, is_judged, parameters)[0]
            if 1 - without > ERROR_RATIO_MAX * (1 - area):
                found.setdefault(place, f"{area:.1%} of pairs are ordered rightly, without it {without:.1%}")
    strongest = sorted(found, key=lambda place: -alone[place])
    return [Suspicion(column=spec.columns[place].name, said=found[place]) for place in strongest]


def require_no_leaks(spec: ModelSpec, table: TrainingTable) -> None:
    """Raise ``LeakSuspected`` for columns that tell too much, unless the specification says why.

    Raises
    ------
    LeakSuspected
        With every such column and its figures.
    """
    explained = {column.name for column in spec.columns if column.known_because}
    found = [one for one in suspicions(spec, table) if one.column not in explained]
    if found:
        message = f"{spec.name}: " + "; ".join(f"{one.column}: {one.said}" for one in found)
        raise LeakSuspected(message)


def _area(
    spec: ModelSpec,
    table: TrainingTable,
    places: list[int],
    is_judged: npt.NDArray[np.bool_],
    parameters: dict[str, Any],
    *,
    rounds: int = _ROUNDS,
) -> tuple[float, Reals]:
    """Return how well a forest of some columns orders rows that it did not learn from, and their gains."""
    categories = [number for number, place in enumerate(places) if spec.columns[place].is_category]
    values = table.values[:, places]
    learnt = lightgbm.Dataset(
        values[~is_judged], table.labels[~is_judged], categorical_feature=categories or "auto"
    )
    booster = lightgbm.train(parameters, learnt, rounds)
    scores = np.asarray(booster.predict(values[is_judged], raw_score=True))
    area = area_under_roc(scores=scores, labels=table.labels[is_judged])
    return area, booster.feature_importance("gain")
