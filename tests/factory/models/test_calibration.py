"""Calibrated probabilities are those that the labels bear out, in the order of the raw scores."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from formicary.base.errors import ProgrammingError
from formicary.factory.models.calibration import (
    Calibration,
    choose_calibration,
    identity,
    isotonic,
    platt,
)
from formicary.factory.models.errors import LabelsTooFew, ModelCorrupt

tables = st.lists(
    st.tuples(st.floats(-1e3, 1e3) | st.integers(-2, 2).map(float), st.integers(0, 1)),
    min_size=2,
    max_size=80,
).filter(lambda table: len({label for _, label in table}) == 2)
Rows = list[tuple[float, int]]


def drawn(rows: int, *, seed: int = 1, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return raw scores (n,) and labels (n,) whose true log odds are the slope times the score."""
    chance = np.random.default_rng(seed)
    scores = chance.normal(-0.5, 1.5, rows)
    return scores, (chance.random(rows) < expit(slope * scores)).astype(np.int64)


def both(table: Rows) -> list[Calibration]:
    """Return both calibrations of a table."""
    scores, labels = zip(*table, strict=True)
    return [fit(scores=scores, labels=labels) for fit in (platt, isotonic)]


@settings(deadline=None, max_examples=40)
@given(tables, st.lists(st.floats(-2e3, 2e3), min_size=2, max_size=50))
def test_a_calibration_never_turns_two_cases_around(table: Rows, raw: list[float]) -> None:
    """Probabilities are strictly within (0, 1), and a higher score never has a lower one."""
    # The scores of the table are the knots, where rounding would show.
    points = np.unique([*raw, *(score for score, _ in table)])
    nearby = np.concatenate((points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf)))
    for calibration in both(table):
        chances = calibration.apply(np.sort(nearby))
        assert ((chances > 0) & (chances < 1)).all()
        assert (np.diff(chances) >= 0).all()


@settings(deadline=None, max_examples=40)
@given(tables, st.lists(st.floats(allow_infinity=True, allow_nan=True), min_size=1, max_size=40))
def test_a_score_alone_has_the_bits_it_has_among_others(table: Rows, raw: list[float]) -> None:
    """The decision of today and the replay of a million give the same probability."""
    for calibration in (identity(), *both(table)):
        together = calibration.apply(raw)
        alone = np.array([float(calibration.apply(one)) for one in raw])
        assert together.tobytes() == alone.tobytes()
        assert (np.isnan(together) == np.isnan(raw)).all()


@settings(deadline=None, max_examples=40)
@given(tables)
def test_what_is_stored_is_what_is_read(table: Rows) -> None:
    """A calibration survives JSON to the bit."""
    for calibration in both(table):
        assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


def test_platt_is_the_optimum_of_his_loss() -> None:
    """Newton's method ends where a general optimizer does, on his smoothed targets."""
    scores, labels = drawn(300, slope=0.6)
    weights = np.random.default_rng(2).integers(0, 4, 300)
    positives, negatives = weights[labels == 1].sum(), weights[labels == 0].sum()
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(line: np.ndarray) -> float:
        odds = line[0] * scores + line[1]
        return float((weights * (np.logaddexp(0, odds) - targets * odds)).sum())

    best = minimize(loss, [0.0, 0.0], tol=1e-12)
    found = platt(scores=scores, labels=labels, weights=weights)
    assert [found.slope, found.intercept] == pytest.approx(best.x, abs=1e-4)


def test_platt_survives_labels_that_are_told_apart() -> None:
    """Smoothed targets keep the slope finite where scores separate the classes."""
    found = platt(scores=[-2.0, -1.0, 1.0, 2.0], labels=[0, 0, 1, 1])
    assert 0 < found.slope < 10
    assert found.apply([-1.5, 1.5]) == pytest.approx([0.25, 0.75], abs=0.1)


def test_platt_does_not_turn_a_model_around() -> None:
    """Scores that are wrong, or all equal, are level at the share of label 1."""
    wrong = platt(scores=[1.0, 2.0, 3.0, 4.0], labels=[1, 1, 0, 0])
    level = platt(scores=[7.0] * 4, labels=[1, 1, 0, 0])
    for found in (wrong, level):
        assert found.apply([-9.0, 9.0]) == pytest.approx([0.5, 0.5])


