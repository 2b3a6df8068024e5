"""What is looked at in a model that was trained, each on rows that a table or a stranger may hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import lightgbm
import numpy as np
import numpy.typing as npt

from formicary.factory.models._folds import stratified_folds
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.leaks import suspicions
from formicary.factory.models.model import Model
from formicary.factory.models.spec import SENTENCE_ENDS, ModelSpec
from formicary.factory.models.table import TrainingTable
from formicary.factory.models.training import missed_gates

__all__ = ["Finding", "check_bits", "check_chances", "check_directions", "check_gates", "check_leaks"]
__all__ += ["check_missing", "check_reasons", "check_same", "check_spec", "check_stored", "odd_rows"]

Reals: TypeAlias = npt.NDArray[np.float64]

_ROWS_MAX: Final = 256
"""Drawn from the table for each look: a defect of a column shows in a few dozen."""
_GRID: Final = 33
_BEYOND: Final = np.array([1.0, 100.0])
"""By so much a score is past all that were seen: rows of tomorrow may be."""
_WORDS_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the rule that is broken, where, and how."""

    rule: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.detail}"


def check_spec(spec: ModelSpec) -> Iterator[Finding]:
    """Go through what a specification itself says is wrong with it."""
    for detail in spec.findings():
        yield Finding("a specification does not contradict itself", spec.name, detail)


def check_reasons(spec: ModelSpec) -> Iterator[Finding]:
    """Go through columns whose reason nobody could be told: one word, or no sentence."""
    for column in spec.columns:
        words = column.reason.split()
        if len(words) < _WORDS_MIN or words[0][0].islower() or not column.reason.endswith(SENTENCE_ENDS):
            yield Finding("every column has a reason sentence", column.name, f"not {column.reason!r}")


def check_leaks(spec: ModelSpec, table: TrainingTable) -> Iterator[Finding]:
    """Go through columns that tell the label, and of which the specification does not say why."""
    explained = {column.name for column in spec.columns if column.known_because}
    for one in suspicions(spec, table):
        if one.column not in explained:
            yield Finding("no column tells the label", one.column, one.said)


def check_gates(spec: ModelSpec, model: Model) -> Iterator[Finding]:
    """Go through the gates that a model misses."""
    for detail in missed_gates(spec, model):
        yield Finding("a model passes its gates", spec.name, detail)


def check_same(model: Model, again: Model) -> Iterator[Finding]:
    """Tell whether a second training came to something else."""
    if model.hash != again.hash:
        detail = f"{model.hash}, and then {again.hash}"
        yield Finding("a seed gives the same model every time", model.name, detail)


def odd_rows(spec: ModelSpec, table: TrainingTable) -> Reals:
    """Return rows (m, columns) of a table, with a value missing, with none, and with names never seen."""
    fold_of = stratified_folds(table.labels, folds=max(len(table.labels) // _ROWS_MAX, 2), seed=spec.seed)
    drawn = table.values[fold_of == 0][:_ROWS_MAX]
    parts = [drawn, np.full((1, len(spec.columns)), np.nan)]
    for place, column in enumerate(spec.columns):
        strange = [np.nan]
        if column.is_category:
            # No code of the table: the first that is free, and one that no table has.
            strange += [float(len(table.categories[column.name])), -1.0]
        for value in strange:
            changed = drawn[: _ROWS_MAX // 8].copy()
            changed[:, place] = value
            parts.append(changed)
    return np.concatenate(parts)


def check_bits(model: Model, booster: lightgbm.Booster, rows: Reals) -> Iterator[Finding]:
    """Go through how the flat forest differs from the learner's own predictions of rows (m, columns)."""
    expected = np.asarray(booster.predict(rows, raw_score=True), np.float64)
    found = model.forest.raw_scores(rows)
    differ = int((found.view(np.int64) != expected.view(np.int64)).sum())
    if differ:
        detail = f"{differ} of {len(rows)} rows, by {np.nanmax(np.abs(found - expected)):.3g} at most"
        yield Finding("the flat forest has the learner's bits", model.name, detail)


def check_stored(model: Model, rows: Reals) -> Iterator[Finding]:
    """Go through what a model loses when it is stored and read again."""
    rule = "what is stored is what is read"
    try:
        again = type(model).from_bytes(model.to_bytes(), expected_hash=model.hash)
    except ModelRefused as refusal:
        yield Finding(rule, model.name, str(refusal))
        return
    if again.hash != model.hash:
        yield Finding(rule, model.name, f"{model.hash} is read as {again.hash}")
    if not np.array_equal(_predicted(again, rows), _predicted(model, rows), equal_nan=True):
        yield Finding(rule, model.name, "it scores otherwise")


def check_directions(spec: ModelSpec, model: Model, table: TrainingTable) -> Iterator[Finding]:
    """Go through columns along which a prediction moves against what is declared."""
    drawn = odd_rows(spec, table)[: _ROWS_MAX // 8]
    for place, column in enumerate(spec.columns):
        if not column.monotone:
            continue
        grid = _grid(table.values[:, place])
        rows = np.repeat(drawn, len(grid), axis=0)
        rows[:, place] = np.tile(grid, len(drawn))
        steps = np.diff(_predicted(model, rows).reshape(len(drawn), -1), axis=1) * column.monotone
        if (steps < 0).any():
            detail = f"{int((steps < 0).sum())} of {steps.size} steps go the other way, by {-steps.min():.3g}"
            yield Finding("predictions move as declared", column.name, detail)


def check_missing(spec: ModelSpec, model: Model, table: TrainingTable) -> Iterator[Finding]:
    """Go through columns without whose value there is no finite prediction."""
    drawn = odd_rows(spec, table)[: _ROWS_MAX // 8]
    for place, column in enumerate(spec.columns):
        rows = drawn.copy()
        rows[:, place] = np.nan
        if lost := int((~np.isfinite(_predicted(model, rows))).sum()):
            detail = f"{lost} of {len(rows)} predictions are no number where it is missing"
            yield Finding("a missing value is no missing prediction", column.name, detail)


def check_chances(model: Model, rows: Reals) -> Iterator[Finding]:
    """Go through what makes calibrated chances none: certainty, or less of it for a higher score."""
    if model.calibration is None:
        return
    scores = np.unique(model.forest.raw_scores(rows))
    scores = np.concatenate([scores[:1] - _BEYOND[::-1], scores, scores[-1:] + _BEYOND])
    chances = model.calibration.apply(scores)
    if outside := int((~((chances > 0) & (chances < 1))).sum()):
        detail = f"{outside} of {len(scores)} are not"
        yield Finding("chances are between 0 and 1", model.name, detail)
    if (np.diff(chances) < 0).any():
        detail = f"{int((np.diff(chances) < 0).sum())} of {len(scores) - 1} steps fall"
        yield Finding("chances never fall where scores rise", model.name, detail)


def _predicted(model: Model, rows: Reals) -> Reals:
    """Return what rows (m, columns) are predicted: chances, or amounts."""
    scores = model.forest.raw_scores(rows)
    return model.forest.predicted(scores) if model.calibration is None else model.calibration.apply(scores)


def _grid(values: Reals) -> Reals:
    """Return numbers, ascending, among values (n,) that may be missing, and beyond both ends."""
    present = values[~np.isnan(values)]
    within = np.quantile(present, np.linspace(0, 1, _GRID))
    beyond = max(float(np.ptp(present)), 1.0)
    return np.concatenate([within[:1] - beyond, within, within[-1:] + beyond])
