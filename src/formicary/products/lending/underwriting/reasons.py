"""Why somebody got no credit, or less: at most four principal reasons, each of them true.

Three kinds of reasons have numbers in one column: a condition that failed, 1 and up, what cut the amount, and
a column of the model that raised the chance of default, ``COLUMN_FIRST`` and up. Where the chance of default
is what failed, in itself or in the price that it asks for, the columns that raised the score most stand in
its place, and none that did not raise it: a factor that was not scored, or that spoke for somebody, is no
reason against them. The other conditions keep their places, so that the columns fill what is left of the
four.

*True* means: a condition that is named failed on the recorded values, and once all that are named are mended,
there is credit; a column that is named added to the score, by the attributions of the model that decided.
More than four are not told (12 CFR 1002.9, official comment 9(b)(2)-1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.journal.rows import REASONS
from formicary.products.lending.underwriting.capital import Binding
from formicary.products.lending.underwriting.preapproval import Condition, Cut

__all__ = ["COLUMN_FIRST", "confirmed", "needs_columns", "principal_reasons", "sentences"]

Numbers: TypeAlias = npt.NDArray[np.uint16]
Flags: TypeAlias = npt.NDArray[np.bool_]
Reals: TypeAlias = npt.NDArray[np.float64]
Score: TypeAlias = Callable[[Reals], Reals]

COLUMN_FIRST: Final = 256
"""The number of a reason that is the model's first column."""

_CUT_FIRST: Final = 64
_BINDING_FIRST: Final = 128
# Beside the conditions what cut the amount has a place of its own, and is told last.
_CUT_PLACE: Final = len(Condition)

_IMPORTANCE: Final = (
    Condition.FRAUD_CHECK,
    Condition.ARREARS,
    Condition.WARNED,
    *(one for one in Condition if Condition.ARREARS < one < Condition.WARNED),
)
"""Conditions in the order in which they are told."""

_SCORED: Final = (1 << Condition.RISK) | (1 << Condition.PRICE)

_SENTENCES: Final[Mapping[int, str]] = {
    1 + Condition.FRAUD_CHECK: "The application did not pass the check for fraud.",
    1 + Condition.ARREARS: "A debt is past due.",
    1 + Condition.WARNED: "Not long ago sales fell far below what was usual for the business.",
    1 + Condition.MODEL: "The risk could not be assessed, as the model was not available.",
    1 + Condition.RISK: "The risk of default is higher than what we lend at.",
    1 + Condition.HISTORY: "The business has not been known to us for long enough.",
    1 + Condition.SALES: "Sales are too low for the smallest line of credit.",
    1 + Condition.DEBTS: "Existing debts take too much of the sales.",
    1 + Condition.WANTED: "The amount asked for is below the smallest line of credit.",
    1 + Condition.PRICE: "The price that the risk asks for is above the highest that we charge.",
    _CUT_FIRST + Cut.SALES: "At this risk sales carry no larger line of credit.",
    _CUT_FIRST + Cut.DEBTS: "Beside existing debts sales carry no larger line of credit.",
    _CUT_FIRST + Cut.LARGEST: "It is the largest line of credit that we lend.",
    _CUT_FIRST + Cut.STEP: "Lines of credit are multiples of a fixed amount.",
    _BINDING_FIRST + Binding.RETAINED: "Our share of such a joint loan would be too small.",
    _BINDING_FIRST + Binding.PARTY: "We lend no more to you, or to those you belong together with.",
    _BINDING_FIRST + Binding.SEGMENT: "We lend no more to your line of business for now.",
    _BINDING_FIRST + Binding.LEVERAGE: "Our own funds carry no more credit for now.",
    _BINDING_FIRST + Binding.LIQUIDITY: "Our cash carries no more credit for now.",
}


def needs_columns(decisions: npt.NDArray[Any]) -> Flags:
    """Return of which decisions (n,) the model's columns are reasons: only these have to be explained."""
    return np.asarray(decisions["failed"] & _SCORED != 0, np.bool_)


