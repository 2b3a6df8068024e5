"""Whether scores and features still look as they did: every column of a window against a reference.

Two indices tell of two kinds of change: the population stability index of shares that moved, also of missing
values, and the distance of Kolmogorov and Smirnov of values that did. Neither says much alone. A large index
may be chance where rows are few, and of a million rows no difference is chance, however small. A column is
told of only where an index is both as large as its stated limit and more than chance makes of it.

A hundred columns give chance a hundred occasions. What counts as more than chance is therefore decided for
all of them at once, by the procedure of Benjamini and Yekutieli (*The control of the false discovery rate in
multiple testing under dependency*, Annals of Statistics 29(4), 2001), whatever columns have to do with each
other. Where nothing changed, a report tells of any column at most ``error`` of the time.

Chance is told for rows that are independent. Rows of one party are not: where parties have many rows each,
take one of each, or fewer alarms for what they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, kolmogorov

from formicary.base.errors import ProgrammingError
from formicary.factory.features.quality.drift import distance_bounds, stability
from formicary.factory.features.quality.sketch import ValueSketch, sketch_of
from formicary.factory.features.quality.verdicts import MOVED_INDEX, SHIFTED_INDEX
from formicary.factory.monitoring.shares import ERROR

__all__ = [
    "MOVED_DISTANCE",
    "SHIFTED_DISTANCE",
    "Drift",
    "DriftReport",
    "DriftVerdict",
    "discoveries",
    "drift_of_sketches",
    "drift_report",
]

MOVED_DISTANCE: Final = 0.1
"""The distance of two distributions from which a column moved: a tenth of all rows lie elsewhere. A normal
distribution that moves as far as makes a stability index of ``MOVED_INDEX`` has a distance of 0.13."""

SHIFTED_DISTANCE: Final = 0.2
"""From which it shifted; 0.20 is that of a normal distribution with an index of ``SHIFTED_INDEX``."""


class DriftVerdict(StrEnum):
    """How a column of a window compares with the reference, the worst first."""

    SHIFTED = "shifted"
    """An index is ``SHIFTED_INDEX`` or ``SHIFTED_DISTANCE`` or more, and more than chance makes of it."""
    MOVED = "moved"
    """The same with ``MOVED_INDEX`` or ``MOVED_DISTANCE``."""
    STEADY = "steady"
    """Neither index is that large, or chance may have made it so."""
    UNKNOWN = "unknown"
    """One side has no rows."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """How one column of a window compares with the reference; None where there is nothing to tell from.

    Attributes
    ----------
    reference_rows, rows
        How many rows reference and window have.
    reference_missing, missing
        In how many of them there is no value.
    psi
        The population stability index, missing values being a bin of their own.
    psi_chance
        How often chance alone makes an index as large.
    distance_min, distance_max
        Between what the Kolmogorov-Smirnov distance of the values lies.
    distance_chance
        How often at most chance alone makes a distance as large as ``distance_min``.
    """

    name: str
    reference_rows: int
    rows: int
    reference_missing: int
    missing: int
    psi: float | None
    psi_chance: float | None
    distance_min: float | None
    distance_max: float | None
    distance_chance: float | None
    verdict: DriftVerdict = DriftVerdict.UNKNOWN


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """All columns of a window, the worst first.

    Attributes
    ----------
    error
        How often at most a report tells of a column where nothing changed.
    tests
        How many indices were looked at to keep to it.
    """

    error: float
    tests: int
    columns: tuple[Drift, ...]

    @property
    def alarms(self) -> tuple[Drift, ...]:
        """The columns that moved or shifted, the worst first."""
        return tuple(one for one in self.columns if one.verdict in {DriftVerdict.SHIFTED, DriftVerdict.MOVED})


def drift_report(
    reference: Mapping[str, npt.ArrayLike], window: Mapping[str, npt.ArrayLike], *, error: float = ERROR
) -> DriftReport:
    """Compare every column of a window with that of a reference.

    Parameters
    ----------
    reference, window
        Columns by name, features as well as scores: numbers (n,) and (m,), NaN where missing. Both have the
        same names.
    error
        How often at most the report may tell of a column where nothing changed.
    """
    return drift_of_sketches(_sketched(reference), _sketched(window), error=error)


def drift_of_sketches(
    reference: Mapping[str, ValueSketch], window: Mapping[str, ValueSketch], *, error: float = ERROR
) -> DriftReport:
    """Compare sketches of columns as ``drift_report`` compares columns."""
    if reference.keys() != window.keys():
        message = f"columns stand on one side only: {sorted(reference.keys() ^ window.keys())}"
        raise ProgrammingError(message)
    measured = [_measured(name, known, window[name]) for name, known in reference.items()]
    chances = [chance for one in measured for chance in (one.psi_chance, one.distance_chance)]
    told = [chance for chance in chances if chance is not None]
    found = iter(discoveries(told, error=error).tolist())
    # In the order of the tests: what could not be measured was no test.
    is_found = [chance is not None and next(found) for chance in chances]
    pairs = zip(measured, is_found[::2], is_found[1::2], strict=True)
    judged = [
        msgspec.structs.replace(one, verdict=_verdict(one, is_psi=is_psi, is_far=is_far))
        for one, is_psi, is_far in pairs
    ]
    order = list(DriftVerdict)
    columns = sorted(judged, key=lambda one: (order.index(one.verdict), -(one.psi or 0.0), one.name))
    return DriftReport(error=error, tests=len(told), columns=tuple(columns))


def discoveries(chances: Sequence[float], *, error: float) -> npt.NDArray[np.bool_]:
    """Return which of m tests (m,) found more than chance; on average a share ``error`` of them did not.

    The procedure of Benjamini and Yekutieli: of the chances in ascending order, the last that is at most
    error i / (m (1 + 1/2 + ... + 1/m)), i its place from 1, and all before it.
    """
    told = np.asarray(chances, np.float64)
    places = np.arange(1, len(told) + 1)
    limits = places * error / (len(told) * (1 / places).sum()) if len(told) else places.astype(np.float64)
    order = np.argsort(told, kind="stable")
    kept = np.flatnonzero(told[order] <= limits)
    found = np.zeros(len(told), np.bool_)
    found[order[: kept[-1] + 1 if len(kept) else 0]] = True
    return found


def _sketched(columns: Mapping[str, npt.ArrayLike]) -> dict[str, ValueSketch]:
    return {name: sketch_of(np.asarray(column, np.float64)) for name, column in columns.items()}


def _measured(name: str, reference: ValueSketch, window: ValueSketch) -> Drift:
    found = stability(reference, window)
    lower, upper = distance_bounds(reference, window)
    return Drift(
        name=name,
        reference_rows=reference.rows,
        rows=window.rows,
        reference_missing=reference.missing,
        missing=window.missing,
        psi=_known(found.index),
        psi_chance=_known(_index_chance(found.index, found.bins, reference.rows, window.rows)),
        distance_min=_known(lower),
        distance_max=_known(upper),
        distance_chance=_known(_distance_chance(lower, reference.present, window.present)),
    )


def _index_chance(index: float, bins: int, reference: int, window: int) -> float:
    """Return how often chance makes a stability index as large: see ``Stability.by_chance``."""
    if math.isnan(index):
        return math.nan
    return float(chdtrc(bins - 1, index / (1 / reference + 1 / window)))


def _distance_chance(distance: float, reference: int, window: int) -> float:
    """Return how often at most chance makes a distance as large (Smirnov, 1939), with ties more seldom."""
    if math.isnan(distance):
        return math.nan
    return float(kolmogorov(math.sqrt(reference * window / (reference + window)) * distance))


def _verdict(one: Drift, *, is_psi: bool, is_far: bool) -> DriftVerdict:
    if one.psi is None:
        return DriftVerdict.UNKNOWN
    index = one.psi if is_psi else 0.0
    distance = one.distance_min if is_far and one.distance_min is not None else 0.0
    if index >= SHIFTED_INDEX or distance >= SHIFTED_DISTANCE:
        return DriftVerdict.SHIFTED
    if index >= MOVED_INDEX or distance >= MOVED_DISTANCE:
        return DriftVerdict.MOVED
    return DriftVerdict.STEADY


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
