"""From readings to a score, and back: what each dimension gave, why not more, and what would raise it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from formicary.base.rounding import allocate, div_floor
from formicary.products.credit.terms import FULL_MARKS, SCORE_MAX, SCORE_MIN, Dimension, Scale, Terms

__all__ = ["REASONS_MAX", "Assessment", "Gain", "assess", "gains", "reasons"]

REASONS_MAX: Final = 4
"""Adverse reasons that a party is told at most: a longer list is read by nobody (Regulation B, 1002.9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A score, and how it came about.

    Attributes
    ----------
    terms
        What it was made by.
    readings
        One for each scale, None where it is missing or not looked at.
    relations
        Whether relations count.
    most, points
        By dimension: the points there are, and those that were given.
    """

    terms: Terms
    readings: tuple[int | None, ...]
    relations: bool
    most: tuple[int, ...]
    points: tuple[int, ...]

    @property
    def score(self) -> int:
        """The score, from 350 to 950."""
        return SCORE_MIN + sum(self.points)

    @property
    def band(self) -> int:
        """The number of its band, 0 for the lowest."""
        return self.terms.band_of(self.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What one reading would have to be for a higher score, all others being as they are.

    Attributes
    ----------
    place
        Of the scale in the terms.
    reading
        What it is, None where it is missing.
    target
        What it would have to be.
    points
        By how much the score would rise.
    """

    place: int
    scale: Scale
    reading: int | None
    target: int
    points: int


def assess(terms: Terms, readings: Sequence[int | None], *, relations: bool) -> Assessment:
    """Return the score of readings (s,), one for each scale of the terms.

    Without relations their weight goes to the other dimensions in proportion: whoever leaves them out can
    still reach every score, and nobody is made to tell whom they know.
    """
    weights = [*terms.weights]
    if not relations:
        weights[Dimension.RELATIONS] = 0
    counted = tuple(
        reading if relations or scale.dimension is not Dimension.RELATIONS else None
        for scale, reading in zip(terms.scales, readings, strict=True)
    )
    most = allocate(SCORE_MAX - SCORE_MIN, weights)
    points = [_points(terms, counted, dimension, most[dimension]) for dimension in Dimension]
    return Assessment(
        terms=terms, readings=counted, relations=relations, most=tuple(most), points=tuple(points)
    )


def _points(terms: Terms, readings: Sequence[int | None], dimension: Dimension, most: int) -> int:
    own = [pair for pair in zip(terms.scales, readings, strict=True) if pair[0].dimension is dimension]
    marks = sum(scale.weight * scale.marks(reading) for scale, reading in own)
    return div_floor(most * marks, FULL_MARKS * sum(scale.weight for scale, _ in own))


def gains(assessment: Assessment) -> tuple[Gain, ...]:
    """Return what would raise a score, in the order of the scales: the nearest breakpoint that does.

    Each is true by itself: with the reading at its target and all else the same, the score is higher by
    so many points.
    """
    found = (_gain(assessment, place) for place in range(len(assessment.readings)))
    return tuple(one for one in found if one is not None)


def _gain(assessment: Assessment, place: int) -> Gain | None:
    scale, reading = assessment.terms.scales[place], assessment.readings[place]
    marks = scale.marks(reading)
    # From the nearest to the best.
    targets = [target for target, given in sorted(scale.points, key=lambda point: point[1]) if given > marks]
    for target in targets:
        points = _with(assessment, place, target).score - assessment.score
        if points > 0:
            return Gain(place=place, scale=scale, reading=reading, target=target, points=points)
    return None


def reasons(assessment: Assessment) -> tuple[Gain, ...]:
    """Return at most four readings that took most from a score, the worst first: each with full marks."""
    lost = []
    for place, scale in enumerate(assessment.terms.scales):
        points = _with(assessment, place, scale.best).score - assessment.score
        if points > 0:
            reading = assessment.readings[place]
            lost.append(Gain(place=place, scale=scale, reading=reading, target=scale.best, points=points))
    return tuple(sorted(lost, key=lambda one: (-one.points, one.place))[:REASONS_MAX])


def _with(assessment: Assessment, place: int, reading: int) -> Assessment:
    changed = [*assessment.readings]
    changed[place] = reading
    return assess(assessment.terms, changed, relations=assessment.relations)
