"""The terms of the credit score: weights, bands, and how each reading turns into marks. All of it is data.

A *reading* is a feature of the pipeline, taken down as a whole number of small units. Its *scale* gives it
marks from 0 to 1,000, as a line through breakpoints that only rises, or only falls. A dimension has the
mean of its scales' marks by their weights, and its share of the score's 600 points by its own weight. All
are integers: the same readings give the same score for ever.

Weights, range and bands repeat what is published of the best-known score of the field; the scales are
ours. A score says by which version of the terms it was made, and a house that changes any number adds a
version: the old ones stay, or old scores could not be explained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import div_floor

__all__ = [
    "BANDS_MAX",
    "FULL_MARKS",
    "RELATIONS_PERCENT_MAX",
    "SCALES_MAX",
    "SCORE_MAX",
    "SCORE_MIN",
    "TERMS",
    "VERSIONS",
    "Dimension",
    "Scale",
    "Terms",
    "terms_of",
]

SCORE_MIN: Final = 350
SCORE_MAX: Final = 950
FULL_MARKS: Final = 1_000
RELATIONS_PERCENT_MAX: Final = 5
"""Whom somebody knows says little of what they owe, and must never say more."""
SCALES_MAX: Final = 16
"""Readings that the record of a score has room for."""
BANDS_MAX: Final = 7

_PERCENT: Final = 100
_READING_MAX: Final = 2**62


class Dimension(IntEnum):
    """What is looked at, by the number of its place in records; a number never changes its meaning."""

    HISTORY = 0
    CAPACITY = 1
    BEHAVIOUR = 2
    IDENTITY = 3
    RELATIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How the readings of one feature turn into marks.

    Attributes
    ----------
    dimension, feature_set, feature
        Where it counts, and what is read.
    weight
        Beside the other scales of its dimension.
    per_unit
        How many units of a reading are one of the feature's: 1 for counts, 10,000 for ratios.
    points
        Breakpoints (reading, marks) in the order of readings; marks all rise or all fall, and reach
        ``FULL_MARKS`` at one end. Beyond the ends they stay.
    unit
        What a reading is counted in.
    means
        What low marks say, a sentence to the party.
    raised_by
        What would raise them, a sentence to the party.
    """

    dimension: Dimension
    feature_set: str
    feature: str
    weight: int
    per_unit: int = 1
    points: tuple[tuple[int, int], ...]
    unit: str
    means: str
    raised_by: str

    def __post_init__(self) -> None:
        readings, marks = zip(*self.points, strict=True)
        steps = [later - earlier for earlier, later in pairwise(marks)]
        is_monotone = all(step >= 0 for step in steps) or all(step <= 0 for step in steps)
        is_whole = min(marks) == 0 and max(marks) == FULL_MARKS and self.weight > 0 and self.per_unit > 0
        if not (is_monotone and is_whole and all(earlier < later for earlier, later in pairwise(readings))):
            message = f"the scale of {self.feature} goes from 0 to {FULL_MARKS} marks, one way only"
            raise ProgrammingError(message)

    @property
    def rises(self) -> bool:
        """Whether more is better."""
        return self.points[-1][1] > self.points[0][1]

    @property
    def best(self) -> int:
        """A reading that gets full marks: the nearest to those that get fewer."""
        full = [reading for reading, marks in self.points if marks == FULL_MARKS]
        return min(full) if self.rises else max(full)

    def reading(self, value: float | None) -> int | None:
        """Return a feature's value in whole units of a reading, rounded down; None where it is missing."""
        if value is None:
            return None
        return math.floor(max(min(value * self.per_unit, float(_READING_MAX)), -float(_READING_MAX)))

    def marks(self, reading: int | None) -> int:
        """Return the marks of a reading. What is missing has none: nobody gains by not being known."""
        if reading is None:
            return 0
        if reading <= self.points[0][0]:
            return self.points[0][1]
        for (low, from_marks), (high, to_marks) in pairwise(self.points):
            if reading <= high:
                return from_marks + div_floor((to_marks - from_marks) * (reading - low), high - low)
        return self.points[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One version of the terms.

    Attributes
    ----------
    version
        Its number, from 1.
    weights
        Percents by dimension, a hundred in all.
    bands
        Where each band but the lowest begins, rising.
    band_names
        One more than there are beginnings, the lowest first.
    scales
        In the order of their places in records.
    """

    version: int
    weights: tuple[int, ...]
    bands: tuple[int, ...]
    band_names: tuple[str, ...]
    scales: tuple[Scale, ...]

    def __post_init__(self) -> None:
        wrong = [
            said
            for is_wrong, said in (
                (len(self.weights) != len(Dimension), "every dimension has a weight"),
                (sum(self.weights) != _PERCENT or min(self.weights) < 0, "weights are percents of a whole"),
                (self.weights[-1] > RELATIONS_PERCENT_MAX, "relations weigh too much"),
                (list(self.bands) != sorted(set(self.bands)), "bands rise"),
                (not 0 < len(self.bands) <= BANDS_MAX, "there are too few bands, or too many"),
                (len(self.band_names) != len(self.bands) + 1, "every band has a name"),
                (len(self.scales) > SCALES_MAX, "there are too many scales"),
                ({scale.dimension for scale in self.scales} != set(Dimension), "a dimension has no scale"),
            )
            if is_wrong
        ]
        if wrong:
            message = f"version {self.version} of the terms: {'; '.join(wrong)}"
            raise ProgrammingError(message)

    def band_of(self, score: int) -> int:
        """Return the number of a score's band, 0 for the lowest."""
        return sum(score >= begins for begins in self.bands)


_FLOWS: Final = "party_flows"
_FACTS: Final = "credit_facts"
_DAY_SECONDS: Final = 86_400

_HISTORY: Final = (
    Scale(
        dimension=Dimension.HISTORY,
        feature_set=_FACTS,
        feature="late_share_365d",
        weight=60,
        per_unit=10_000,
        points=((0, 1_000), (500, 700), (1_000, 450), (2_500, 150), (5_000, 0)),
        unit="ten-thousandths",
        means="A large share of what you owed within the last year was paid late, or little is known of it.",
        raised_by="Pay what falls due on time: the share of late payments falls as others come to it.",
    ),
    Scale(
        dimension=Dimension.HISTORY,
        feature_set=_FACTS,
        feature="met_365d",
        weight=40,
        points=((0, 0), (6, 500), (12, 800), (24, 1_000)),
        unit="obligations",
        means="Few payments that you owed within the last year are known to have been made on time.",
        raised_by="Have bills and instalments that you pay on time counted.",
    ),
)

_CAPACITY: Final = (
    Scale(
        dimension=Dimension.CAPACITY,
        feature_set=_FLOWS,
        feature="paid_to_received_90d",
        weight=50,
        per_unit=10_000,
        points=((6_000, 1_000), (9_000, 700), (11_000, 300), (15_000, 0)),
        unit="ten-thousandths",
        means="You paid much of what you were paid in the last 90 days, or more, or you were paid nothing.",
        raised_by="Keep more of what you are paid.",
    ),
    Scale(
        dimension=Dimension.CAPACITY,
        feature_set=_FLOWS,
        feature="received_90d",
        weight=50,
        # Minor units of a house with one currency; a house with others says so in a version of its own.
        points=((0, 0), (100_000, 300), (500_000, 700), (1_500_000, 1_000)),
        unit="minor units",
        means="You were paid little in the last 90 days.",
        raised_by="Have more of your income paid to you here.",
    ),
)

_BEHAVIOUR: Final = (
    Scale(
        dimension=Dimension.BEHAVIOUR,
        feature_set=_FLOWS,
        feature="payments_out_90d",
        weight=60,
        points=((0, 0), (10, 500), (30, 800), (90, 1_000)),
        unit="payments",
        means="You made few payments in the last 90 days.",
        raised_by="Pay here more often.",
    ),
    Scale(
        dimension=Dimension.BEHAVIOUR,
        feature_set=_FLOWS,
        feature="since_last_in",
        weight=40,
        points=((7 * _DAY_SECONDS, 1_000), (35 * _DAY_SECONDS, 700), (90 * _DAY_SECONDS, 0)),
        unit="seconds",
        means="You were last paid a long time ago, or never.",
        raised_by="Be paid here more regularly.",
    ),
)

_IDENTITY: Final = (
    Scale(
        dimension=Dimension.IDENTITY,
        feature_set=_FACTS,
        feature="checks_passed_365d",
        weight=60,
        points=((0, 0), (1, 700), (2, 1_000)),
        unit="checks",
        means="Your identity was checked seldom or never within the last year.",
        raised_by="Have your identity checked.",
    ),
    Scale(
        dimension=Dimension.IDENTITY,
        feature_set=_FLOWS,
        feature="since_first_in",
        weight=40,
        points=((0, 0), (180 * _DAY_SECONDS, 500), (730 * _DAY_SECONDS, 1_000)),
        unit="seconds",
        means="You have been with us for a short time.",
        raised_by="Stay with us: this comes with time.",
    ),
)

_RELATIONS: Final = (
    Scale(
        dimension=Dimension.RELATIONS,
        feature_set=_FLOWS,
        feature="payers_90d",
        weight=50,
        points=((0, 0), (5, 700), (15, 1_000)),
        unit="parties",
        means="Few different parties paid you in the last 90 days.",
        raised_by="Be paid by more parties, or leave your relations out of the score.",
    ),
    Scale(
        dimension=Dimension.RELATIONS,
        feature_set=_FLOWS,
        feature="payees_90d",
        weight=50,
        points=((0, 0), (5, 700), (15, 1_000)),
        unit="parties",
        means="You paid few different parties in the last 90 days.",
        raised_by="Pay more parties, or leave your relations out of the score.",
    ),
)

TERMS: Final = Terms(
    version=1,
    weights=(35, 25, 20, 15, 5),
    bands=(550, 600, 650, 700),
    band_names=("low", "fair", "good", "very_good", "excellent"),
    scales=(*_HISTORY, *_CAPACITY, *_BEHAVIOUR, *_IDENTITY, *_RELATIONS),
)
"""What scores are made by now."""

VERSIONS: Final = (TERMS,)
"""Every version that a score was ever made by."""


def terms_of(version: int) -> Terms:
    """Return a version of the terms; scores are made by these only."""
    return next(terms for terms in VERSIONS if terms.version == version)
