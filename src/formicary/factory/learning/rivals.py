"""Other ways to keep a model up to date, on the same rows: one frozen, one trained by the month.

A rival is trained on its own days from what was known then, and its scores count until its next training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.stream import Stream
from formicary.factory.learning.tables import table_of_rows
from formicary.factory.models.forest import forest_of
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.trainer import train_forest

__all__ = ["ONCE", "Rival", "rival_scores"]

Reals: TypeAlias = npt.NDArray[np.float64]

ONCE: Final = 0
"""In place of a number of days: trained once and never again."""


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A way to keep a model up to date.

    Attributes
    ----------
    name, said
        What it is called, and what it does in words.
    spec
        Its model: columns among those of the stream's.
    every_days
        After so many days it is trained again, or ``ONCE``.
    window_days
        How far back it learns, 0 for everything.
    """

    name: str
    said: str
    spec: ModelSpec
    every_days: int
    window_days: int = 0


def rival_scores(rival: Rival, stream: Stream, rows: Rows, *, begins: int, threads: int = 1) -> Reals:
    """Return the raw score of each row (n,) by a rival, NaN before it begins.

    Parameters
    ----------
    rival, stream
        Who, and where labels are told.
    rows
        All rows of the stream.
    begins
        The day of its first training, counted from 1970: the end of that day.
    threads
        How many cores; the result does not depend on it.

    Raises
    ------
    ModelRefused
        There is too little to learn from on one of its days.
    """
    places = [stream.spec.names.index(name) for name in rival.spec.names]
    scores = np.full(len(rows), np.nan)
    for day in range(begins, stream.after - 1, rival.every_days or stream.after):
        now = (day + 1) * DAY
        asked = int(np.searchsorted(rows.at, now))
        known = _told(rows, asked, stream.labels(asked, now), places)
        if rival.window_days:
            # A window of days ends with the newest one that is known.
            known = known.between(int(known.at[-1]) - rival.window_days * DAY, now)
        table = table_of_rows(rival.spec, known, negatives_each=stream.plan.negatives_each)
        forest = forest_of(train_forest(rival.spec, table, threads=threads).booster)
        scores[asked:] = forest.raw_scores(np.ascontiguousarray(rows.values[asked:, places]))
    return scores


def _told(rows: Rows, asked: int, labels: npt.NDArray[np.int8], places: list[int]) -> Rows:
    """Return the rows among the first ones whose labels are known, with the columns at some places."""
    known = np.flatnonzero(labels >= 0)
    chosen = rows.chosen(slice(0, asked))
    return Rows(
        values=chosen.values[known][:, places],
        at=chosen.at[known],
        amounts=chosen.amounts[known],
        labels=labels[known],
        parties=chosen.parties[known],
        weights=chosen.weights[known],
        segments={},
    )
