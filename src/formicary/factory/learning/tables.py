"""Rows of learning as a table to learn from.

Negatives are plenty and alike: all positives are kept, so many negatives for each, and those kept weigh what
those left out would have (King and Zeng, *Logistic regression in rare events data*, 2001). Rows that stand
for others by themselves, as they were let through by a lot, weigh that as well.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.draws import draws
from formicary.factory.learning.rows import Rows
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import Categories, TrainingTable, encoded, table_of

__all__ = ["table_beside", "table_of_rows"]

Reals: TypeAlias = npt.NDArray[np.float64]


def table_of_rows(
    spec: ModelSpec, rows: Rows, *, negatives_each: int, is_timeless: bool = False
) -> TrainingTable:
    """Return rows (n) as a table: all positives, and so many negatives for each of them, 0 for all.

    A training holds out the latest rows of a table to end by, or, if it is timeless, some of each time.
    """
    kept, weights = _kept(rows.labels, negatives_each, spec.seed)
    columns = {name: rows.values[kept, place] for place, name in enumerate(spec.names)}
    return table_of(
        spec,
        columns,
        rows.labels[kept],
        weights=weights * rows.weights[kept],
        at=None if is_timeless else rows.at[kept],
        money=rows.amounts[kept],
    )


def table_beside(
    spec: ModelSpec, rows: Rows, categories: Categories, *, negatives_each: int
) -> TrainingTable:
    """Return rows (n) as a table that learns beside another, with the categories of that one.

    A column may tell nothing here: of rows that somebody chose, one that they were chosen by may be the same
    everywhere.
    """
    kept, weights = _kept(rows.labels, negatives_each, spec.seed)
    columns = {name: rows.values[kept, place] for place, name in enumerate(spec.names)}
    return TrainingTable(
        values=encoded(spec, columns, categories),
        labels=rows.labels[kept].astype(np.float64),
        weights=weights * rows.weights[kept],
        at=rows.at[kept],
        categories=categories,
        money=rows.amounts[kept].astype(np.float64),
    )


def _kept(labels: npt.NDArray[np.int8], each: int, seed: int) -> tuple[npt.NDArray[np.int64], Reals]:
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    count = each * len(positives)
    if not each or count >= len(negatives):
        return np.arange(len(labels)), np.ones(len(labels))
    drawn = negatives[np.argsort(draws(seed, len(negatives)), kind="stable")[:count]]
    kept = np.sort(np.concatenate([positives, drawn]))
    return kept, np.where(labels[kept] == 1, 1.0, len(negatives) / count)