def test_isotonic_pools_violators_by_hand() -> None:
    """Of labels 0 1 0 1 the middle ones are pooled; smoothed targets are 1/4 and 3/4."""
    found = isotonic(scores=[1.0, 2.0, 3.0, 4.0], labels=[0, 1, 0, 1])
    assert found.scores == (1.0, 2.5, 4.0)
    assert found.probabilities == pytest.approx((0.25, 0.5, 0.75))
    assert found.apply([0.0, 1.75, 9.0]) == pytest.approx([0.25, 0.375, 0.75])


def test_isotonic_has_few_knots_and_equal_scores_one_probability() -> None:
    """A table of many rows is kept as a table that can be read."""
    scores, labels = drawn(20_000)
    found = isotonic(scores=scores, labels=labels)
    assert 5 < len(found.scores) <= 64
    assert np.abs(found.apply(scores) - expit(scores)).mean() < 0.02
    assert len(isotonic(scores=[3.0] * 4, labels=[0, 1, 1, 1]).scores) == 1


def test_the_choice_is_what_the_scores_need() -> None:
    """True log odds need nothing, a wrong slope needs Platt, a bent curve needs isotonic regression."""
    scores, labels = drawn(4_000)
    assert choose_calibration(scores=scores, labels=labels).kind == "none"
    assert choose_calibration(scores=3 * scores + 1, labels=labels).kind == "platt"
    bent = np.sign(scores) * np.abs(scores) ** 4
    assert choose_calibration(scores=bent, labels=labels, seed=3).kind == "isotonic"


def test_the_choice_is_the_same_every_time() -> None:
    """The seed decides about folds, and nothing else does; rows without weight change nothing."""
    scores, labels = drawn(300)
    first = choose_calibration(scores=scores, labels=labels, seed=5)
    assert first == choose_calibration(scores=scores, labels=labels, seed=5)
    more = np.concatenate((scores, [50.0])), np.append(labels, 0), np.append(np.ones(300), 0)
    assert choose_calibration(scores=more[0], labels=more[1], weights=more[2], seed=5) == first


def test_too_few_labels_are_refused() -> None:
    """One class calibrates nothing, and every fold needs both."""
    for fit in (platt, isotonic):
        with pytest.raises(LabelsTooFew):
            fit(scores=[1.0, 2.0], labels=[1, 1])
    with pytest.raises(LabelsTooFew, match="at least 5"):
        choose_calibration(scores=np.arange(9.0), labels=[0, 0, 0, 0, 0, 1, 1, 1, 1])


def test_mistakes_are_errors() -> None:
    """Infinite scores and a single fold are the caller's mistakes."""
    with pytest.raises(ProgrammingError, match="infinite"):
        platt(scores=[math.inf, 1.0], labels=[0, 1])
    with pytest.raises(ProgrammingError, match="two folds"):
        choose_calibration(scores=[1.0, 2.0], labels=[0, 1], folds=1)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "beta"},
        {"kind": "none", "slope": 2.0},
        {"slope": -1.0},
        {"intercept": math.nan},
        {"slope": "steep"},
        {"scores": [1.0]},
        {"scores": [1.0], "probabilities": [0.5]},
        {"kind": "isotonic"},
        {"kind": "isotonic", "scores": [2.0, 1.0], "probabilities": [0.1, 0.2]},
        {"kind": "isotonic", "scores": [1.0, 2.0], "probabilities": [0.2, 0.1]},
        {"kind": "isotonic", "scores": [1.0], "probabilities": [1.0]},
        {"kind": "isotonic", "scores": [1.0], "probabilities": None},
    ],
)
def test_a_broken_calibration_is_refused(change: dict[str, Any]) -> None:
    """Whatever is no map that never decreases is told when it is read, not when it is used."""
    plain = Calibration("platt", slope=2.0, intercept=1.0).to_dict() | change
    with pytest.raises(ModelCorrupt):
        Calibration.from_dict(plain)
