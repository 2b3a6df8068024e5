"""Training a scorecard: bins, a regression on their weights of evidence, and a ridge chosen on other rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from formicary.base.limits import SCORECARD_ROWS_EACH_MAX
from formicary.factory.models._binning import BinRules, Cut, Groups, cut, group_categories, group_numbers
from formicary.factory.models._checks import Integers, Reals, both_classes, labelled
from formicary.factory.models._folds import stratified_folds, stratified_sample
from formicary.factory.models._logistic import Line, fit_line
from formicary.factory.models.errors import ModelMalformed, TableUnusable
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
        What a bin must have: the first, unless another one gains more than a standard error of log loss on
        folds.
    penalties
        Of the ridge, in rows: one is chosen as well. Strongest first.
    folds
        Of that cross-validation; bins are cut anew without each fold.
    rows_each_max
        Rows of either class that coefficients are fitted to; bins count all rows.
    scale
        How points are told.
    """

    bins: tuple[BinRules, ...] = (BinRules(), BinRules(cost=0.0, smoothing=40.0), BinRules(share_min=0.01))
    penalties: tuple[float, ...] = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3)
    folds: int = 5
    rows_each_max: int = SCORECARD_ROWS_EACH_MAX
    scale: PointsScale = field(default_factory=PointsScale)


class _Column(NamedTuple):
    """A column to train on."""

    name: str
    direction: int
    groups: Groups


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
        Of the folds on which bins and ridge are chosen, and of the rows that are drawn of very many.

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
    columns = _columns(by_name(numeric), by_name(categorical), constraints or {}, kept=masses > 0)
    classes, masses = classes[masses > 0], masses[masses > 0]
    # Rows are what the rules count in.
    masses = masses * (len(masses) / masses.sum())
    drawn = stratified_sample(classes, each_max=chosen.rows_each_max, seed=seed)
    bins, penalty = _chosen(_rows(columns, drawn), classes[drawn], masses[drawn], rules=chosen, seed=seed)
    cuts = _cuts(columns, classes, masses, bins=bins)
    design = _design(_rows(columns, drawn), cuts)
    (line,) = _lines(design, classes[drawn], masses[drawn], penalties=(penalty,))
    # Shares of classes among what was drawn move the intercept alone (Prentice and Pyke, Logistic disease
    # incidence models and case-control studies, Biometrika 66, 1979).
    moved = _log_odds(classes, masses) - _log_odds(classes[drawn], masses[drawn])
    line = line._replace(intercept=line.intercept + moved)
    return _card(columns, cuts, line, penalty=penalty, scale=chosen.scale)


def _card(
    columns: Sequence[_Column], cuts: Sequence[Cut], line: Line, *, penalty: float, scale: PointsScale
) -> Scorecard:
    """Keep what adds something, and say of the rest why it does not."""
    scored, notes = [], []
    for column, cut_of, coefficient in zip(columns, cuts, line.coefficients.tolist(), strict=True):
        if not cut_of.tells:
            notes.append(f"{column.name} is left out: no cut of it tells the labels apart.")
        elif coefficient > 0:
            scored.append(_scored(column, cut_of, coefficient))
        else:
            notes.append(f"{column.name} is left out: beside the others its evidence would turn around.")
    if not scored:
        message = f"none of {[column.name for column in columns]} tells anything about the label"
        raise TableUnusable(message)
    return Scorecard(
        intercept=line.intercept, columns=tuple(scored), scale=scale, penalty=penalty, notes=tuple(notes)
    )


def _columns(
    numeric: Mapping[str, Any],
    categorical: Mapping[str, Any],
    constraints: Mapping[str, int],
    *,
    kept: npt.NDArray[np.bool_],
) -> list[_Column]:
    """Return the columns in groups, without the rows that are not kept (n,)."""
    for name, direction in constraints.items():
        if name not in numeric or direction not in _DIRECTIONS:
            message = f"the constraint {direction} on {name!r} is not -1, 0 or 1 on a column of numbers"
            raise ModelMalformed(message)
    if both := sorted(numeric.keys() & categorical.keys()):
        message = f"{both} are columns of numbers and of categories"
        raise TableUnusable(message)
    given: dict[str, npt.NDArray[Any]]
    given = {name: np.asarray(values, np.float64) for name, values in numeric.items()}
    given |= {name: np.asarray(codes, np.int64) for name, codes in categorical.items()}
    if not given:
        message = "there is no column to train on"
        raise TableUnusable(message)
    columns = []
    for name, values in given.items():
        if values.shape != kept.shape:
            message = f"the column {name!r} is {values.shape}, labels are {kept.shape}"
            raise TableUnusable(message)
        if np.isinf(values).any() if name in numeric else (values < -1).any():
            message = f"the column {name!r} has an infinite number or a code below -1"
            raise TableUnusable(message)
        groups = group_numbers(values[kept]) if name in numeric else group_categories(values[kept])
        columns.append(_Column(name, constraints.get(name, 0), groups))
    return columns


