"""What is told online is counted as it is told, for this hour and the one before."""

from __future__ import annotations

import numpy as np

from formicary.base.limits import OBSERVED_ROWS
from formicary.factory.features.quality.observed import OBSERVED_SPAN, Observed
from formicary.factory.features.quality.report import profile
from formicary.factory.features.store import Values
from tests.factory.features.quality.kit import seconds, told, view

NOON = 400_000 * OBSERVED_SPAN


def note(observed: Observed, values: Values, ages: np.ndarray, *, at: int) -> None:
    """Note rows one by one."""
    for row in range(len(values.values)):
        one = Values(
            names=values.names,
            values=values.values[row : row + 1],
            withheld=values.withheld[row : row + 1],
            subjects=values.subjects,
        )
        observed.note(one, ages[row : row + 1], at=at)


def test_readings_one_by_one_are_their_report() -> None:
    """More than wait at once, asked about in between, are what one report of all of them is."""
    rows = OBSERVED_ROWS + 100
    values, ages = told(1, rows), seconds(1, rows)
    observed = Observed(view())
    assert observed.report().rows == 0
    note(observed, values, ages, at=NOON)
    assert observed.report().rows == rows
    assert observed.report().json() == profile(view(), values, ages).json()


def test_two_spans_are_told() -> None:
    """The hour before is told with this one, an older one is forgotten, also where nobody asked for hours."""
    observed = Observed(view())
    for hour, rows in enumerate((5, 7, 11)):
        note(observed, told(hour, rows), seconds(hour, rows), at=NOON + hour * OBSERVED_SPAN)
    assert observed.report().rows == 18
    note(observed, told(9, 3), seconds(9, 3), at=NOON)
    assert observed.report().rows == 21, "an earlier time counts as now"
    note(observed, told(4, 2), seconds(4, 2), at=NOON + 9 * OBSERVED_SPAN)
    assert observed.report().rows == 2
