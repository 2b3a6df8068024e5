"""Looks at the state from outside: aggregates as plain fields, for whoever has not their product's dtype."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.decisions.reasons import PolicyTexts
from formicary.factory.engine.state import FactoryState

__all__ = [
    "FoundAggregates",
    "fields_of",
    "find_aggregates",
    "read_aggregates",
    "read_policy_texts",
    "record_of",
]

_WORD: Final = 2**64 - 1


def read_aggregates(
    product: str, subjects: Sequence[int]
) -> Callable[[FactoryState], list[dict[str, Any] | None]]:
    """Return the look that finds aggregates of a product that runs, in the order asked."""

    def look(state: FactoryState) -> list[dict[str, Any] | None]:
        kept = state.aggregates[product]
        found = (kept.find(subject) for subject in subjects)
        return [None if record is None else fields_of(record) for record in found]

    return look


class FoundAggregates(msgspec.Struct, frozen=True, kw_only=True):
    """Aggregates as ``fields_of`` gives them; ``next`` is what to go on after, None at the end."""

    items: list[dict[str, Any]]
    next: int | None = None


def find_aggregates(
    product: str, field: str, value: int, *, after: int, limit: int
) -> Callable[[FactoryState], FoundAggregates]:
    """Return the look that finds aggregates by a number that they hold, in the order of their creation.

    ``after`` counts all aggregates of the product, whatever they hold: the place of one never changes.
    """

    def look(state: FactoryState) -> FoundAggregates:
        records = state.aggregates[product].records
        places = np.flatnonzero(records[field][after:] == value)[: limit + 1] + after
        shown = places[:limit]
        items = [fields_of(records[place]) for place in shown.tolist()]
        return FoundAggregates(items=items, next=int(shown[-1]) + 1 if len(places) > limit else None)

    return look


def read_policy_texts(point: int, version: int) -> Callable[[FactoryState], PolicyTexts | None]:
    """Return the look that finds what a policy says in words, by the number of its decision point."""
    return lambda state: state.decisions.texts(point, version)


def fields_of(record: npt.NDArray[Any]) -> dict[str, Any]:
    """Return an aggregate, shape (), as values that JSON keeps.

    Two words ``x_high`` and ``x_low`` become ``x``, 32 hexadecimal digits; a field that is an array
    becomes a list.
    """
    names = record.dtype.names or ()
    fields: dict[str, Any] = {}
    for name in names:
        joined = name.removesuffix("_high")
        if name.endswith("_high") and f"{joined}_low" in names:
            fields[joined] = _joined(record[name], record[f"{joined}_low"])
        elif not (name.endswith("_low") and f"{name.removesuffix('_low')}_high" in names):
            fields[name] = record[name].tolist()
    return fields


def record_of(fields: Mapping[str, Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return the aggregate of a dtype, (1,), whose fields ``fields_of`` gave."""
    record = np.zeros(1, dtype)
    for name in record.dtype.names or ():
        joined = name.removesuffix("_high").removesuffix("_low")
        if name in fields:
            record[name] = fields[name]
        else:
            texts = fields[joined]
            numbers = [int(text, 16) for text in ([texts] if isinstance(texts, str) else texts)]
            words = [number >> 64 if name.endswith("_high") else number & _WORD for number in numbers]
            record[name] = words[0] if isinstance(texts, str) else words
    return record


def _joined(high: npt.NDArray[Any], low: npt.NDArray[Any]) -> str | list[str]:
    if high.shape == ():
        return f"{int(high):016x}{int(low):016x}"
    return [f"{one:016x}{other:016x}" for one, other in np.column_stack((high, low)).tolist()]
