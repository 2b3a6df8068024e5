"""Training a forest: a bounded search, judged on rows that come later or were left out, then all rows.

Nothing here runs where decisions are made: this module loads LightGBM.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import lightgbm
import numpy as np
import numpy.typing as npt

from formicary.factory.models._folds import stratified_folds
from formicary.factory.models.spec import ModelSpec, Objective
from formicary.factory.models.table import TrainingTable

__all__ = ["Report", "Trained", "Trial", "folds_of", "train_forest", "unwatched"]

Reals: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]

_ROUNDS_MAX: Final = 2_000
_PATIENCE_ROUNDS: Final = 60
_VALIDATION_SHARE: Final = 0.2
# A single block of so many rows judges well enough; of fewer, every row is left out once.
_BLOCK_ROWS_MIN: Final = 20_000
_FOLDS: Final = 4

_FIXED: Final[dict[str, Any]] = {
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "verbose": -1,
}
_OBJECTIVES: Final = {
    Objective.CLASSIFICATION: {"objective": "binary", "metric": "binary_logloss"},
    Objective.REGRESSION: {"objective": "regression", "metric": "l2"},
}
# What the search draws from; the first trial takes the first of each.
_SPACE: Final[dict[str, tuple[Any, ...]]] = {
    "num_leaves": (15, 7, 4, 31, 63),
    "learning_rate": (0.05, 0.03, 0.08),
    "min_data_in_leaf": (40, 20, 10, 100),
    "feature_fraction": (0.5, 0.3, 0.8),
    "bagging_fraction": (0.8, 0.6, 1.0),
    "lambda_l2": (5.0, 1.0, 20.0),
    "cat_smooth": (10.0, 30.0),
}


Report: TypeAlias = Callable[[int, int], None]
"""Is told how many trials are done, of how many."""


def unwatched(done: int, of: int) -> None:
    """Tell nobody how far a training is."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of hyper-parameters, how many rounds suited it, and its loss on rows that were left out."""

    parameters: dict[str, Any]
    rounds: int
    loss: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A forest, with the search that led to it.

    Attributes
    ----------
    booster
        Trained on all rows.
    trials
        All that were tried, the best first.
    left_out
        (n,) the raw score of each row by the best trial's forests that did not learn from it; NaN for a row
        that was never left out.
    """

    booster: lightgbm.Booster
    trials: tuple[Trial, ...]
    left_out: Reals


def folds_of(table: TrainingTable, *, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Go through pairs of rows to learn from and rows to judge by.

    Where rows have times, the latest fifth is judged by the others. Where they have none, each row is left
    out once, positives spread evenly; of very many rows, a fifth.
    """
    count = len(table.labels)
    if table.at is not None:
        # Rows of one time stay together: a model must not learn from the instant that it is judged by.
        order = np.argsort(table.at, kind="stable")
        border = table.at[order[int(count * (1 - _VALIDATION_SHARE))]]
        yield np.flatnonzero(table.at < border), np.flatnonzero(table.at >= border)
        return
    folds, used = (round(1 / _VALIDATION_SHARE), 1) if count >= _BLOCK_ROWS_MIN else (_FOLDS, _FOLDS)
    fold = stratified_folds(table.labels, folds=folds, seed=seed)
    for number in range(used):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def train_forest(
    spec: ModelSpec,
    table: TrainingTable,
    *,
    threads: int = 1,
    report: Report = unwatched,
) -> Trained:
    """Train a forest.

    Parameters
    ----------
    spec
        What is predicted; its seed decides every draw.
    table
        What is learnt from.
    threads
        How many cores; the result does not depend on it.
    report
        Told how many trials are done, of how many.

    Raises
    ------
    ModelMalformed
        The specification contradicts itself.
    LabelsTooFew
        Of a class.
    """
    spec.require()
    table.require_labels(spec)
    folds = list(folds_of(table, seed=spec.seed))
    found: list[tuple[Trial, Reals]] = []
    for number, parameters in enumerate(_drawn(spec)):
        found.append(_tried(spec, table, folds, parameters | {"num_threads": threads}))
        report(number + 1, spec.trials)
    # The earlier of two that are alike: sorting is stable.
    found.sort(key=lambda one: one[0].loss)
    best, left_out = found[0]
    booster = lightgbm.train(best.parameters, _dataset(spec, table), best.rounds)
    return Trained(booster=booster, trials=tuple(trial for trial, _ in found), left_out=left_out)


def _drawn(spec: ModelSpec) -> Iterator[dict[str, Any]]:
    fixed = _FIXED | _OBJECTIVES[spec.objective] | {"seed": spec.seed, "bagging_freq": 1}
    if any(column.monotone for column in spec.columns):
        fixed["monotone_constraints"] = [column.monotone for column in spec.columns]
    for trial in range(spec.trials):
        yield fixed | {
            name: choices[_drawn_place(spec.seed, trial, name) % len(choices) if trial else 0]
            for name, choices in (_SPACE | dict(spec.search)).items()
        }


def _drawn_place(seed: int, trial: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed} {trial} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _tried(
    spec: ModelSpec, table: TrainingTable, folds: list[tuple[Rows, Rows]], parameters: dict[str, Any]
) -> tuple[Trial, Reals]:
    left_out = np.full(len(table.labels), np.nan)
    rounds, losses, weights = [], [], []
    for learn, judge in folds:
        learnt = _dataset(spec, table.rows(learn))
        booster = lightgbm.train(
            parameters,
            learnt,
            _ROUNDS_MAX,
            valid_sets=[_dataset(spec, table.rows(judge), reference=learnt)],
            valid_names=["judge"],
            callbacks=[lightgbm.early_stopping(_PATIENCE_ROUNDS, verbose=False)],
        )
        left_out[judge] = booster.predict(table.values[judge], raw_score=True)
        rounds.append(booster.best_iteration)
        losses.append(booster.best_score["judge"][str(parameters["metric"])])
        weights.append(table.weights[judge].sum())
    # All rows are more than those of a fold, and bear a little more.
    suited = max(round(float(np.mean(rounds)) * len(table.labels) / len(folds[0][0])), 1)
    loss = float(np.average(losses, weights=weights))
    return Trial(parameters=parameters, rounds=suited, loss=loss), left_out


def _dataset(
    spec: ModelSpec, table: TrainingTable, reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        table.values,
        table.labels,
        weight=table.weights,
        feature_name=list(spec.names),
        categorical_feature=[column.name for column in spec.columns if column.is_category],
        reference=reference,
        free_raw_data=False,
    )
