"""One score of two models: of labels that come fast and are biased, and of true labels that come slowly.

Whoever investigates alerts labels at once, but only what some model had alerted them to. True labels come
weeks later and for everybody. The two teach different things, and a model of both kinds of rows at once
forgets the few that were investigated; so each kind has its model, and their scores are averaged (Dal
Pozzolo, Boracchi, Caelen, Alippi and Bontempi, *Credit card fraud detection: a realistic modeling and a novel
learning strategy*, IEEE Transactions on Neural Networks and Learning Systems 29(8), 2018).

How much the fast one counts is chosen on matured rows, on those that asked first, and judged on those that
asked last: a weight that is best where it was chosen is no evidence. An average is not calibrated; it orders
rows, and has to be calibrated before it is read as a chance. The paper averages chances. Raw scores of two
forests may be averaged as well, and their average is again that of one forest (``models.combined_forest``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.models._checks import Reals, labelled
from formicary.factory.models.metrics import average_precision, money_found

__all__ = ["Aim", "Combination", "choose_weight", "combined"]

# Weights that are tried, in percent.
_STEP: Final = 5
_WHOLE: Final = 100
# The latest rows judge, as they judge what was trained.
_JUDGED: Final = 5


class Aim(StrEnum):
    """By what a weight is chosen."""

    AVERAGE_PRECISION = "average_precision"
    MONEY_FOUND = "money_found"
    """The share of the lost money in the hundredth of rows that score highest."""


class Combination(msgspec.Struct, frozen=True, kw_only=True):
    """A weight, and what it showed.

    Attributes
    ----------
    weight
        How much the fast model counts, in percent.
    aim
        By what it was chosen.
    rows_chosen, rows_judged
        On how many rows it was chosen, and on how many later ones judged.
    chosen
        The figure of every weight that was tried, in percent, on the rows on which it was chosen.
    judged, judged_fast, judged_slow
        The figures of the combination and of either model alone on the later rows.
    """

    weight: int
    aim: Aim
    rows_chosen: int
    rows_judged: int
    chosen: dict[int, float]
    judged: float
    judged_fast: float
    judged_slow: float

    @property
    def is_better(self) -> bool:
        """Whether the combination beats either model alone on the later rows."""
        return self.judged > max(self.judged_fast, self.judged_slow)


class _Rows(NamedTuple):
    """Rows (n,)."""

    fast: Reals
    slow: Reals
    labels: Reals
    weights: Reals
    money: Reals


def combined(fast: npt.ArrayLike, slow: npt.ArrayLike, weight: int) -> Reals:
    """Return the average of scores (n,) of two models, the fast one counting ``weight`` percent."""
    if not 0 <= weight <= _WHOLE:
        message = f"a weight is from 0 to 100 percent, not {weight}"
        raise ProgrammingError(message)
    first, second = np.asarray(fast, np.float64), np.asarray(slow, np.float64)
    return (first * weight + second * (_WHOLE - weight)) / _WHOLE


def choose_weight(
    *,
    fast: npt.ArrayLike,
    slow: npt.ArrayLike,
    labels: npt.ArrayLike,
    at: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    money: npt.ArrayLike | None = None,
) -> Combination:
    """Choose how much the fast model counts.

    Parameters
    ----------
    fast, slow
        Chances of the model of fast labels and of that of slow ones, or raw scores of both, (n,), of rows
        from which neither learnt.
    labels
        The true, slow labels, 0 or 1, (n,).
    at
        When each row asked, in nanoseconds, (n,). The latest fifth judges; rows of one time stay together.
    weights
        As how many rows each counts for the average precision, (n,), as where negatives were left out.
    money
        What each row is about, in minor units, (n,): then the weight is chosen by the money found, else by
        the average precision.

    Raises
    ------
    LabelsTooFew
        The earlier or the later rows are of one class, or nothing was lost in them.

    Notes
    -----
    Of weights that are as good the one that counts the fast model least is taken: its labels are biased.
    """
    quick, known, amounts = labelled(fast, labels, money)
    steady, _, masses = labelled(slow, labels, weights)
    when = np.asarray(at, np.int64)
    if when.shape != known.shape:
        message = f"{when.shape} times do not match {known.shape} labels"
        raise ProgrammingError(message)
    aim = Aim.AVERAGE_PRECISION if money is None else Aim.MONEY_FOUND
    is_late = _latest(when)
    early, late = (
        _Rows(quick[rows], steady[rows], known[rows], masses[rows], amounts[rows])
        for rows in (~is_late, is_late)
    )
    # The least first, so that it is taken of weights that are as good.
    chosen = {weight: _figure(early, weight, aim) for weight in range(0, _WHOLE + 1, _STEP)}
    weight = max(chosen, key=lambda one: chosen[one])
    return Combination(
        weight=weight,
        aim=aim,
        rows_chosen=len(early.labels),
        rows_judged=len(late.labels),
        chosen=chosen,
        judged=_figure(late, weight, aim),
        judged_fast=_figure(late, _WHOLE, aim),
        judged_slow=_figure(late, 0, aim),
    )


def _latest(at: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which rows (n,) are the latest fifth, with all others of the time of the first of them."""
    latest = max(len(at) // _JUDGED, 1)
    return at >= np.sort(at)[-latest] if len(at) else np.zeros(0, np.bool_)


def _figure(rows: _Rows, weight: int, aim: Aim) -> float:
    scores = combined(rows.fast, rows.slow, weight)
    if aim is Aim.MONEY_FOUND:
        return money_found(scores=scores, labels=rows.labels, money=rows.money)
    return average_precision(scores=scores, labels=rows.labels, weights=rows.weights)
