"""How old what is told is: seconds since the row of a feature's key last changed, at the time of asking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.factory.features._layout import EMPTY, FEATURE_LOOKUP, FEATURE_READS, READS_NOTHING
from formicary.factory.features.compiler import CompiledView
from formicary.factory.features.names import in_order, referred
from formicary.factory.features.quality.sketch import ValueSketch, sketch_of

__all__ = ["ages", "feature_ages", "freshness_of_features", "freshness_of_lookups", "lookups_of_features"]

Reals = npt.NDArray[np.float64]

_NANOSECONDS: Final = 1e9


def ages(at: npt.ArrayLike, latest: npt.NDArray[np.int64]) -> Reals:
    """Return seconds since rows last changed.

    Parameters
    ----------
    at
        (n,) when events ask, in nanoseconds.
    latest
        (n, look-ups) as ``FeatureStore.latest`` tells it.

    Returns
    -------
    (n, look-ups), NaN where there is no row, or where it knows of a later event than the asking one.
    """
    times = np.asarray(at, np.int64)[:, np.newaxis]
    is_known = (latest != EMPTY) & (latest <= times)
    spans = times - np.where(is_known, latest, times)
    return np.where(is_known, spans / _NANOSECONDS, np.nan)


def lookups_of_features(view: CompiledView) -> tuple[tuple[int, ...], ...]:
    """Return for each feature the look-ups that it tells of, also through other features."""
    found: list[set[int]] = [
        set() if row[FEATURE_READS] == READS_NOTHING else {int(row[FEATURE_LOOKUP])}
        for row in view.view.features
    ]
    numbers = {name: number for number, name in enumerate(view.names)}
    for number in in_order(view.set):
        for name in referred(view.set.features[number]):
            found[number] |= found[numbers[name]]
    return tuple(tuple(sorted(lookups)) for lookups in found)


def feature_ages(seconds: Reals, lookups: Sequence[int]) -> Reals:
    """Return the age (n,) of a feature, that of the stalest of its look-ups, from ages (n, look-ups).

    NaN where none of them has a row; of a feature that only looks at the asking event everywhere.
    """
    if not lookups:
        return np.full(len(seconds), np.nan)
    stalest: Reals = np.fmax.reduce(seconds[:, list(lookups)], axis=1)
    return stalest


def freshness_of_features(view: CompiledView, seconds: Reals) -> tuple[ValueSketch, ...]:
    """Return a sketch of ages for each feature, from ages (n, look-ups); equal look-ups are counted once."""
    wanted = lookups_of_features(view)
    sketches = {lookups: sketch_of(feature_ages(seconds, lookups)) for lookups in set(wanted)}
    return tuple(sketches[lookups] for lookups in wanted)


def freshness_of_lookups(view: CompiledView, tables: Sequence[str], seconds: Reals) -> dict[str, ValueSketch]:
    """Return a sketch of ages for each key that is looked up, by the asking event's ids and the table's.

    ``payee>payer`` is the row that a payee has as a payer; ``payer`` stands for ``payer>payer``. ``tables``
    are the compiled ones (``Compiled.tables``), seconds (n, look-ups).
    """
    names = []
    for lookup in view.view.lookups:
        asked = "+".join(view.subjects[column] for column in lookup[1:-1] if column >= 0)
        table = tables[lookup[0]]
        names.append(asked if asked == table else f"{asked}>{table}")
    return {name: sketch_of(seconds[:, number]) for number, name in enumerate(names)}
