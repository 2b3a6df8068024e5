"""Rules over rows of the past: what they would have said, and what that would have been worth.

The rows are those of a table: features as they were told, before anything that came later, and the outcome
that is known by now. They are judged by the kernel that judges online, in blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions.errors import MalformedItems
from formicary.factory.decisions.items import Items, items_of
from formicary.factory.decisions.money import Outcomes
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.rules import CompiledRules, Verdict
from formicary.factory.features.kinds import FieldType
from formicary.factory.models.model import Model

__all__ = ["Judged", "Row", "chances_of", "judge_rows", "needed_columns", "outcomes_of", "table_items"]

Words: TypeAlias = npt.NDArray[np.int64]
Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""By name: ids (n, 2) of words, both 0 for none; numbers (n,), NaN for none; names (n,), None for none."""

_AT: Final = "at"
_ASKING: Final = "asking_"
_SCORE: Final = "score."
_ROWS_AT_ONCE: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one rule said of all rows; amounts are minor units of bad rows where it holds."""

    rule: str
    enabled: bool
    outcome: str
    holds: int
    unknown: int
    bad: int
    good: int
    bad_amount: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What a set of rules said of rows; ``outcomes`` are places in the decision point's, (n,)."""

    outcomes: Words
    rules: tuple[Row, ...]


def needed_columns(point: DecisionPoint) -> dict[str, tuple[str, ...]]:
    """Return what rules may read, each with the names of columns that hold it, the first that there is.

    Without any a field is absent and a feature or a score missing, but for the time and the amount.
    """
    found: dict[str, tuple[str, ...]] = {_AT: (_AT,)}
    # A training set has the asking event's own fields under names of their own.
    found |= {name: (_ASKING + name, name) for name in point.on.fields}
    found |= {name: (name,) for name in point.features if name not in point.on.fields}
    return found | {_SCORE + name: (_SCORE + name,) for name in point.scores}


def table_items(point: DecisionPoint, columns: Columns, scores: Columns) -> Items:
    """Return the rows of a table as items.

    Parameters
    ----------
    point
        Where they are judged.
    columns
        What there is of the names of ``needed_columns``.
    scores
        (n,) by name, in place of those of the table.

    Raises
    ------
    MalformedItems
        A column does not hold what the decision point says, or no column tells the time.
    """
    if _AT not in columns:
        message = f"no column {_AT!r} tells the times of rows"
        raise MalformedItems(message)
    given: dict[str, npt.NDArray[Any]] = {}
    absent: dict[str, npt.NDArray[np.bool_]] = {}
    for name in (name for name in point.on.fields if name in columns):
        column = columns[name]
        if point.on.fields[name].is_id or column.dtype.kind in "iu":
            given[name] = column
            continue
        absent[name] = np.isnan(_reals(name, column))
        filled = np.where(absent[name], 0.0, column)
        is_real = point.on.fields[name].type == FieldType.REAL
        given[name] = filled if is_real else _whole(name, filled)
    told = {name: columns[_SCORE + name] for name in point.scores if _SCORE + name in columns} | dict(scores)
    return items_of(
        point,
        at=_whole(_AT, columns[_AT]),
        columns=given,
        absent=absent,
        features={name: _reals(name, columns[name]) for name in point.features if name in columns},
        scores={name: _reals(name, column) for name, column in told.items()},
    )