def confirmed(attributions: Reals, rows: Reals, score: Score, usual: npt.ArrayLike) -> Reals:
    """Return attributions (m, columns) without those of columns that, put right, would not lower the score.

    What a column adds is an average over what else might be known. A column may have added something on
    average, and yet the score would be the same without it, as the others say so already: it is no reason.

    Parameters
    ----------
    attributions
        What each column added to the score, (m, columns).
    rows
        What was scored, (m, columns).
    score
        Returns scores (n,) of rows (n, columns): ``Scorer(forest).raw_scores``.
    usual
        What each column is where it counts against nobody, (columns,): as its median among those who paid
        back; NaN for a column that is right where it is missing.
    """
    now, told = score(rows), attributions.copy()
    for column, value in enumerate(np.asarray(usual, np.float64).tolist()):
        is_raising = attributions[:, column] > 0
        better = rows[is_raising]
        better[:, column] = value
        is_lower = score(better) < now[is_raising]
        told[is_raising, column] = np.where(is_lower, attributions[is_raising, column], 0.0)
    return told


def principal_reasons(decisions: npt.NDArray[Any], attributions: Reals) -> Numbers:
    """Return at most four reasons of each decision, the most important first, 0 for none, (n, 4).

    Parameters
    ----------
    decisions
        (n,) of ``DECISION``.
    attributions
        What each column of the model added to the score, (m, columns), of the m decisions for which
        ``needs_columns`` is true, in their order: ``TreeShap(forest).contributions(rows)``, or those along
        the paths, ``forest.explain(rows)``, where there are millions. For a notice they are ``confirmed``.
    """
    needed = needs_columns(decisions)
    if attributions.ndim != 2 or len(attributions) != int(needed.sum()):  # noqa: PLR2004, rows and columns
        message = f"{int(needed.sum())} decisions have attributions, not an array {attributions.shape}"
        raise ProgrammingError(message)
    failed, count = decisions["failed"].astype(np.int64), len(decisions)
    conditions = np.zeros((count, _CUT_PLACE + 1), np.int64)
    for condition in Condition:
        conditions[:, condition] = np.where(failed >> condition & 1, 1 + condition, 0)
    # What own funds and cash cut is told by what bound, also where something was left.
    bound = decisions["binding"].astype(np.int64)
    conditions[:, Condition.CAPITAL] = np.where(bound > 0, _BINDING_FIRST + bound, 0)
    cut_by = decisions["cut_by"].astype(np.int64)
    conditions[:, _CUT_PLACE] = np.where(cut_by > 0, _CUT_FIRST + cut_by, 0)
    others = (conditions != 0).sum(axis=1) - _both_scored(conditions)
    raised = np.zeros((count, REASONS), np.int64)
    raised[needed] = _raised(attributions)
    raised[np.arange(REASONS) >= (REASONS - others)[:, None]] = 0
    # The columns stand for the condition; it is told itself only where no column is.
    conditions[raised[:, 0] > 0, Condition.RISK] = conditions[raised[:, 0] > 0, Condition.PRICE] = 0
    told, place = conditions[:, (*_IMPORTANCE, _CUT_PLACE)], _IMPORTANCE.index(Condition.RISK)
    every = np.concatenate([told[:, :place], raised, told[:, place:]], axis=1)
    first = np.argsort(every == 0, axis=1, kind="stable")[:, :REASONS]
    return np.take_along_axis(every, first, axis=1).astype(np.uint16)


def sentences(reasons: npt.ArrayLike, columns: Sequence[str]) -> tuple[str, ...]:
    """Return reasons (4,) of one decision in words, each sentence once.

    Parameters
    ----------
    reasons
        As ``principal_reasons`` gives them.
    columns
        The sentence of each column of the model, in its order: ``Column.reason`` of its specification.
    """
    numbers = [int(number) for number in np.asarray(reasons).tolist() if number]
    told = [
        columns[number - COLUMN_FIRST] if number >= COLUMN_FIRST else _SENTENCES[number] for number in numbers
    ]
    return tuple(dict.fromkeys(told))


def _both_scored(conditions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many of a decision's conditions the columns stand for, (n,)."""
    return np.asarray((conditions[:, [Condition.RISK, Condition.PRICE]] != 0).sum(axis=1), np.int64)


def _raised(attributions: Reals) -> npt.NDArray[np.int64]:
    """Return the columns that raised each score most, as numbers of reasons, 0 for none, (m, 4)."""
    most = np.argsort(-attributions, axis=1, kind="stable")[:, :REASONS]
    is_raising = np.take_along_axis(attributions, most, axis=1) > 0
    numbers = np.zeros((len(attributions), REASONS), np.int64)
    numbers[:, : most.shape[1]] = np.where(is_raising, COLUMN_FIRST + most, 0)
    return numbers
