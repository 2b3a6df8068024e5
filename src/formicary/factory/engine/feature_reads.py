"""What is known of an asking event's keys at this moment, for a decider, a caller or a person."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.base.purposes import Purpose
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.columns import events_of
from formicary.factory.features.quality.freshness import ages
from formicary.factory.features.quality.observed import Observed
from formicary.factory.features.quality.verdicts import FeatureSummary, summaries
from formicary.factory.features.store import Values

__all__ = [
    "FeatureReading",
    "UnknownFeatureSet",
    "read_features",
    "read_quality",
    "tell_all",
    "tell_features",
]


class UnknownFeatureSet(Refusal):
    """No set of features of this name is compiled here."""

    code = "unknown_feature_set"


class FeatureReading(msgspec.Struct, frozen=True, kw_only=True):
    """The features of a set as they were told, for a decision's record.

    Attributes
    ----------
    position
        The journal position they were read at.
    values
        By name; None where missing.
    withheld
        Which of the asking event's parties gave no consent to the purpose: what is told of them is missing.
    """

    set: str
    purpose: str
    position: int
    values: dict[str, float | None]
    withheld: tuple[str, ...]


def tell_features(
    state: FactoryState, name: str, *, purpose: Purpose, at: int, asking: Mapping[str, int]
) -> FeatureReading:
    """Return a set of features for an event that has not happened yet, and change nothing.

    Parameters
    ----------
    state
        It is read as it is; only ``observed`` counts the reading.
    name
        The set.
    purpose
        What the values are for.
    at
        When the event asks, in nanoseconds.
    asking
        Its fields: ids of 128 bits, amounts and numbers; a field that is not there is absent.

    Raises
    ------
    UnknownFeatureSet
        There is no such set.
    UnknownField, MalformedEvents
        The kind of the asking event has no such field, or not of this type.
    PurposeNotDeclared
        A feature of the set may not be read for this purpose.
    """
    store = state.features
    if store is None or name not in store.compiled.views:
        raise UnknownFeatureSet
    kind = store.compiled.views[name].set.on
    columns = {
        field: _words(value) if kind.field(field).is_id else np.array([value])
        for field, value in asking.items()
    }
    events = events_of(store.compiled, kind, at=[at], columns=columns)
    told = store.read(name, events, purpose=purpose)
    if name not in state.observed:
        state.observed[name] = Observed(store.compiled.views[name])
    state.observed[name].note(told, ages([at], store.latest(name, events)), at=at)
    values = [None if math.isnan(value) else value for value in told.values[0].tolist()]
    withheld = int(told.withheld[0])
    return FeatureReading(
        set=name,
        purpose=purpose.name.lower(),
        position=store.position,
        values=dict(zip(told.names, values, strict=True)),
        withheld=tuple(subject for bit, subject in enumerate(told.subjects) if withheld >> bit & 1),
    )


def tell_all(
    state: FactoryState, name: str, *, purpose: Purpose, at: int, asking: Mapping[str, npt.NDArray[Any]]
) -> Values:
    """Return a set of features for events (n) that have not happened yet, as ``tell_features`` for each.

    A run over a whole base is not among the readings that ``observed`` counts: it would be most of them.

    Parameters
    ----------
    state
        It is read as it is.
    name
        The set.
    purpose
        What the values are for.
    at
        When all of them ask, in nanoseconds.
    asking
        Their fields, one at least: ids (n, 2), high word first, amounts and numbers (n,).

    Raises
    ------
    UnknownFeatureSet, UnknownField, MalformedEvents, PurposeNotDeclared
        As for one.
    """
    store = state.features
    if store is None or name not in store.compiled.views:
        raise UnknownFeatureSet
    kind = store.compiled.views[name].set.on
    count = len(next(iter(asking.values())))
    columns = {
        field: np.ascontiguousarray(given, np.uint64).view(np.int64) if kind.field(field).is_id else given
        for field, given in asking.items()
    }
    events = events_of(store.compiled, kind, at=np.full(count, at), columns=columns)
    return store.read(name, events, purpose=purpose)


def read_features(
    name: str, *, purpose: Purpose, at: int, asking: Mapping[str, int]
) -> Callable[[FactoryState], Any]:
    """Return what a ``ReadRequest`` asks of the state: a ``FeatureReading``, or a refusal."""

    def read(state: FactoryState) -> Any:
        try:
            return tell_features(state, name, purpose=purpose, at=at, asking=asking)
        except Refusal as refusal:
            return refusal

    return read


def read_quality(state: FactoryState) -> dict[str, tuple[FeatureSummary, ...]]:
    """Return what sets of features were told as lately, by name, for a ``ReadRequest``."""
    return {name: summaries(observed.report()) for name, observed in state.observed.items()}


def _words(value: int) -> Any:
    return np.array([[value >> 64, value & (2**64 - 1)]], np.uint64).view(np.int64)
