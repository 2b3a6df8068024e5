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

__all__ = ["Report", "Trained", "Trial", "folds_of", "refitted", "train_forest", "unwatched"]

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
_OBJECTIVES: Final[dict[Objective, dict[str, Any]]] = {
    Objective.CLASSIFICATION: {"objective": "binary", "metric": "binary_logloss"},
    Objective.REGRESSION: {"objective": "regression", "metric": "l2"},
}
"""What LightGBM minimizes and what trials are compared by; another objective is another line."""

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
# Of few rows the best threshold is mostly luck, so it is drawn (Geurts, Ernst and Wehenkel, Extremely
# randomized trees, Machine Learning 63, 2006), and names of ten rows may already differ.
_SPACE_FEW: Final[dict[str, tuple[Any, ...]]] = _SPACE | {
    "extra_trees": (True, True, False),
    "min_data_per_group": (10, 30),
    "num_leaves": (7, 15, 31, 4),
    "min_data_in_leaf": (10, 20, 40),
    "lambda_l2": (1.0, 5.0),
}
_FEW_ROWS: Final = 5_000


Report: TypeAlias = Callable[[int, int], None]
"""Is told how many trials are done, of how many."""


def unwatched(done: int, of: int) -> None:
    """Tell nobody how far a training is."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of hyper-parameters, the rounds that suited it, and its loss on rows that were left out."""

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
        How many cores, one of few rows; the result does not depend on it.
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
    # Of few rows threads wait for each other longer than they compute.
    cores = {"num_threads": threads if len(table.labels) >= _FEW_ROWS else 1}
    # Bins are made once, and every trial and fold learns from its part of them.
    data = _dataset(spec, table, cores)
    trials: list[Trial] = []
    kept: list[lightgbm.Booster] = []
    for number, parameters in enumerate(_drawn(spec, len(table.labels))):
        trial, boosters = _tried(data, folds, parameters | cores)
        trials.append(trial)
        # The earlier of two that are alike: sorting is stable.
        trials.sort(key=lambda one: one.loss)
        if trials[0] is trial:
            kept = boosters
        report(number + 1, spec.trials)
    best = trials[0]
    # All rows are more than those of a fold, and bear a little more.
    rounds = max(round(best.rounds * len(table.labels) / len(folds[0][0])), 1)
    booster = lightgbm.train(best.parameters, data, rounds)
    left_out = _left_out(table, folds, kept, rounds=best.rounds)
    return Trained(booster=booster, trials=tuple(trials), left_out=left_out)


def refitted(spec: ModelSpec, table: TrainingTable, trained: Trained) -> lightgbm.Booster:
    """Return a forest as one that was trained, of other rows: no search, as many rounds."""
    parameters = trained.trials[0].parameters
    cores = {"num_threads": parameters["num_threads"]}
    return lightgbm.train(parameters, _dataset(spec, table, cores), trained.booster.current_iteration())


def _drawn(spec: ModelSpec, rows: int) -> Iterator[dict[str, Any]]:
    fixed = _fixed(spec) | {"bagging_freq": 1}
    if any(column.monotone for column in spec.columns):
        fixed["monotone_constraints"] = [column.monotone for column in spec.columns]
    space = (_SPACE_FEW if rows < _FEW_ROWS else _SPACE) | dict(spec.search)
    for trial in range(spec.trials):
        yield fixed | {
            name: choices[_drawn_place(spec.seed, trial, name) % len(choices) if trial else 0]
            for name, choices in space.items()
        }


def _fixed(spec: ModelSpec) -> dict[str, Any]:
    return _FIXED | _OBJECTIVES[spec.objective] | {"seed": spec.seed}


def _drawn_place(seed: int, trial: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed} {trial} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _tried(
    data: lightgbm.Dataset, folds: list[tuple[Rows, Rows]], parameters: dict[str, Any]
) -> tuple[Trial, list[lightgbm.Booster]]:
    """Learn without each fold, all of them at one pace, until their mean loss falls no more."""
    found: dict[str, Any] = lightgbm.cv(
        parameters,
        data,
        _ROUNDS_MAX,
        folds=folds,
        callbacks=[lightgbm.early_stopping(_PATIENCE_ROUNDS, verbose=False)],
        return_cvbooster=True,
    )
    means = found[f"valid {parameters['metric']}-mean"]
    trial = Trial(parameters=parameters, rounds=len(means), loss=float(means[-1]))
    return trial, found["cvbooster"].boosters


def _left_out(
    table: TrainingTable, folds: list[tuple[Rows, Rows]], boosters: list[lightgbm.Booster], *, rounds: int
) -> Reals:
    """Return the raw score (n,) of each row that was left out by the booster that it was left out of."""
    scores = np.full(len(table.labels), np.nan)
    for (_, judge), booster in zip(folds, boosters, strict=True):
        scores[judge] = booster.predict(table.values[judge], raw_score=True, num_iteration=rounds)
    return scores


def _dataset(spec: ModelSpec, table: TrainingTable, cores: dict[str, int]) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        table.values,
        table.labels,
        weight=table.weights,
        feature_name=list(spec.names),
        categorical_feature=[column.name for column in spec.columns if column.is_category],
        params=_fixed(spec) | cores,
        free_raw_data=False,
    )
