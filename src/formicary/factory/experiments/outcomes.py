"""Outcomes of parties: what a table says of each, checked against what an experiment measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from formicary.factory.experiments.definitions import Definition, Kind
from formicary.factory.experiments.errors import OutcomesUnusable
from formicary.factory.experiments.parties import numbers_of

__all__ = ["Outcomes", "outcomes_for"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """What is known of parties.

    Attributes
    ----------
    parties
        Ids as two words, each once, (m, 2).
    columns
        By name, finite reals, (m,).
    """

    parties: npt.NDArray[np.uint64]
    columns: Mapping[str, npt.NDArray[np.float64]]

    def places_of(self, parties: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the row of each of parties (n, 2); -1 for none, (n,)."""
        numbers = numbers_of(np.concatenate([self.parties, parties]))
        rows = np.full(len(numbers), -1, np.int64)
        rows[numbers[: len(self.parties)]] = np.arange(len(self.parties))
        return rows[numbers[len(self.parties) :]]


def outcomes_for(
    definition: Definition,
    parties: npt.NDArray[np.uint64],
    columns: Mapping[str, npt.NDArray[np.float64]],
) -> Outcomes:
    """Return outcomes in which everything is that an experiment measures.

    A row in which anything is missing is left out: what is compared by one metric and by another is of the
    same parties.

    Parameters
    ----------
    definition
        Of the experiment.
    parties
        (m, 2).
    columns
        By name, (m,), NaN where missing.

    Raises
    ------
    OutcomesUnusable
        A column is not there, or infinite, a proportion's is not of 0 and 1, or a party is there twice.
    """
    needed = list(dict.fromkeys(name for metric in definition.metrics for name in metric.columns))
    if lacking := [name for name in needed if name not in columns]:
        message = f"there is no column {', '.join(lacking)}"
        raise OutcomesUnusable(message)
    if len(np.unique(numbers_of(parties))) < len(parties):
        message = "a party is there twice"
        raise OutcomesUnusable(message)
    is_whole = np.ones(len(parties), bool)
    for name in needed:
        if np.isinf(columns[name]).any():
            message = f"the column {name} has infinite numbers"
            raise OutcomesUnusable(message)
        is_whole &= ~np.isnan(columns[name])
    for metric in definition.metrics:
        if metric.kind is Kind.PROPORTION and not np.isin(columns[metric.column][is_whole], (0, 1)).all():
            message = f"{metric.name} is a proportion, and the column {metric.column} is not of 0 and 1"
            raise OutcomesUnusable(message)
    return Outcomes(parties=parties[is_whole], columns={name: columns[name][is_whole] for name in needed})
