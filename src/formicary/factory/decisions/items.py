"""Items to be judged by rules, made of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions._rule_layout import Items, Reals
from formicary.factory.decisions.errors import MalformedItems
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.features._layout import VALUE_MAX
from formicary.factory.features.columns import AT_MAX
from formicary.factory.features.kinds import FieldType

__all__ = ["Items", "items_of"]

_NOTHING: Final[Mapping[str, npt.ArrayLike]] = {}


def items_of(
    point: DecisionPoint,
    *,
    at: npt.ArrayLike,
    columns: Mapping[str, npt.ArrayLike],
    absent: Mapping[str, npt.ArrayLike] = _NOTHING,
    features: Mapping[str, npt.ArrayLike] = _NOTHING,
    scores: Mapping[str, npt.ArrayLike] = _NOTHING,
) -> Items:
    """Return items (n) for the rules of a decision point.

    Parameters
    ----------
    point
        Where they are judged.
    at
        (n,) nanoseconds since the Unix epoch.
    columns
        For each field of the event an array: ids (n, 2) of high and low words, both 0 for an absent one;
        amounts and numbers (n,) whole, reals (n,). A field without a column is absent.
    absent
        For fields that are no ids, (n,) where they are absent.
    features, scores
        (n,) by name, NaN for a missing one. One without a column is missing.

    Raises
    ------
    MalformedItems
        A column is of another length or type, or of a name that the decision point does not have.
    """
    times = np.asarray(at)
    count = len(times)
    if times.dtype.kind not in "iu" or (count and not (times.min() >= 0 and times.max() <= AT_MAX)):
        message = f"{point.name}: times are nanoseconds since 1970, at most {AT_MAX}"
        raise MalformedItems(message)
    on = point.on
    _require(point, count, (on.fields, columns), (on.numbers, absent))
    _require(point, count, (point.features, features), (point.scores, scores))
    ids = np.zeros((count, len(on.ids), 2), np.int64)
    for place, name in enumerate(on.ids):
        if name in columns:
            ids[:, place] = _typed(point, name, columns[name], "iu", (count, 2)).astype(np.int64)
    numbers = np.zeros((count, len(on.numbers)), np.int64)
    bits = np.zeros(count, np.int64)
    for place, name in enumerate(on.numbers):
        bit = np.int64(1 << place)
        if name not in columns:
            bits |= bit
        elif on.fields[name].type == FieldType.REAL:
            given = _typed(point, name, columns[name], "fiu", (count,))
            numbers[:, place] = given.astype(np.float64).view(np.int64)
        else:
            # As far as floating-point numbers tell whole ones apart, as in features.
            given = _typed(point, name, columns[name], "iub", (count,))
            numbers[:, place] = np.clip(given.astype(object), -VALUE_MAX, VALUE_MAX).astype(np.int64)
        if name in absent:
            bits |= np.where(_typed(point, name, absent[name], "b", (count,)), bit, np.int64(0))
    return Items(
        times.astype(np.int64),
        ids,
        numbers,
        bits,
        _reals(point, point.features, features, count),
        _reals(point, point.scores, scores, count),
    )


def _require(point: DecisionPoint, count: int, *given: tuple[Any, Mapping[str, npt.ArrayLike]]) -> None:
    """Raise unless columns have names that there are and one length."""
    for known, columns in given:
        for name, column in columns.items():
            if name not in known:
                message = f"{point.name} reads nothing that is named {name!r}"
                raise MalformedItems(message)
            if len(np.asarray(column)) != count:
                message = f"{point.name}: {name} has {len(np.asarray(column))} rows, its times {count}"
                raise MalformedItems(message)


def _typed(
    point: DecisionPoint, name: str, given: npt.ArrayLike, kinds: str, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    column = np.asarray(given)
    if column.dtype.kind not in kinds or column.shape != shape:
        message = f"{point.name}: {name} is no column of its type, but {column.dtype} {column.shape}"
        raise MalformedItems(message)
    return column


def _reals(
    point: DecisionPoint, names: tuple[str, ...], given: Mapping[str, npt.ArrayLike], count: int
) -> Reals:
    columns = np.full((count, len(names)), np.nan)
    for place, name in enumerate(names):
        if name in given:
            columns[:, place] = _typed(point, name, given[name], "fiu", (count,))
    return columns
