"""Training a scorecard: bins, a regression on their weights of evidence, and a ridge chosen on other rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from formicary.factory.models._binning import BinRules, Cut, cut_categories, cut_numbers
from formicary.factory.models._checks import Reals, both_classes, labelled
from formicary.factory.models._folds import stratified_folds
from formicary.factory.models._logistic import Line, fit_line
from formicary.factory.models.errors import ModelMalformed, TableUnusable
from formicary.factory.models.metrics import log_loss
from formicary.factory.models.scorecard import PointsScale, Scorecard, ScorecardColumn, by_name

__all__ = ["BinRules", "ScorecardRules", "train_scorecard"]

_LABELS_MIN: Final = 10
_DIRECTIONS: Final = {-1, 0, 1}


@dataclass(frozen=True, slots=True)
class ScorecardRules:
    """How a scorecard is trained.

    Attributes
    ----------
    bins
        What a bin must have.
    penalties
        Of the ridge, in rows: one of them is chosen by log loss on folds. Strongest first.
    folds
        Of that cross-validation; bins are cut anew without each fold.
    scale
        How points are told.
    """

    bins: BinRules = field(default_factory=BinRules)
    penalties: tuple[float, ...] = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3)
    folds: int = 5
    scale: PointsScale = field(default_factory=PointsScale)


class _Column(NamedTuple):
    """A column to train on: numbers or codes (n,)."""

    name: str
    is_categorical: bool
    direction: int
    values: npt.NDArray[Any]


class _Fitted(NamedTuple):
    """The columns that tell something, their bins, and the line over their weights."""

    columns: list[_Column]
    cuts: list[Cut]
    line: Line


def train_scorecard(
    *,
    numeric: Any,
    categorical: Any,
    labels: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    constraints: Mapping[str, int] | None = None,
    rules: ScorecardRules | None = None,
    seed: int = 0,
) -> Scorecard:
    """Train a scorecard; on one machine the same rows, rules and seed give the same card.

    Parameters
    ----------
    numeric
        Dict or ``NamedTuple`` of numbers (n,) by name, NaN where missing.
    categorical
        Dict or ``NamedTuple`` of integer codes (n,) by name, -1 where missing.
    labels
        1 where a case went bad, else 0, (n,).
    weights
        How many rows a row stands for, (n,), up to a common factor; one each by default.
    constraints
        By the name of a column of numbers: 1 where a higher number may not lower the score, -1 where it may
        not raise it, 0 where it is free, as all are that are not named.
    rules
        How to train; ``ScorecardRules()`` by default.
    seed
        Of the folds on which the ridge is chosen.

    Returns
    -------
    Scorecard
        A column that tells nothing, as it is constant or missing throughout or no cut of it gains its cost,
        is left out with a note; so is one whose evidence the others turn around, since a coefficient is never
        negative.

    Raises
    ------
    LabelsTooFew
        A class has fewer than ten rows of positive weight.
    ModelMalformed
        A constraint names no column of numbers, or is none of -1, 0 and 1.
    TableUnusable
        Columns differ in length, share a name, hold an infinite number or a code below -1, or none tells
        anything.
    """
    chosen = rules or ScorecardRules()
    classes = np.asarray(labels, np.float64)
    _, classes, masses = labelled(classes, classes, weights)
    both_classes(classes, masses, least=max(_LABELS_MIN, chosen.folds))
    kept = masses > 0
    columns = _columns(by_name(numeric), by_name(categorical), constraints or {}, rows=len(classes))
    columns = [column._replace(values=column.values[kept]) for column in columns]
    classes, masses = classes[kept], masses[kept]
    # Rows are what the rules count in.
    masses = masses * (len(masses) / masses.sum())
    penalty = _best_penalty(columns, classes, masses, rules=chosen, seed=seed)
    return _card(columns, classes, masses, penalty=penalty, rules=chosen)


def _card(
    columns: Sequence[_Column], labels: Reals, weights: Reals, *, penalty: float, rules: ScorecardRules
) -> Scorecard:
    """Fit on all rows with the penalty chosen, and keep what adds something."""
    (fitted,) = _fitted(columns, labels, weights, bins=rules.bins, penalties=(penalty,))
    scored = tuple(
        _scored(column, cut, float(coefficient))
        for column, cut, coefficient in zip(*fitted[:2], fitted.line.coefficients, strict=True)
        if coefficient > 0
    )
    if not scored:
        message = f"none of {[column.name for column in columns]} tells anything about the label"
        raise TableUnusable(message)
    telling, used = {column.name for column in fitted.columns}, {column.name for column in scored}
    return Scorecard(
        intercept=fitted.line.intercept,
        columns=scored,
        scale=rules.scale,
        penalty=penalty,
        notes=tuple(_notes(columns, telling=telling, used=used)),
    )


def _columns(
    numeric: Mapping[str, Any], categorical: Mapping[str, Any], constraints: Mapping[str, int], *, rows: int
) -> list[_Column]:
    for name, direction in constraints.items():
        if name not in numeric or direction not in _DIRECTIONS:
            message = f"the constraint {direction} on {name!r} is not -1, 0 or 1 on a column of numbers"
            raise ModelMalformed(message)
    if both := sorted(numeric.keys() & categorical.keys()):
        message = f"{both} are columns of numbers and of categories"
        raise TableUnusable(message)
    columns = [
        _Column(name, False, constraints.get(name, 0), np.asarray(values, np.float64))  # noqa: FBT003, a field
        for name, values in numeric.items()
    ]
    columns += [
        _Column(name, True, 0, np.asarray(codes, np.int64))  # noqa: FBT003, a field
        for name, codes in categorical.items()
    ]
    if not columns:
        message = "there is no column to train on"
        raise TableUnusable(message)
    for column in columns:
        if column.values.shape != (rows,):
            message = f"the column {column.name!r} is {column.values.shape}, labels are {(rows,)}"
            raise TableUnusable(message)
        if (column.values < -1).any() if column.is_categorical else np.isinf(column.values).any():
            message = f"the column {column.name!r} has an infinite number or a code below -1"
            raise TableUnusable(message)
    return columns


def _best_penalty(
    columns: Sequence[_Column], labels: Reals, weights: Reals, *, rules: ScorecardRules, seed: int
) -> float:
    """Return the penalty of least log loss on rows that were not fitted, the strongest of equals."""
    fold_of = stratified_folds(labels, folds=rules.folds, seed=seed)
    losses = np.zeros(len(rules.penalties))
    for fold in range(rules.folds):
        rest, judged = fold_of != fold, fold_of == fold
        part = [column._replace(values=column.values[rest]) for column in columns]
        fits = _fitted(part, labels[rest], weights[rest], bins=rules.bins, penalties=rules.penalties)
        by_column = {column.name: column.values[judged] for column in columns}
        design = _design(fits[0], by_column)
        for place, fitted in enumerate(fits):
            chances = expit(design @ fitted.line.coefficients + fitted.line.intercept)
            loss = log_loss(probabilities=chances, labels=labels[judged], weights=weights[judged])
            losses[place] += loss * weights[judged].sum()
    return rules.penalties[int(losses.argmin())]


def _fitted(
    columns: Sequence[_Column],
    labels: Reals,
    weights: Reals,
    *,
    bins: BinRules,
    penalties: Sequence[float],
) -> list[_Fitted]:
    """Cut the columns once, and fit a line for each penalty."""
    cuts = [
        cut_categories(column.values, labels, weights, rules=bins)
        if column.is_categorical
        else cut_numbers(column.values, labels, weights, direction=column.direction, rules=bins)
        for column in columns
    ]
    telling = [(column, cut) for column, cut in zip(columns, cuts, strict=True) if _tells(cut)]
    known = _Fitted([column for column, _ in telling], [cut for _, cut in telling], Line(0.0, np.empty(0)))
    design = _design(known, {column.name: column.values for column in columns})
    fits: list[_Fitted] = []
    for penalty in penalties:
        start = fits[-1].line if fits else None
        line = fit_line(design, labels, weights, penalty=penalty, start=start)
        fits.append(known._replace(line=line))
    return fits


def _tells(cut: Cut) -> bool:
    """Tell whether two bins that hold something weigh differently."""
    return len(np.unique(cut.weights[cut.rows > 0])) > 1


def _design(fitted: _Fitted, values: Mapping[str, npt.NDArray[Any]]) -> Reals:
    """Return the weights of evidence (n, m) of values by column."""
    design = np.empty((len(next(iter(values.values()))), len(fitted.columns)))
    for place, (column, cut) in enumerate(zip(fitted.columns, fitted.cuts, strict=True)):
        scored = _scored(column, cut, 1.0)
        design[:, place] = scored.added[scored.places(values[column.name])]
    return design


def _scored(column: _Column, cut: Cut, coefficient: float) -> ScorecardColumn:
    return ScorecardColumn(
        name=column.name,
        is_categorical=column.is_categorical,
        direction=column.direction,
        coefficient=coefficient,
        ends=tuple(cut.ends.tolist()),
        codes=cut.codes,
        rows=tuple(cut.rows.tolist()),
        mass=tuple(cut.mass.tolist()),
        positives=tuple(cut.positives.tolist()),
        weights=tuple(cut.weights.tolist()),
    )


def _notes(columns: Sequence[_Column], *, telling: set[str], used: set[str]) -> list[str]:
    notes = []
    for column in columns:
        if column.name not in telling:
            notes.append(f"{column.name} is left out: no cut of it tells the labels apart.")
        elif column.name not in used:
            notes.append(f"{column.name} is left out: beside the others its evidence would turn around.")
    return notes
