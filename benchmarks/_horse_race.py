"""A race of two by two: what the applicant wrote or everything, an additive scorecard or boosted trees.

Each of the four learns from the same rows and is judged by the same others, so what one has over another is
of the same loans. The gain of information is what everything adds to what the applicant wrote, the gain of
modelling what trees add to a scorecard, each a mean over the other choice: the value of Shapley (1953) of a
game of two, so both add up to what the last has over the first.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from benchmarks._lending import TERMS, Flags, Money, Reals, Terms, best_cut, worth
from formicary.factory.models.calibration import choose_calibration
from formicary.factory.models.metrics import area_under_roc, average_precision, brier_score
from formicary.factory.models.model import scorecard_columns
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import TrainingTable, table_of
from formicary.factory.models.trainer import folds_of, train_forest
from formicary.factory.models.training import scorecard_of

__all__ = [
    "CELLS",
    "Contest",
    "Run",
    "forest_run",
    "gains",
    "intervals",
    "protocol_figures",
    "race",
    "resamples",
    "run_of",
    "scorecard_run",
]

Counts: TypeAlias = npt.NDArray[np.int64]

CELLS: Final = (
    ("application", "scorecard"),
    ("application", "forest"),
    ("everything", "scorecard"),
    ("everything", "forest"),
)
_RESAMPLES: Final = 1_000
_TAIL: Final = 2.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """What is raced on.

    Attributes
    ----------
    name
        Of the data set.
    application, everything
        What the applicant wrote as columns, and all columns.
    columns, labels, amounts
        Of n loans: by name, 1 where it went bad, minor units that were lent.
    parts
        Of each repeat the rows that are left out at a time, (n,) flags; together each row once at most.
    protocol
        How it is judged, in words.
    second
        What the second set adds, in words.
    currency
        Of the amounts.
    terms
        The lender's economics.
    """

    name: str
    application: ModelSpec
    everything: ModelSpec
    columns: Mapping[str, npt.NDArray[np.generic]]
    labels: Reals
    amounts: Money
    parts: Sequence[Sequence[Flags]]
    protocol: str
    second: str
    currency: str
    terms: Terms = TERMS

    def spec(self, columns: str) -> ModelSpec:
        """Return the specification of one side of the race by its name."""
        return self.application if columns == "application" else self.everything


class Run(NamedTuple):
    """What a kind of model said of loans that it did not learn from.

    Attributes
    ----------
    scores
        (repeats, n) log odds of a bad loan before any calibration, NaN where never left out: what orders.
    chances
        (repeats, n) the same as chances.
    approved
        (repeats, n) whether the chance is at most the cut-off of the rows that were learnt from; in no row of
        a repeat for which none was sought.
    cut_repeats
        For how many repeats one was sought.
    """

    scores: Reals
    chances: Reals
    approved: Flags
    cut_repeats: int


class _Judged(NamedTuple):
    """Scores and chances of rows left out; ``within`` (m,) of rows learnt from, left out in turn."""

    scores: Reals
    chances: Reals
    within: Reals


def forest_run(spec: ModelSpec, learnt: TrainingTable, values: Reals, *, seeks_cut: bool) -> _Judged:
    """Train boosted trees and return what they say of rows (k, columns)."""
    trained = train_forest(spec, learnt)
    # Of many rows not each is left out.
    told = ~np.isnan(trained.left_out)
    calibration = choose_calibration(
        scores=trained.left_out[told], labels=learnt.labels[told], seed=spec.seed
    )
    raw = np.asarray(trained.booster.predict(values, raw_score=True))
    within = calibration.apply(trained.left_out) if seeks_cut else np.empty(0)
    return _Judged(raw, calibration.apply(raw), within)


def scorecard_run(spec: ModelSpec, learnt: TrainingTable, values: Reals, *, seeks_cut: bool) -> _Judged:
    """Train a scorecard and return what it says of rows (k, columns); its log odds are not calibrated."""
    raw = scorecard_of(spec, learnt).score(scorecard_columns(spec, values))
    within = np.full(len(learnt.labels) if seeks_cut else 0, np.nan)
    if seeks_cut:
        for learn, judge in folds_of(learnt, seed=spec.seed):
            card = scorecard_of(spec, learnt.rows(learn))
            within[judge] = expit(card.score(scorecard_columns(spec, learnt.values[judge])))
    return _Judged(raw, expit(raw), within)


_RUNS: Final = {"scorecard": scorecard_run, "forest": forest_run}


def race(contest: Contest, *, cut_repeats: int) -> dict[tuple[str, str], Run]:
    """Let all four run; cut-offs are sought in the first ``cut_repeats`` repeats, as they are dear."""
    return {
        (columns, model): run_of(contest, contest.spec(columns), model, cut_repeats=cut_repeats)
        for columns, model in CELLS
    }


def run_of(contest: Contest, spec: ModelSpec, model: str, *, cut_repeats: int) -> Run:
    """Let one kind of model, ``scorecard`` or ``forest``, run with the columns of a specification."""
    table = table_of(spec, {name: contest.columns[name] for name in spec.names}, contest.labels)
    shape = (len(contest.parts), len(contest.labels))
    scores, chances, approved = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, np.bool_)
    began = time.perf_counter()
    for repeat, parts in enumerate(contest.parts):
        seeks_cut = repeat < cut_repeats
        for out in parts:
            learnt = table.rows(~out)
            judged = _RUNS[model](spec, learnt, table.values[out], seeks_cut=seeks_cut)
            scores[repeat, out], chances[repeat, out] = judged.scores, judged.chances
            if seeks_cut:
                told, amounts = ~np.isnan(judged.within), contest.amounts[~out]
                cut = best_cut(judged.within[told], learnt.labels[told], amounts[told], contest.terms)
                approved[repeat, out] = judged.chances <= cut
        seconds = time.perf_counter() - began
        sys.stderr.write(f"{spec.name}, {model}: repeat {repeat + 1}, {seconds:.0f} s\n")
    return Run(scores, chances, approved, min(cut_repeats, len(contest.parts)))


def protocol_figures(contest: Contest, run: Run) -> dict[str, float]:
    """Return means over all parts that were left out, and the spread of the area under the curve.

    Beside it the spread of the areas of whole repeats: what other folds of the same rows would have told.
    """
    areas, precisions, errors = [], [], []
    for repeat, parts in enumerate(contest.parts):
        for out in parts:
            labels, scores = contest.labels[out], run.scores[repeat, out]
            areas.append(area_under_roc(scores=scores, labels=labels))
            precisions.append(average_precision(scores=scores, labels=labels))
            errors.append(brier_score(probabilities=run.chances[repeat, out], labels=labels))
    return {
        "AUC": float(np.mean(areas)),
        "AUC sd": float(np.std(areas)),
        "AUC sd, repeats": float(np.std(np.reshape(areas, (len(contest.parts), -1)).mean(axis=1))),
        "AP": float(np.mean(precisions)),
        "Brier": float(np.mean(errors)),
    }


def resamples(count: int, *, seed: int) -> Counts:
    """Return how often each of so many rows is drawn in each resample, (resamples, n), themselves first."""
    random = np.random.default_rng(seed)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    return np.concatenate([np.ones((1, count), np.int64), drawn])


def areas_of(contest: Contest, run: Run, drawn: Counts) -> Reals:
    """Return the area under the curve in each resample, a mean over repeats of all rows left out in one."""
    areas = []
    for scores in run.scores:
        told = ~np.isnan(scores)
        labels = contest.labels[told]
        areas.append([area_under_roc(scores=scores[told], labels=labels, weights=row[told]) for row in drawn])
    return np.asarray(np.mean(areas, axis=0))


def money_of(contest: Contest, run: Run, drawn: Counts) -> Reals:
    """Return what is earned in each resample in basis points of what was asked for, a mean over repeats."""
    each = worth(contest.labels, contest.amounts, contest.terms)
    shares = []
    for repeat in range(run.cut_repeats):
        told = ~np.isnan(run.scores[repeat])
        sums = drawn @ np.where(run.approved[repeat], each, 0)
        shares.append(sums * 10_000.0 / (drawn @ np.where(told, contest.amounts, 0)))
    return np.asarray(np.mean(shares, axis=0))


def gains(by_cell: Mapping[tuple[str, str], Reals]) -> dict[str, Reals]:
    """Return the gain of information and that of modelling, which add up to what there is to gain."""
    first, trees, told, last = (by_cell[cell] for cell in CELLS)
    return {
        "information": ((told - first) + (last - trees)) / 2,
        "modelling": ((trees - first) + (last - told)) / 2,
        "both": last - first,
    }


def intervals(contest: Contest, runs: Mapping[tuple[str, str], Run], *, seed: int = 0) -> dict[str, object]:
    """Return area and money of each of the four and the gains, each as (figure, low, high) of 95 %.

    Loans are resampled, the same for all four; models are not trained again, so what another draw of rows to
    learn from would change is in no interval.
    """
    drawn = resamples(len(contest.labels), seed=seed)
    found: dict[str, object] = {}
    for measure, of in (("AUC", areas_of), ("money", money_of)):
        by_cell = {cell: of(contest, run, drawn) for cell, run in runs.items()}
        figures = {f"{columns}, {model}": _interval(by_cell[columns, model]) for columns, model in CELLS}
        found[measure] = figures | {name: _interval(values) for name, values in gains(by_cell).items()}
    return found


def _interval(values: Reals) -> tuple[float, float, float]:
    low, high = np.percentile(values[1:], [_TAIL, 100 - _TAIL])
    return float(values[0]), float(low), float(high)
