"""From a specification and a table to a model: looked through for leaks, learnt, calibrated, judged.

Nothing here runs where decisions are made: it loads LightGBM.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from formicary.factory.models.calibration import Calibration, choose_calibration
from formicary.factory.models.errors import GateMissed
from formicary.factory.models.forest import forest_of
from formicary.factory.models.leaks import require_no_leaks
from formicary.factory.models.metrics import (
    area_under_roc,
    average_precision,
    brier_score,
    calibration_error,
    kolmogorov_smirnov,
    mean_absolute_error,
    money_found,
    r_squared,
    root_mean_squared_error,
)
from formicary.factory.models.model import Evidence, Model, Reals, scorecard_columns
from formicary.factory.models.scorecard import Scorecard
from formicary.factory.models.scorecard_training import train_scorecard
from formicary.factory.models.spec import ModelSpec, Objective
from formicary.factory.models.table import TrainingTable
from formicary.factory.models.trainer import Report, Trained, folds_of, train_forest, unwatched

__all__ = ["measured", "measured_amounts", "missed_gates", "model_of", "scorecard_of", "train_model"]


def train_model(
    spec: ModelSpec,
    table: TrainingTable,
    *,
    threads: int = 1,
    report: Report = unwatched,
) -> Model:
    """Train a model, of a classification with its scorecard, and judge it by rows that were left out.

    Parameters
    ----------
    spec, table
        What is learnt, from what.
    threads
        How many cores; the result does not depend on it.
    report
        Told how many trials are done, of how many.

    Raises
    ------
    ModelMalformed
        The specification contradicts itself.
    LabelsTooFew, LeakSuspected
        The table cannot be learnt from.
    GateMissed
        The model does not show what its specification asks for.
    """
    spec.require()
    table.require_labels(spec)
    require_no_leaks(spec, table)
    model = model_of(spec, table, train_forest(spec, table, threads=threads, report=report))
    if missed := missed_gates(spec, model):
        raise GateMissed(f"{spec.name}: " + "; ".join(missed))
    return model


def model_of(spec: ModelSpec, table: TrainingTable, trained: Trained) -> Model:
    """Make a forest that was trained a model, with all that it showed, whatever that is."""
    return (_of_chances if spec.objective == Objective.CLASSIFICATION else _of_amounts)(spec, table, trained)


def _of_chances(spec: ModelSpec, table: TrainingTable, trained: Trained) -> Model:
    is_judged = ~np.isnan(trained.left_out)
    judged, scores = table.rows(is_judged), trained.left_out[is_judged]
    calibration = choose_calibration(
        scores=scores, labels=judged.labels, weights=judged.weights, seed=spec.seed
    )
    return Model(
        name=spec.name,
        spec_hash=spec.hash,
        forest=forest_of(trained.booster),
        calibration=calibration,
        categories=table.categories,
        scorecard=scorecard_of(spec, table),
        evidence=Evidence(
            rows=len(table.labels),
            positives=int(table.labels.sum()),
            forest=measured(calibration.apply(scores), judged),
            scorecard=_judged_scorecard(spec, table),
            trials=len(trained.trials),
            suspected=_explained(spec),
        ),
    )


def _of_amounts(spec: ModelSpec, table: TrainingTable, trained: Trained) -> Model:
    is_judged = ~np.isnan(trained.left_out)
    forest = forest_of(trained.booster)
    return Model(
        name=spec.name,
        spec_hash=spec.hash,
        forest=forest,
        calibration=None,
        categories=table.categories,
        scorecard=None,
        evidence=Evidence(
            rows=len(table.labels),
            positives=0,
            forest=measured_amounts(forest.predicted(trained.left_out[is_judged]), table.rows(is_judged)),
            scorecard={},
            trials=len(trained.trials),
            suspected=_explained(spec),
            scorecard_absent="A scorecard adds up log odds of an outcome; an amount has none.",
        ),
    )


def _explained(spec: ModelSpec) -> dict[str, str]:
    return {column.name: column.known_because for column in spec.columns if column.known_because}


def scorecard_of(spec: ModelSpec, table: TrainingTable) -> Scorecard:
    """Train the scorecard of a specification."""
    columns = scorecard_columns(spec, table.values)
    categorical = {column.name for column in spec.columns if column.is_category}
    return train_scorecard(
        numeric={name: values for name, values in columns.items() if name not in categorical},
        categorical={name: values for name, values in columns.items() if name in categorical},
        labels=table.labels,
        weights=table.weights,
        constraints={column.name: column.monotone for column in spec.columns if column.monotone},
        seed=spec.seed,
    )


def measured(chances: Reals, table: TrainingTable) -> dict[str, float]:
    """Return what chances (n,) show of the rows of a table."""
    labels, weights = table.labels, table.weights
    shown = {
        "area_under_roc": area_under_roc(scores=chances, labels=labels, weights=weights),
        "average_precision": average_precision(scores=chances, labels=labels, weights=weights),
        "kolmogorov_smirnov": kolmogorov_smirnov(scores=chances, labels=labels, weights=weights),
        "brier": brier_score(probabilities=chances, labels=labels, weights=weights),
        "calibration_error": calibration_error(probabilities=chances, labels=labels, weights=weights),
    }
    # Rows of label 1 that are about no money have lost none.
    if table.money is not None and (table.labels * table.money).any():
        shown["money_found"] = money_found(scores=chances, labels=labels, money=table.money)
    return shown


def measured_amounts(amounts: Reals, table: TrainingTable) -> dict[str, float]:
    """Return what expected amounts (n,) show of the rows of a table."""
    known = {"predictions": amounts, "amounts": table.labels, "weights": table.weights}
    return {
        "r_squared": r_squared(**known),
        "mean_absolute_error": mean_absolute_error(**known),
        "root_mean_squared_error": root_mean_squared_error(**known),
    }


def missed_gates(spec: ModelSpec, model: Model) -> list[str]:
    """Return which gates of its specification a model misses, each with its figure."""
    shown, gates = model.evidence.forest, spec.gates
    # By metric: what it is called, and the least or the most that it may be; a gate of a metric that the
    # objective has not is none.
    least = {"area_under_roc": "area under the curve", "r_squared": "share of variance explained"}
    most = {"calibration_error": "calibration error", "mean_absolute_error": "mean absolute error"}
    missed = [
        f"{said} {shown[metric]:.4f}, under {getattr(gates, metric)}"
        for metric, said in least.items()
        if shown.get(metric, math.inf) < getattr(gates, metric)
    ]
    missed += [
        f"{said} {shown[metric]:.4f}, over {getattr(gates, metric)}"
        for metric, said in most.items()
        if shown.get(metric, -math.inf) > getattr(gates, metric)
    ]
    return missed


def _judged_scorecard(spec: ModelSpec, table: TrainingTable) -> Mapping[str, float]:
    """Return what scorecards show of rows that they did not learn from; their log odds are not calibrated."""
    chances = np.full(len(table.labels), np.nan)
    for learn, judge in folds_of(table, seed=spec.seed):
        card = scorecard_of(spec, table.rows(learn))
        log_odds = card.score(scorecard_columns(spec, table.values[judge]))
        chances[judge] = Calibration("none").apply(log_odds)
    is_judged = ~np.isnan(chances)
    return measured(chances[is_judged], table.rows(is_judged))
