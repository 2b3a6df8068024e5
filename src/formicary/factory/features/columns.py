"""Events in columns: made from arrays, one kind at a time, and joined in the order of their positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.features._layout import VALUE_MAX, Events, Words
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.errors import TypeMismatch
from formicary.factory.features.kinds import EventKind, FieldType

__all__ = ["MalformedEvents", "events_of", "join_events", "key_words"]

AT_MAX: Final = 2**62
"""The latest time of an event, in the year 2116: sums of times and windows stay within 64 bits."""


class MalformedEvents(TypeMismatch):
    """A table of events lacks a column, or one of them does not hold what its kind says."""

    code = "malformed_events"


def key_words(numbers: npt.ArrayLike) -> Words:
    """Return whole numbers (n,) as ids (n, 2), for keys that are small numbers; -1 is none."""
    given = np.asarray(numbers, np.int64)
    words = np.zeros((len(given), 2), np.int64)
    # A low word of 0 would be no id: numbers begin at one.
    words[:, 1] = given + 1
    return words


def events_of(
    compiled: Compiled, kind: EventKind, *, at: npt.ArrayLike, columns: Mapping[str, npt.ArrayLike]
) -> Events:
    """Return events (n) of one kind.

    Parameters
    ----------
    compiled
        The features that will see them.
    kind
        Their kind; one that no feature knows is left out by ``join_events``.
    at
        (n,) nanoseconds since the Unix epoch.
    columns
        For each field of the kind an array: ids (n, 2) of high and low words, amounts and numbers (n,) whole,
        reals (n,). A field that is not there is absent (0).

    Raises
    ------
    MalformedEvents
        A column is of another length or type, or a time is before 1970 or after 2116.
    """
    times = np.asarray(at)
    count = len(times)
    if times.dtype.kind not in "iu" or (count and not (times.min() >= 0 and times.max() <= AT_MAX)):
        message = f"{kind.name}: times are nanoseconds since 1970, at most {AT_MAX}"
        raise MalformedEvents(message)
    ids = np.zeros((count, compiled.id_columns, 2), np.int64)
    numbers = np.zeros((count, compiled.number_columns), np.int64)
    for name, given in columns.items():
        column = np.asarray(given)
        if len(column) != count:
            message = f"{kind.name}.{name} has {len(column)} rows, its times {count}"
            raise MalformedEvents(message)
        _put(kind, name, column, ids, numbers)
    number = next((place for place, known in enumerate(compiled.kinds) if known.name == kind.name), -1)
    return Events(np.full(count, number, np.int64), times.astype(np.int64), ids, numbers)


def join_events(parts: Sequence[Events], positions: Sequence[npt.ArrayLike]) -> Events:
    """Return events of several kinds in the order of their positions; those of no known kind are left out."""
    order = np.argsort(np.concatenate([np.asarray(one) for one in positions]), kind="stable")
    joined = [np.concatenate(columns)[order] for columns in zip(*parts, strict=True)]
    known = joined[0] >= 0
    return Events(*(joined if known.all() else [column[known] for column in joined]))


def _put(kind: EventKind, name: str, column: npt.NDArray[Any], ids: Words, numbers: Words) -> None:
    field = kind.field(name)
    if field.is_id:
        if column.ndim != 2 or column.dtype.kind not in "iu":  # noqa: PLR2004, high and low words
            message = f"{kind.name}.{name} takes ids as words (n, 2), not {column.dtype} {column.shape}"
            raise MalformedEvents(message)
        ids[:, kind.ids.index(name)] = column.astype(np.int64)
    elif field.type == FieldType.REAL:
        if column.dtype.kind not in "fiu":
            message = f"{kind.name}.{name} takes floating-point numbers, not {column.dtype}"
            raise MalformedEvents(message)
        numbers[:, kind.numbers.index(name)] = column.astype(np.float64).view(np.int64)
    else:
        if column.dtype.kind not in "iub":
            message = f"{kind.name}.{name} takes whole numbers, not {column.dtype}"
            raise MalformedEvents(message)
        # What a sum of squares can hold; beyond it a value counts as the largest.
        numbers[:, kind.numbers.index(name)] = np.clip(column, -VALUE_MAX, VALUE_MAX).astype(np.int64)
