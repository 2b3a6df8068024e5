"""A segment that is wrong is told where the whole model looks right, and none is told for having few rows."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.calibration_by_segment import (
    CalibratedPart,
    CalibrationVerdict,
    Tolerance,
    calibration_by_segment,
)
from formicary.factory.monitoring.shares import exact_share


def test_errors_of_segments_that_cancel_out_are_found() -> None:
    """One is said too much of, another too little, a third rightly, and of a fourth nothing can be said."""
    random = np.random.default_rng(1)
    true = {"low": 0.15, "high": 0.05, "right": 0.1, "few": 0.1}
    segments = np.repeat(list(true), [4_000, 4_000, 20_000, 30])
    labels = random.random(len(segments)) < np.array([true[name] for name in segments])
    chances = np.full(len(segments), 0.1)
    told = calibration_by_segment(chances=chances, labels=labels, segments=segments)
    verdicts = {one.segment: one.verdict for one in told if not one.part}
    assert verdicts == {"low": "too_low", "high": "too_high", "right": "within", "few": "unsure"}
    assert [one.segment for one in told] == sorted(one.segment for one in told)
    # Rows of one chance are one part, and it is where their middle is.
    assert [one.part for one in told if one.segment == "low"] == [0, 6]
    assert msgspec.json.decode(msgspec.json.encode(told), type=tuple[CalibratedPart, ...]) == told


def test_a_decile_that_is_wrong_is_found() -> None:
    """A model that is right on the whole may be wrong where it matters."""
    random = np.random.default_rng(2)
    chances = random.random(50_000) * 0.4
    true = np.where(chances > 0.36, chances / 2, chances)
    labels = random.random(50_000) < true
    told = calibration_by_segment(chances=chances, labels=labels, segments=np.full(50_000, "all"))
    assert [one.part for one in told] == list(range(11))
    assert told[10].verdict is CalibrationVerdict.TOO_HIGH
    assert told[5].verdict is CalibrationVerdict.WITHIN
    assert all(before.chance_max < after.chance_min for before, after in pairwise(told[1:]))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.1001, 0.5, 1.0]), st.integers(-2, 1), st.sampled_from("ab")),
        max_size=40,
    ),
    st.integers(1, 4),
)
def test_parts_are_counted_as_by_hand(drawn: list[tuple[float, int, str]], parts: int) -> None:
    """Of matured rows; all parts of a segment add up to it, and each is compared as a whole."""
    chances, labels, segments = zip(*drawn, strict=True) if drawn else ((), (), ())
    told = calibration_by_segment(
        chances=chances,
        labels=labels,
        segments=np.array(segments, np.str_),
        parts=parts,
        tolerance=Tolerance(relative=0.5, absolute=0.1),
        error=0.2,
    )
    for name in "ab":
        matured = [(chance, label) for chance, label, segment in drawn if segment == name and label >= 0]
        of_segment = [one for one in told if one.segment == name]
        assert bool(of_segment) is bool(matured)
        for one in of_segment:
            rows = [label for chance, label in matured if one.chance_min <= chance <= one.chance_max]
            assert one.observed == exact_share(sum(rows), len(rows), error=0.2 / len(told))
            assert one.expected == pytest.approx(
                sum(chance for chance, _ in matured if one.chance_min <= chance <= one.chance_max) / len(rows)
            )
            allowed = max(0.5 * one.expected, 0.1)
            assert (one.verdict is CalibrationVerdict.TOO_LOW) == (one.observed.low > one.expected + allowed)
            assert (one.verdict is CalibrationVerdict.TOO_HIGH) == (
                one.observed.high < one.expected - allowed
            )
        assert sum(one.observed.rows for one in of_segment if one.part) == len(matured)


def test_what_cannot_be_compared_is_refused() -> None:
    """Chances above 1, and a segment in no part."""
    with pytest.raises(ProgrammingError):
        calibration_by_segment(chances=[1.1], labels=[1], segments=["a"])
    with pytest.raises(ProgrammingError):
        calibration_by_segment(chances=[0.1], labels=[1], segments=["a"], parts=0)
    with pytest.raises(ProgrammingError):
        calibration_by_segment(chances=[0.1], labels=[1, 0], segments=["a", "b"])
