"""Drift is told where it is large and no chance, and what is worst comes first."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, false_discovery_control, ks_2samp, kstwobign

from formicary.base.errors import ProgrammingError
from formicary.factory.features.quality.drift import stability
from formicary.factory.features.quality.sketch import sketch_of
from formicary.factory.monitoring.drift import (
    MOVED_DISTANCE,
    SHIFTED_DISTANCE,
    DriftVerdict,
    discoveries,
    drift_of_sketches,
    drift_report,
)

NAN = math.nan


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from([0.0, 1e-9, 1e-4, 0.001, 0.004, 0.01, 0.2, 0.9, 1.0]), max_size=30),
    st.sampled_from([0.01, 0.2]),
)
def test_discoveries_are_those_of_benjamini_and_yekutieli(chances: list[float], error: float) -> None:
    """As SciPy adjusts p-values."""
    found = discoveries(chances, error=error)
    adjusted = false_discovery_control(chances, method="by") if chances else np.zeros(0)
    # On the limit itself roundings decide.
    clear = ~np.isclose(adjusted, error, rtol=1e-9)
    assert found[clear].tolist() == (adjusted <= error)[clear].tolist()


def test_figures_are_those_of_the_sketches_and_of_scipy() -> None:
    """The index and its chance, and the distance, exact where each bucket holds one value."""
    random = np.random.default_rng(1)
    old, new = random.integers(0, 30, 400).astype(float), random.integers(2, 30, 300).astype(float)
    new[:30] = NAN
    (one,) = drift_report({"age": old}, {"age": new}).columns
    index = stability(sketch_of(old), sketch_of(new))
    assert one.psi == index.index
    assert one.psi_chance == pytest.approx(chi2.sf(index.index / (1 / 400 + 1 / 300), index.bins - 1))
    distance = ks_2samp(old, new[30:]).statistic
    assert one.distance_min == pytest.approx(distance)
    assert one.distance_max == pytest.approx(distance)
    assert one.distance_chance == pytest.approx(kstwobign.sf(distance * math.sqrt(400 * 270 / 670)))
    assert (one.reference_rows, one.rows, one.reference_missing, one.missing) == (400, 300, 0, 30)


def test_worst_come_first_and_only_what_moved_is_told() -> None:
    """A shift before a move before what is steady, and last what nothing is known of."""
    random = np.random.default_rng(2)
    reference = {name: random.normal(size=5_000) for name in ("steady", "moved", "shifted", "gone", "empty")}
    window: dict[str, Any] = {
        "steady": random.normal(size=4_000),
        "moved": random.normal(0.38, size=4_000),
        "shifted": random.normal(1.0, size=4_000),
        "gone": np.where(random.random(4_000) < 0.5, NAN, random.normal(size=4_000)),
        "empty": [],
    }
    report = drift_report(reference, window)
    verdicts = [(one.name, one.verdict) for one in report.columns]
    assert verdicts == [
        ("gone", DriftVerdict.SHIFTED),
        ("shifted", DriftVerdict.SHIFTED),
        ("moved", DriftVerdict.MOVED),
        ("steady", DriftVerdict.STEADY),
        ("empty", DriftVerdict.UNKNOWN),
    ]
    assert [one.name for one in report.alarms] == ["gone", "shifted", "moved"]
    assert report.tests == 8
    unknown = report.columns[-1]
    assert (unknown.psi, unknown.psi_chance, unknown.distance_min, unknown.distance_max) == (None,) * 4
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report


def test_a_distance_alone_tells() -> None:
    """Where the reference has one value, bins end there and see nothing of what is less."""
    reference = np.full(1_000, 5.0)
    for share, verdict in ((0.03, "steady"), (0.15, "moved"), (0.4, "shifted")):
        window = np.full(1_000, 5.0)
        window[: int(share * 1_000)] = 4.0
        (one,) = drift_report({"x": reference}, {"x": window}).columns
        assert one.distance_min == pytest.approx(share)
        assert one.verdict == verdict
    assert MOVED_DISTANCE < SHIFTED_DISTANCE


def test_few_rows_are_chance() -> None:
    """An index far above the limit is no alarm where chance makes as much of so few rows."""
    random = np.random.default_rng(3)
    (one,) = drift_report({"x": random.normal(size=25)}, {"x": random.normal(size=25)}).columns
    assert one.psi is not None
    assert one.psi > 0.25
    assert one.verdict is DriftVerdict.STEADY


def test_many_columns_do_not_make_an_alarm() -> None:
    """Of a hundred columns in which nothing changed, each looked at alone would be told of now and then."""
    random = np.random.default_rng(4)
    told_alone = told = 0
    for _ in range(3):
        reference = {str(name): random.normal(size=150) for name in range(100)}
        window = {str(name): random.normal(size=150) for name in range(100)}
        report = drift_report(reference, window)
        told += len(report.alarms)
        told_alone += sum((one.psi or 0) > 0.1 and (one.psi_chance or 0) < 0.01 for one in report.columns)
    assert told_alone > 0
    assert told == 0


def test_columns_are_the_same() -> None:
    """A column that is on one side only is a mistake of the caller."""
    with pytest.raises(ProgrammingError, match="b"):
        drift_of_sketches({"a": sketch_of(np.zeros(1))}, {"b": sketch_of(np.zeros(1))})


def test_no_column_is_no_alarm() -> None:
    """Nothing was looked at."""
    report = drift_report({}, {})
    assert (report.columns, report.alarms, report.tests) == ((), (), 0)