def _rows(columns: Sequence[_Column], chosen: npt.NDArray[Any]) -> list[_Column]:
    return [column._replace(groups=column.groups.rows(chosen)) for column in columns]


def _chosen(
    columns: Sequence[_Column], labels: Reals, weights: Reals, *, rules: ScorecardRules, seed: int
) -> tuple[BinRules, float]:
    """Return what bins must have, by the penalty in the middle, and then the penalty."""
    fold_of = stratified_folds(labels, folds=rules.folds, seed=seed)
    middle = rules.penalties[len(rules.penalties) // 2 :][:1]
    by_bins = np.concatenate(
        [_losses(columns, labels, weights, fold_of, bins=one, penalties=middle) for one in rules.bins]
    )
    # What gains less than a standard error over the first may be luck.
    gains = by_bins[0] - by_bins
    sure = gains.sum(axis=1) - np.sqrt(len(labels)) * gains.std(axis=1)
    bins = rules.bins[int(sure.argmax())]
    by_penalty = _losses(columns, labels, weights, fold_of, bins=bins, penalties=rules.penalties)
    return bins, rules.penalties[int(by_penalty.sum(axis=1).argmin())]


def _losses(
    columns: Sequence[_Column],
    labels: Reals,
    weights: Reals,
    fold_of: Integers,
    *,
    bins: BinRules,
    penalties: Sequence[float],
) -> Reals:
    """Return the log loss (k, n) by penalty of each row where it was not fitted to."""
    losses = np.empty((len(penalties), len(labels)))
    for fold in range(int(fold_of.max()) + 1):
        rest, judged = fold_of != fold, fold_of == fold
        learnt = _rows(columns, rest)
        cuts = _cuts(learnt, labels[rest], weights[rest], bins=bins)
        lines = _lines(_design(learnt, cuts), labels[rest], weights[rest], penalties=penalties)
        design = _design(_rows(columns, judged), cuts)
        for place, line in enumerate(lines):
            odds = design @ line.coefficients + line.intercept
            losses[place, judged] = weights[judged] * (np.logaddexp(0.0, odds) - labels[judged] * odds)
    return losses


def _cuts(columns: Sequence[_Column], labels: Reals, weights: Reals, *, bins: BinRules) -> list[Cut]:
    return [cut(column.groups, labels, weights, direction=column.direction, rules=bins) for column in columns]


def _design(columns: Sequence[_Column], cuts: Sequence[Cut]) -> Reals:
    """Return the weights of evidence (n, m) of rows."""
    parts = [one.group_weights[column.groups.places] for column, one in zip(columns, cuts, strict=True)]
    return np.column_stack(parts)


def _lines(design: Reals, labels: Reals, weights: Reals, *, penalties: Sequence[float]) -> list[Line]:
    """Fit a line for each penalty, one on from the other."""
    lines: list[Line] = []
    for penalty in penalties:
        start = lines[-1] if lines else None
        lines.append(fit_line(design, labels, weights, penalty=penalty, start=start))
    return lines


def _log_odds(labels: Reals, weights: Reals) -> float:
    return float(logit((weights * labels).sum() / weights.sum()))


def _scored(column: _Column, cut_of: Cut, coefficient: float) -> ScorecardColumn:
    return ScorecardColumn(
        name=column.name,
        is_categorical=column.groups.is_categorical,
        direction=column.direction,
        coefficient=coefficient,
        ends=tuple(cut_of.ends.tolist()),
        codes=cut_of.codes,
        rows=tuple(cut_of.rows.tolist()),
        mass=tuple(cut_of.mass.tolist()),
        positives=tuple(cut_of.positives.tolist()),
        weights=tuple(cut_of.weights.tolist()),
    )
