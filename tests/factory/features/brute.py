"""The same features, told slowly and by the letter from the list of what was known: the kernels' oracle.

No tiles are kept and no totals run: for each asking event every earlier event is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from formicary.factory.features.aggregates import Aggregate, Operator

SLOTS = 64


@dataclass(frozen=True)
class Happened:
    """One event: its kind's name, its time, and its fields, ids as pairs of words."""

    kind: str
    at: int
    fields: dict[str, Any]


def told(aggregate: Aggregate, known: Sequence[Happened], asking: Happened) -> float:
    """Return what an aggregate tells at an asking event of the events known before it; NaN where missing."""
    key = tuple(asking.fields[name] for name in aggregate.of)
    if (0, 0) in key:
        return math.nan
    events = [
        event
        for event in known
        if event.kind == aggregate.kind.name and tuple(event.fields[name] for name in aggregate.by) == key
    ]
    if not aggregate.in_ring:
        holding = [event for event in events if _holds(aggregate, event)]
        return _remembered(aggregate, holding, asking.at)
    inside = [event for event in events if _within(aggregate, event.at, asking.at)]
    return _windowed(aggregate, inside)


def _within(aggregate: Aggregate, at: int, now: int) -> bool:
    if aggregate.exact:
        return now - aggregate.delay - aggregate.window < at <= now - aggregate.delay
    tile, present = at // aggregate.resolution, now // aggregate.resolution
    tiles, late = aggregate.window // aggregate.resolution, aggregate.delay // aggregate.resolution
    if late:
        return present - late - tiles <= tile < present - late
    return present - tiles <= tile <= present


def _holds(aggregate: Aggregate, event: Happened) -> bool:
    # Conditions of these tests are of the form: field > number.
    if aggregate.where is None:
        return True
    right, left = aggregate.where.parts
    return bool(event.fields[left.field] > right.value)  # type: ignore[attr-defined]


def _windowed(aggregate: Aggregate, inside: Sequence[Happened]) -> float:  # noqa: PLR0911, one an operator
    holding = [event for event in inside if _holds(aggregate, event)]
    operator = aggregate.operator
    if operator == Operator.COUNT:
        return float(len(holding))
    if operator == Operator.SHARE:
        return len(holding) / len(inside) if inside else math.nan
    values = [int(event.fields[aggregate.field]) for event in holding]
    if operator == Operator.SUM:
        return float(sum(values))
    if not values:
        return math.nan
    if operator == Operator.MEAN:
        return float(sum(values)) / float(len(values))
    if operator == Operator.STD:
        return _deviation(values)
    return float(min(values) if operator == Operator.MIN else max(values))


def _deviation(values: Sequence[int]) -> float:
    if len(values) < 2:
        return math.nan
    count, total = len(values), sum(values)
    return math.sqrt(Fraction(count * sum(value * value for value in values) - total**2, count * (count - 1)))


def _remembered(  # noqa: PLR0911, one an operator
    aggregate: Aggregate, events: Sequence[Happened], now: int
) -> float:
    operator, window = aggregate.operator, aggregate.window
    if operator == Operator.DISTINCT:
        return math.nan
    if not events:
        return math.nan
    if operator in (Operator.LAST, Operator.TIME_SINCE):
        latest = events[0]
        for event in events:
            latest = event if event.at >= latest.at else latest
        if latest.at > now or (window and latest.at <= now - window):
            return math.nan
        if operator == Operator.TIME_SINCE:
            return float(now - latest.at) / 1e9
        return float(latest.fields[aggregate.field])
    earliest = events[0]
    for event in events:
        earliest = event if event.at < earliest.at else earliest
    if earliest.at > now:
        return math.nan
    if operator == Operator.AGE:
        return float(now - earliest.at) / 1e9
    return float(earliest.fields[aggregate.field])
