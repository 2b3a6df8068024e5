"""Rows to learn from: the columns of a specification as numbers, with labels, weights and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.models.errors import LabelsTooFew, TableUnusable
from formicary.factory.models.spec import ModelSpec, Objective

__all__ = ["Categories", "TrainingTable", "encoded", "names_of", "table_of"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]
Categories: TypeAlias = Mapping[str, tuple[str, ...]]
"""For each column of names, the names that were there in training; the place of one is its code."""

_LABELS_MIN: Final = 20
"""Of each class: with fewer, no validation can tell a good model from a lucky one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingTable:
    """Rows to learn from.

    Attributes
    ----------
    values
        (n, columns), NaN where missing; codes of names.
    labels
        (n,): 0 and 1 of a classification, amounts of a regression.
    weights
        (n,), positive.
    at
        (n,): when each row was asked about, in nanoseconds; None where the rows have no order in time.
    categories
        The names behind codes.
    money
        (n,): minor units that each row is about; None where rows are about none.
    """

    values: Reals
    labels: Reals
    weights: Reals
    at: Words | None
    categories: Categories
    money: Reals | None = None

    def rows(self, chosen: npt.NDArray[Any]) -> TrainingTable:
        """Return the chosen rows, by number or by a flag for each."""
        return replace(
            self,
            values=self.values[chosen],
            labels=self.labels[chosen],
            weights=self.weights[chosen],
            at=None if self.at is None else self.at[chosen],
            money=None if self.money is None else self.money[chosen],
        )

    def require_labels(self, spec: ModelSpec) -> None:
        """Raise ``LabelsTooFew`` where a classification cannot learn from so few of a class."""
        if spec.objective == Objective.CLASSIFICATION:
            positives = int((self.labels == 1).sum())
            negatives = len(self.labels) - positives
            if min(positives, negatives) < _LABELS_MIN:
                message = f"{spec.name}: {positives} positives and {negatives} negatives, under {_LABELS_MIN}"
                raise LabelsTooFew(message)


def table_of(
    spec: ModelSpec,
    columns: Mapping[str, npt.ArrayLike],
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    at: npt.ArrayLike | None = None,
    money: npt.ArrayLike | None = None,
) -> TrainingTable:
    """Return a table for a specification.

    Parameters
    ----------
    spec
        Which columns, and which of them are names.
    columns
        Arrays (n,) by name: numbers, NaN or None where missing; or names, None where missing.
    labels
        (n,) 0 or 1 of a classification, numbers of a regression; a missing one is refused.
    weights, at, money
        (n,), as in ``TrainingTable``.

    Raises
    ------
    TableUnusable
        A column is not there, is constant or missing everywhere, is not of numbers, or not of n rows; a
        label is not what the objective takes; a weight or an amount of money is below zero.
    """
    target = np.asarray(labels, np.float64)
    _require_targets(spec, target)
    categories: dict[str, tuple[str, ...]] = {}
    for column in spec.columns:
        if column.name not in columns:
            message = f"{spec.name}: there is no column {column.name}"
            raise TableUnusable(message)
        if column.is_category:
            given = np.asarray(columns[column.name], object)
            categories[column.name] = tuple(sorted({str(name) for name in given if name is not None}))
    values = encoded(spec, columns, categories)
    if len(values) != len(target):
        message = f"{spec.name}: {len(values)} rows, and {len(target)} labels"
        raise TableUnusable(message)
    for place, column in enumerate(spec.columns):
        _require_told(spec, column.name, values[:, place])
    given_weights = np.ones(len(target)) if weights is None else np.asarray(weights, np.float64)
    if len(given_weights) != len(target) or not (given_weights > 0).all():
        message = f"{spec.name}: a weight for each row, above zero"
        raise TableUnusable(message)
    amounts = None if money is None else np.asarray(money, np.float64)
    if amounts is not None and (len(amounts) != len(target) or not (amounts >= 0).all()):
        message = f"{spec.name}: an amount of money for each row, not below zero"
        raise TableUnusable(message)
    return TrainingTable(
        values=values,
        labels=target,
        weights=given_weights,
        at=None if at is None else np.asarray(at, np.int64),
        categories=categories,
        money=amounts,
    )


def encoded(spec: ModelSpec, columns: Mapping[str, npt.ArrayLike], categories: Categories) -> Reals:
    """Return columns as numbers, (n, columns); a name that is not among the categories is missing.

    Raises
    ------
    TableUnusable
        A column is not of numbers.
    """
    parts = []
    for column in spec.columns:
        given = columns[column.name]
        if column.is_category:
            codes = {name: float(code) for code, name in enumerate(categories[column.name])}
            names = np.asarray(given, object)
            parts.append(np.array([codes.get(str(name), np.nan) for name in names], np.float64))
            continue
        try:
            parts.append(np.asarray(given, np.float64))
        except (TypeError, ValueError) as error:
            message = f"{spec.name}: the column {column.name} is not of numbers: {error}"
            raise TableUnusable(message) from error
    if len({len(part) for part in parts}) != 1:
        message = f"{spec.name}: columns of different lengths"
        raise TableUnusable(message)
    return np.column_stack(parts)


def names_of(values: Reals) -> list[str | None]:
    """Return the values (n,) of a feature that is a code as names, None where missing.

    Examples
    --------
    >>> names_of(np.array([826.0, np.nan]))
    ['826', None]
    """
    return [None if np.isnan(value) else f"{value:.17g}" for value in values.tolist()]


def _require_targets(spec: ModelSpec, target: Reals) -> None:
    known = np.isin(target, (0.0, 1.0)) if spec.objective == Objective.CLASSIFICATION else np.isfinite(target)
    if not known.all():
        message = f"{spec.name}: {int((~known).sum())} labels are not what a {spec.objective} takes"
        raise TableUnusable(message)


def _require_told(spec: ModelSpec, name: str, values: Reals) -> None:
    present = values[~np.isnan(values)]
    if not len(present):
        message = f"{spec.name}: {name} is missing in every row"
        raise TableUnusable(message)
    if len(present) == len(values) and (present == present[0]).all():
        message = f"{spec.name}: {name} is {present[0]:g} in every row"
        raise TableUnusable(message)
