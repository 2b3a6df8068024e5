"""What a report says in figures, and what is wrong with it by stated limits."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

import msgspec

from formicary.factory.features.quality.drift import distance_bounds, stability
from formicary.factory.features.quality.report import FeatureQuality, QualityReport
from formicary.factory.features.quality.sketch import ValueSketch

__all__ = ["FeatureSummary", "Verdict", "summaries"]

MOVED_INDEX: Final = 0.1
"""The population stability index from which a feature moved: look at it. The rule of thumb of those who
make scorecards (Lewis, 1994; Siddiqi, *Credit Risk Scorecards*, 2006)."""

SHIFTED_INDEX: Final = 0.25
"""From which it shifted, by the same rule: the model was trained on something else."""

MISSING_RISE: Final = 0.05
"""How much larger the share of missing values may be than in the reference: a twentieth of decisions without
a value is a broken feed sooner than other customers. Withheld ones do not count: consent is no defect."""

STALE_FACTOR: Final = 2.0
"""How many times as old as in the reference the median row may be: where events stop coming every row ages,
while a change of customers moves the median little."""

STALE_SECONDS_MIN: Final = 3_600.0
"""Younger than an hour nothing is stale: twice some minutes is a quiet moment."""


class Verdict(StrEnum):
    """What is wrong with a feature; a feature may have several."""

    EMPTY = "empty"
    """It was told, and was missing every time though nobody withheld it."""
    CONSTANT = "constant"
    """It has one value, but had several in the reference, or there is none."""
    REDEFINED = "redefined"
    """The reference's feature of this name means something else: nothing was compared."""
    NEW = "new"
    """The reference does not have it."""
    MISSING_MORE = "missing_more"
    """The share of missing values rose by more than ``MISSING_RISE``."""
    MOVED = "moved"
    """Its stability index is ``MOVED_INDEX`` or more, and more than chance makes of so few rows."""
    SHIFTED = "shifted"
    """The same with ``SHIFTED_INDEX``."""
    STALE = "stale"
    """Its median row is more than ``STALE_FACTOR`` times as old, and older than ``STALE_SECONDS_MIN``."""


class FeatureSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a report in figures; None for what there is nothing to tell from.

    Attributes
    ----------
    null_ratio
        The share of rows without a value, withheld ones included.
    withheld_ratio
        The share of rows without one for lack of consent.
    p1, p50, p99
        Quantiles of the values, within a percent.
    seconds_p50, seconds_p99
        Quantiles of the age of its rows.
    psi
        The population stability index against the reference.
    distance_min, distance_max
        Between what the Kolmogorov-Smirnov distance to the reference lies.
    """

    name: str
    rows: int
    null_ratio: float | None
    withheld_ratio: float | None
    zero_ratio: float | None
    mean: float | None
    p1: float | None
    p50: float | None
    p99: float | None
    seconds_p50: float | None
    seconds_p99: float | None
    psi: float | None = None
    distance_min: float | None = None
    distance_max: float | None = None
    verdicts: tuple[Verdict, ...] = ()


def summaries(report: QualityReport, reference: QualityReport | None = None) -> tuple[FeatureSummary, ...]:
    """Return every feature in figures, compared with the reference's feature of the same name."""
    known = {} if reference is None else {one.name: one for one in reference.features}
    return tuple(
        _summary(one, known.get(one.name), compared=reference is not None) for one in report.features
    )


def _summary(one: FeatureQuality, reference: FeatureQuality | None, *, compared: bool) -> FeatureSummary:
    values, seconds = one.values, one.seconds
    verdicts = _verdicts_alone(values, reference)
    figures = FeatureSummary(
        name=one.name,
        rows=values.rows,
        null_ratio=_share(values.missing, values.rows),
        withheld_ratio=_share(values.withheld, values.rows),
        zero_ratio=_share(values.zeros, values.present),
        mean=_known(values.mean),
        p1=_known(values.quantile(0.01)),
        p50=_known(values.quantile(0.5)),
        p99=_known(values.quantile(0.99)),
        seconds_p50=_known(seconds.quantile(0.5)),
        seconds_p99=_known(seconds.quantile(0.99)),
        verdicts=verdicts,
    )
    if reference is None:
        return msgspec.structs.replace(figures, verdicts=(*verdicts, Verdict.NEW)) if compared else figures
    if one.meaning and reference.meaning and one.meaning != reference.meaning:
        return msgspec.structs.replace(figures, verdicts=(*verdicts, Verdict.REDEFINED))
    found = stability(reference.values, values)
    lower, upper = distance_bounds(reference.values, values)
    return msgspec.structs.replace(
        figures,
        psi=_known(found.index),
        distance_min=_known(lower),
        distance_max=_known(upper),
        verdicts=(*verdicts, *_verdicts_compared(one, reference, found.index, found.by_chance)),
    )


def _verdicts_alone(values: ValueSketch, reference: FeatureQuality | None) -> tuple[Verdict, ...]:
    if not values.present:
        return (Verdict.EMPTY,) if values.missing > values.withheld else ()
    varied = reference is None or reference.values.minimum < reference.values.maximum
    is_constant = values.present > 1 and values.minimum == values.maximum
    return (Verdict.CONSTANT,) if is_constant and varied else ()


def _verdicts_compared(
    one: FeatureQuality, reference: FeatureQuality, index: float, by_chance: float
) -> tuple[Verdict, ...]:
    found = []
    rise = _lost_share(one.values) - _lost_share(reference.values)
    if rise > MISSING_RISE:
        found.append(Verdict.MISSING_MORE)
    if index >= max(SHIFTED_INDEX, by_chance):
        found.append(Verdict.SHIFTED)
    elif index >= max(MOVED_INDEX, by_chance):
        found.append(Verdict.MOVED)
    age, usual = one.seconds.quantile(0.5), reference.seconds.quantile(0.5)
    if age > max(STALE_FACTOR * usual, STALE_SECONDS_MIN):
        found.append(Verdict.STALE)
    return tuple(found)


def _lost_share(values: ValueSketch) -> float:
    """Return the share of rows that lack a value which nobody withheld."""
    return (values.missing - values.withheld) / values.rows if values.rows else math.nan


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
