"""Something new in what comes in: seen where it stands, and not where there is only chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from formicary.factory.learning.incoming import ROWS, SCORE, surges
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import UNKNOWN, Rows

NAMES = ("size", "age")
DAYS = 10


def rows_of(values: np.ndarray) -> Rows:
    """Return rows with such values."""
    count = len(values)
    return Rows(
        values=values,
        at=np.arange(count, dtype=np.int64) * DAY // 100,
        amounts=np.ones(count, np.int64),
        labels=np.full(count, UNKNOWN, np.int8),
        parties=np.zeros((count, 2), np.uint64),
        segments={},
    )


def quiet(seed: int, count: int) -> Rows:
    """Return rows of a quiet hour."""
    return rows_of(np.random.default_rng(seed).normal(size=(count, 2)))


def test_a_new_kind_is_found_where_it_stands() -> None:
    """Its bin, how many there are, and how probable that is: as an exact test of two counts has it."""
    before, latest = quiet(1, 1_000), quiet(2, 120)
    latest.values[:30, 1] = 2.5
    found = surges((latest, np.full(120, np.nan)), (before, np.full(1_000, np.nan)), NAMES, days=DAYS)
    assert {one.column for one in found} == {"age"}
    best = found[0]
    is_like = (before.values[:, 1] >= best.low) & (before.values[:, 1] <= best.high)
    then = int(is_like.sum())
    assert best.holds(latest, NAMES).sum() == best.found
    assert best.expected == pytest.approx(then * 120 / 1_000)
    # The latest four days are 400 rows.
    late = int(is_like[-400:].sum())
    tested = [
        binomtest(best.found, best.found + count, 120 / (120 + rows), alternative="greater").pvalue
        for count, rows in ((then, 1_000), (late, 400))
    ]
    assert best.chance == pytest.approx(max(tested), rel=1e-9)
    assert best.holds(latest, NAMES)[:30].all()
    assert best.alarm.name == "incoming age"
    assert "have a age of 2" in best.alarm.said


def test_quiet_hours_alarm_nobody() -> None:
    """Two hundred looks at chance alone."""
    for seed in range(200):
        before, latest = quiet(seed, 1_000), quiet(seed + 5_000, 100)
        scores = latest.values.sum(axis=1), before.values.sum(axis=1)
        assert surges((latest, scores[0]), (before, scores[1]), NAMES, days=DAYS) == []


def test_what_drifts_is_not_new() -> None:
    """A column that grows day by day is elsewhere than two weeks ago, and not elsewhere than yesterday."""
    before, latest = quiet(1, 1_000), quiet(2, 120)
    before.values[:, 1] += before.at / DAY / 2
    latest.values[:, 1] += DAYS / 2
    unknown = np.full(120, np.nan), np.full(1_000, np.nan)
    assert surges((latest, unknown[0]), (before, unknown[1]), NAMES, days=DAYS) == []
    latest.values[:30, 1] = DAYS
    assert surges((latest, unknown[0]), (before, unknown[1]), NAMES, days=DAYS) != []


def test_scores_and_sheer_numbers_are_seen() -> None:
    """Scores that pile up name no rows to hold, nor do rows of all kinds."""
    before, latest = quiet(1, 1_000), quiet(2, 400)
    scores = np.zeros(400), before.values[:, 0]
    scores[0][:] = np.linspace(2.0, 2.2, 400)
    found = surges((latest, scores[0]), (before, scores[1]), NAMES, days=DAYS)
    assert {one.column for one in found} == {SCORE, ROWS}
    everything = next(one for one in found if one.column == ROWS)
    assert (everything.found, everything.expected, everything.low) == (400, 100.0, -math.inf)
    assert not any(one.holds(latest, NAMES).any() for one in found)
    assert everything.alarm.said == "400 rows, not 100.0"


@pytest.mark.parametrize(("days", "count", "count_before"), [(4, 100, 1_000), (10, 0, 1_000), (10, 100, 0)])
def test_of_too_little_nothing_is_told(days: int, count: int, count_before: int) -> None:
    """Few days, an empty hour, or nothing before."""
    latest, before = quiet(1, count), quiet(2, count_before)
    latest.values[:] = 9.0
    told = (latest, np.zeros(count)), (before, np.ones(count_before))
    assert surges(*told, NAMES, days=days) == []
