"""Where a decision can turn: the cuts that a forest and rules see of each value, and rules as a judge.

Of a forest they are its thresholds. Of rules they depend on the decision: ``amount > 10 * payer_mean`` cuts
the amount at ten times this payer's mean. A side of a comparison, seen as a function of one value with all
others fixed, is made of straight pieces as long as it adds, compares and scales; the cuts are where a piece
of one side meets a piece of the other. A value that something is divided by has no cuts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions.counterfactuals import Judge
from formicary.factory.decisions.errors import MalformedItems
from formicary.factory.decisions.expressions import Term
from formicary.factory.decisions.items import Items
from formicary.factory.decisions.rules import CompiledRules
from formicary.factory.features.kinds import FieldType
from formicary.factory.models._forest_layout import COLUMN_CUT, COLUMN_CUTS, COLUMN_FEATURE
from formicary.factory.models.forest import Forest

__all__ = ["forest_cuts", "judge_of", "rule_cuts"]

Reals: TypeAlias = npt.NDArray[np.float64]
_Piece: TypeAlias = tuple[float, float]
"""Slope and intercept; an intercept that is NaN for a value that is missing."""

_COMPARISONS: Final = {"less", "less_or_equal", "greater", "greater_or_equal", "equal", "unequal"}
_NEAR: Final = 2.0**-50
_NOTHING: Final[Mapping[str, Callable[[Reals], npt.ArrayLike]]] = {}


def forest_cuts(forest: Forest) -> dict[str, tuple[float, ...]]:
    """Return the thresholds of each feature by name, ascending; features of categories have none."""
    trees = forest.trees
    found: dict[str, set[float]] = {}
    for number in range(trees.numeric):
        column = trees.columns[number]
        first, count = int(column[COLUMN_CUT]), int(column[COLUMN_CUTS])
        own = found.setdefault(forest.feature_names[column[COLUMN_FEATURE]], set())
        own.update(trees.cuts[first : first + count].tolist())
        if trees.zero_ends[number] >= 0:
            # Zero is missing there, so that it is a side of its own.
            own.update((-float(trees.zero_ends[number]), float(trees.zero_ends[number])))
    return {name: tuple(sorted(own)) for name, own in found.items()}


def rule_cuts(compiled: CompiledRules, values: Mapping[str, float]) -> dict[str, tuple[float, ...]]:
    """Return the cuts of each value by name, ascending, that armed rules make for one decision.

    Parameters
    ----------
    compiled
        The rules.
    values
        All that the decision read, by name as conditions write it: ``amount``, ``score.NAME``. What is not
        there is missing.
    """
    comparisons = [
        one for rule in compiled.rule_set.rules if rule.enabled for one in _compared(rule.condition)
    ]
    found: dict[str, tuple[float, ...]] = {}
    for name in values:
        cuts = {cut for one in comparisons for cut in _met(one, name, values)}
        if cuts:
            found[name] = tuple(sorted(cuts))
    return found


def judge_of(
    compiled: CompiledRules,
    item: Items,
    names: Sequence[str],
    scores: Mapping[str, Callable[[Reals], npt.ArrayLike]] = _NOTHING,
) -> Judge:
    """Return what judges changes of one item by rules.

    Parameters
    ----------
    compiled
        The rules.
    item
        The decision's item, (1).
    names
        For each column of the values to be judged, the feature or the number of the event that it is, finite
        where it is one of the event; a column of another name is for scores only.
    scores
        By name, what makes scores (n,) of values (n, names); other scores stay those of the item.

    Raises
    ------
    MalformedItems
        A score is none of the decision point's.
    """
    point = compiled.point
    if unknown := sorted(set(scores) - set(point.scores)):
        message = f"{point.name} has no score {', '.join(unknown)}"
        raise MalformedItems(message)

    def judge(values: Reals) -> npt.NDArray[np.int64]:
        changed = Items._make(np.repeat(column, len(values), axis=0) for column in item)
        for place, name in enumerate(names):
            if name in point.features:
                changed.features[:, point.features.index(name)] = values[:, place]
            elif name in point.on.numbers:
                is_real = point.on.fields[name].type == FieldType.REAL
                given = np.ascontiguousarray(values[:, place])
                whole = given.view(np.int64) if is_real else np.rint(given).astype(np.int64)
                changed.numbers[:, point.on.numbers.index(name)] = whole
        for name, score in scores.items():
            changed.scores[:, point.scores.index(name)] = score(values)
        return compiled.judge(changed).outcomes

    return judge


def _compared(term: Term) -> Iterator[Term]:
    """Go through the comparisons of a condition."""
    if term.head in _COMPARISONS:
        yield term
    for part in term.parts:
        yield from _compared(part)


def _met(comparison: Term, name: str, values: Mapping[str, float]) -> Iterator[float]:
    """Go through the values of a name at which pieces of both sides meet."""
    left, right = (list(_pieces(part, name, values)) for part in comparison.parts)
    for slope, intercept in left:
        for other_slope, other in right:
            steepness = slope - other_slope
            if steepness and math.isfinite(cut := (other - intercept) / steepness):
                yield cut
                if abs(steepness) != 1:
                    # Multiplied, it may come out on either side by rounding.
                    yield from (cut * (1 - _NEAR), cut * (1 + _NEAR))


def _pieces(term: Term, name: str, values: Mapping[str, float]) -> Iterator[_Piece]:
    """Go through the straight pieces of a number as a function of one value, none for a curve."""
    head = term.head
    if head == "number":
        yield 0.0, term.value
        return
    if head in ("name", "score"):
        written = f"score.{term.name}" if head == "score" else term.name
        yield (1.0, 0.0) if written == name else (0.0, values.get(written, math.nan))
        return
    parts = [list(_pieces(part, name, values)) for part in term.parts]
    if head in ("smaller", "larger"):
        yield from (*parts[0], *parts[1])
    elif head == "otherwise":
        yield from parts[1] if any(math.isnan(one) for _, one in parts[0]) else parts[0]
    elif head == "negate":
        yield from ((-slope, -one) for slope, one in parts[0])
    elif head == "magnitude":
        yield from ((sign * slope, sign * one) for slope, one in parts[0] for sign in (1, -1))
    elif head in _BOTH:
        yield from (made for a in parts[0] for b in parts[1] for made in _BOTH[head](a, b))


def _sum(left: _Piece, right: _Piece) -> Iterator[_Piece]:
    yield left[0] + right[0], left[1] + right[1]


def _difference(left: _Piece, right: _Piece) -> Iterator[_Piece]:
    yield left[0] - right[0], left[1] - right[1]


def _product(left: _Piece, right: _Piece) -> Iterator[_Piece]:
    if not left[0]:
        left, right = right, left
    if not right[0]:
        yield left[0] * right[1], left[1] * right[1]


def _quotient(left: _Piece, right: _Piece) -> Iterator[_Piece]:
    if not right[0] and right[1]:
        yield left[0] / right[1], left[1] / right[1]


_BOTH: Final[Mapping[str, Callable[[_Piece, _Piece], Iterator[_Piece]]]] = {
    "add": _sum,
    "subtract": _difference,
    "multiply": _product,
    "divide": _quotient,
}