def outcomes_of(
    point: DecisionPoint,
    items: Items,
    labels: npt.NDArray[Any],
    segments: npt.NDArray[Any] | None,
) -> Outcomes:
    """Return what became of rows (n).

    Parameters
    ----------
    point, items
        The amount is the first field of the event that is one.
    labels
        (n,) 1 for bad, 0 for good, NaN where it is not known.
    segments
        (n,) names or numbers.

    Raises
    ------
    MalformedItems
        The event has no amount, or a row has none; a label is neither 1 nor 0.
    """
    amounts = [name for name in point.on.numbers if point.on.fields[name].type == FieldType.AMOUNT]
    if not amounts:
        message = f"{point.on.name} has no amount, so that nothing is counted in money"
        raise MalformedItems(message)
    place = point.on.numbers.index(amounts[0])
    if np.any(items.absent >> place & 1):
        message = f"a row has no {amounts[0]}"
        raise MalformedItems(message)
    known = _reals("the label", labels)
    named = None if segments is None else np.array([_name(one) for one in segments.tolist()])
    return Outcomes(
        at=items.at,
        amounts=items.numbers[:, place],
        # What is neither stays neither, and is refused there.
        was_bad=np.select([np.isnan(known), known == 0, known == 1], [-1, 0, 1], 2).astype(np.int8),
        segments=named,
    )


def judge_rows(compiled: CompiledRules, items: Items, outcomes: Outcomes) -> Judged:
    """Judge rows in blocks, and count what each rule says of bad and of good ones."""
    rules = compiled.rule_set.rules
    found = np.zeros(len(items.at), np.int64)
    counts = np.zeros((len(rules), 5), np.int64)
    for first in range(0, len(items.at), _ROWS_AT_ONCE):
        block = slice(first, first + _ROWS_AT_ONCE)
        judged = compiled.judge(Items._make(column[block] for column in items))
        found[block] = judged.outcomes
        holds = judged.verdicts == Verdict.TRUE
        was_bad, was_good = outcomes.was_bad[block] == 1, outcomes.was_bad[block] == 0
        counts[:, 0] += holds.sum(axis=0)
        counts[:, 1] += (judged.verdicts == Verdict.UNKNOWN).sum(axis=0)
        counts[:, 2] += holds[was_bad].sum(axis=0)
        counts[:, 3] += holds[was_good].sum(axis=0)
        counts[:, 4] += outcomes.amounts[block][was_bad] @ holds[was_bad].astype(np.int64)
    rows = tuple(
        Row(
            rule=rule.name,
            enabled=rule.enabled,
            outcome=rule.outcome,
            holds=holds_count,
            unknown=unknown,
            bad=bad,
            good=good,
            bad_amount=amount,
        )
        for rule, (holds_count, unknown, bad, good, amount) in zip(rules, counts.tolist(), strict=True)
    )
    return Judged(outcomes=found, rules=rows)


def chances_of(model: Model, columns: Columns) -> npt.NDArray[np.float64]:
    """Return a model's calibrated chances (n,) of rows with its columns by name.

    Raises
    ------
    MalformedItems
        A column is not there, or not of numbers, or the model tells no chances.
    """
    parts = []
    for name in model.forest.feature_names:
        if name not in columns:
            message = f"the model {model.name} reads {name}, and there is no such column"
            raise MalformedItems(message)
        if name in model.categories:
            codes = {known: float(code) for code, known in enumerate(model.categories[name])}
            parts.append(np.array([codes.get(str(one), np.nan) for one in columns[name].tolist()]))
        else:
            parts.append(_reals(name, columns[name]))
    if model.calibration is None:
        message = f"the model {model.name} tells amounts, and rules read chances"
        raise MalformedItems(message)
    return model.calibration.apply(model.forest.raw_scores(np.column_stack(parts)))


def _reals(name: str, column: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if column.ndim != 1 or column.dtype.kind not in "fiub":
        message = f"{name} is no column of numbers, but {column.dtype} {column.shape}"
        raise MalformedItems(message)
    return column.astype(np.float64)


def _whole(name: str, column: npt.NDArray[Any]) -> Words:
    """Return whole numbers; floating-point ones are whole where nulls made them so."""
    numbers = _reals(name, column)
    if not np.isfinite(numbers).all() or np.any(numbers % 1):
        message = f"{name} has a value that is no whole number"
        raise MalformedItems(message)
    return column.astype(np.int64)


def _name(value: Any) -> str:
    """Return a segment's name."""
    is_nothing = value is None or value != value  # noqa: PLR0124, what is not itself is NaN
    return "none" if is_nothing else str(value)
