"""Changes are found soon after they came, and seldom where none came."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.draws import draws
from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.residuals import in_order_of_maturity, odds_changes, page_hinkley


def drawn(rows: int, seed: int, odds: float = 1.0, low: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Return chances, and labels that happen at so many times their odds."""
    random = np.random.default_rng(seed)
    chances = random.uniform(low, 0.3, rows)
    true = chances * odds / (1 - chances + chances * odds)
    return chances, (random.random(rows) < true).astype(float)


@pytest.mark.parametrize(("odds", "rises"), [(2.0, True), (0.4, False)])
def test_a_change_is_found_where_it_began(odds: float, *, rises: bool) -> None:
    """In either direction, with the row since when, and what happened beside what was said."""
    chances, labels = drawn(20_000, 1)
    new_chances, new_labels = drawn(3_000, 2, odds)
    chances, labels = np.concatenate((chances, new_chances)), np.concatenate((labels, new_labels))
    first, *_ = odds_changes(labels=labels, chances=chances, factor=1.5)
    assert first.rises is rises
    assert 20_000 <= first.row < 21_500
    assert abs(first.since - 20_000) < 300
    rows = slice(first.since, first.row + 1)
    assert first.observed == labels[rows].sum()
    assert first.predicted == pytest.approx(chances[rows].sum())
    assert (first.observed > first.predicted) is rises


def test_false_alarms_are_as_seldom_as_asked() -> None:
    """On average at least the stated number of rows passes between two, whatever the chances are."""
    rows, between = 200_000, 500
    chances, labels = drawn(rows, 3, low=0.0)
    found = odds_changes(labels=labels, chances=chances, rows_between_alarms=between)
    assert 0 < len(found) <= rows / between


def evidence(label: int, chance: float, factor: float) -> float:
    """Return the logarithm of the likelihood ratio, from the odds themselves."""
    odds = factor * chance / (1 - chance)
    other = odds / (1 + odds)
    return math.log(other / chance) if label else math.log((1 - other) / (1 - chance))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.05, 0.4, 0.9])), max_size=60),
    st.integers(1, 4),
)
def test_charts_are_sums_less_their_least(rows: list[tuple[int, float]], between: int) -> None:
    """Page's own form: the sum of all evidence since the last alarm is above the least it ever was."""
    expected, first = [], 0
    for row in range(len(rows)):
        for factor in (1.5, 1 / 1.5):
            total, least, since = 0.0, 0.0, first
            for at in range(first, row + 1):
                total += evidence(*rows[at], factor)
                if total <= least + 1e-12:
                    least, since = total, at + 1
            if total - least > math.log(2 * between):
                expected.append((since, row, factor > 1))
                first = row + 1
                break
    labels, chances = [label for label, _ in rows], [chance for _, chance in rows]
    found = odds_changes(labels=labels, chances=chances, rows_between_alarms=between)
    assert [(one.since, one.row, one.rises) for one in found] == expected


def test_chances_of_nothing_and_of_certainty() -> None:
    """What had to happen, and did, is no evidence at all."""
    labels = np.tile([0.0, 1.0], 1_000)
    assert odds_changes(labels=labels, chances=labels) == ()


def page_hinkley_by_sums(
    values: list[float], delta: float, threshold: float, rows_min: int
) -> list[tuple[int, bool]]:
    """Return where the published test finds changes: by a sum, and the least and the most it ever was."""
    found, seen = [], list[float]()
    rise = fall = least = most = 0.0
    for row, value in enumerate(values):
        seen.append(value)
        mean = math.fsum(seen) / len(seen)
        rise, fall = rise + value - mean - delta, fall + value - mean + delta
        least, most = min(least, rise), max(most, fall)
        if len(seen) >= rows_min and (rise - least > threshold or most - fall > threshold):
            found.append((row, rise - least > threshold))
            seen, rise, fall, least, most = [], 0.0, 0.0, 0.0, 0.0
    return found


@given(
    st.lists(st.integers(-40, 40).map(lambda value: value / 8), max_size=80),
    st.sampled_from([0.0, 0.07, 0.6]),
    st.sampled_from([0.9, 3.1, 8.3]),
    st.sampled_from([1, 5, 30]),
)
def test_page_hinkley_is_what_was_published(
    values: list[float], delta: float, threshold: float, rows_min: int
) -> None:
    """The same changes as with sums, their least and their most."""
    found = page_hinkley(values, delta=delta, threshold=threshold, rows_min=rows_min)
    assert [(one.row, one.rises) for one in found] == page_hinkley_by_sums(values, delta, threshold, rows_min)
    for one in found:
        assert one.observed == pytest.approx(math.fsum(values[one.since : one.row + 1]))
        assert one.predicted == 0


@pytest.mark.parametrize(
    ("delta", "threshold", "rows_min", "found"),
    [
        (0.005, 50.0, 30, [1196, 2094, 4074]),
        (0.05, 8.0, 30, [1035, 2015, 4010]),
        (0.1, 2.0, 100, [1004, 1992, 2265, 2908, 3338, 4002, 4358, 5258, 5935]),
    ],
)
def test_page_hinkley_finds_what_river_finds(
    delta: float, threshold: float, rows_min: int, found: list[int]
) -> None:
    """As river 0.26.1 told of the same values, with ``alpha=1.0``: nothing is forgotten."""
    noise = draws(7, 6_000).astype(np.float64) / 2**64 - 0.5
    values = noise + np.repeat([0.0, 0.3, -0.2, -0.2, 0.5, 0.45], 1_000)
    told = page_hinkley(values, delta=delta, threshold=threshold, rows_min=rows_min)
    assert [one.row for one in told] == found


def test_maturity_is_in_order_of_time_then_position() -> None:
    """Rows of one time stand as they do in the journal."""
    assert in_order_of_maturity([5, 3, 5, 3], [1, 9, 0, 2]).tolist() == [3, 1, 2, 0]


def test_what_is_no_chance_is_refused() -> None:
    """Chances are between 0 and 1, factors above 1, and alarms come at some time."""
    for chances, factor, between in (([1.5], 1.5, 10), ([-0.1], 1.5, 10), ([0.5], 1.0, 10), ([0.5], 2.0, 0)):
        with pytest.raises(ProgrammingError):
            odds_changes(labels=[1], chances=chances, factor=factor, rows_between_alarms=between)


@pytest.mark.parametrize(
    ("values", "delta", "threshold", "rows_min"),
    [
        ([math.nan], 0.1, 1.0, 1),
        ([[1.0]], 0.1, 1.0, 1),
        ([1.0], -0.1, 1.0, 1),
        ([1.0], 0.1, 0.0, 1),
        ([1.0], 0.1, 1.0, 0),
    ],
)
def test_what_is_no_residual_is_refused(
    values: list[float], delta: float, threshold: float, rows_min: int
) -> None:
    """Residuals are finite, and the chart can be passed."""
    with pytest.raises(ProgrammingError):
        page_hinkley(values, delta=delta, threshold=threshold, rows_min=rows_min)
