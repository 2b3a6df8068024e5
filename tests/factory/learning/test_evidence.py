"""What is told of a challenger beside its gates is what monitoring says of the judged rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.factory.learning.evidence import evidence_of
from formicary.factory.learning.gates import Contest, Shown
from formicary.factory.monitoring.drift import drift_report
from tests.factory.learning.learning_kit import PLAN, SPEC, made_challenger, made_rows

ROWS = made_rows(40)
IS_ONE = ROWS.segments["region"] == 1
SHARE = float(ROWS.labels.mean())
EVEN = np.full(len(ROWS), SHARE)
"""Too low where they are bad and right on the whole: every row is let through."""
FAIR = replace(PLAN, segments=(), groups=("region",))


def _shown(challenger: Any, champion: Any = None, plan: Any = FAIR, **rows: Any) -> dict[str, Shown]:
    contest = Contest(rows=replace(ROWS, **rows), challenger=challenger, champion=champion)
    told = {one.name: one for one in evidence_of(contest, plan, SPEC.names, ROWS.values)}
    assert all(one.said for one in told.values())
    return told


def test_good_rows_of_groups_are_compared() -> None:
    """How much less often those of one are passed, by hand; bad rows do not count."""
    harsh = np.where(IS_ONE & (np.arange(len(ROWS)) % 2 == 0), 0.99, 0.0)
    one = _shown(harsh)["opportunity region"]
    is_good = ROWS.labels == 0
    assert one.figure == pytest.approx(float((harsh[is_good & IS_ONE] > 0).mean()))
    assert "than 0: adverse" in one.said
    alone = _shown(harsh, segments={"region": np.zeros(len(ROWS))})["opportunity region"]
    assert alone.figure == 0.0
    nobody = _shown(harsh, labels=np.ones(len(ROWS), np.int8))["opportunity region"]
    assert "no two groups" in nobody.said


def test_a_group_whose_chances_do_not_come_true_is_named() -> None:
    """The farthest is, with what was expected and found; where all come true none is."""
    off = _shown(np.where(IS_ONE, SHARE / 4, SHARE))["calibration region"]
    assert off.figure >= 1.0
    found = int(ROWS.labels[IS_ONE].sum())
    assert f"1, {SHARE / 4:.2%} expected, {found:,} of {int(IS_ONE.sum()):,} found" in off.said
    right = _shown(EVEN)["calibration region"]
    assert (right.figure, "0 of" in right.said) == (0.0, True)
    assert "calibration region" in _shown(EVEN, plan=PLAN)
    tenths = np.where(IS_ONE & (np.arange(len(ROWS)) % 10 == 0), 0.99, SHARE)
    assert "tenth 10 of 1" in _shown(tenths)["calibration region"].said


def test_performance_is_told_without_labels_and_with_them() -> None:
    """By expectation of what is let through, beside what came of it."""
    chances = np.where(ROWS.values[:, 0] > 1, 0.9, 0.05)
    told = _shown(chances)
    passed = ~FAIR.worth.stops(chances, ROWS.amounts)
    assert told["estimated missed"].figure == pytest.approx(float(chances[passed].sum()))
    assert f"{int(ROWS.labels[passed].sum()):,} by the labels" in told["estimated missed"].said
    amounts, labels = ROWS.amounts[passed], ROWS.labels[passed]
    gains = amounts * FAIR.worth.margin_bp // 10_000
    expected = float(((1 - chances[passed]) * gains - chances[passed] * amounts).sum())
    assert told["estimated money"].figure == pytest.approx(expected, abs=1)
    came = int(np.where(labels == 1, -amounts, gains).sum())
    assert f"{came:,} by the labels: not borne out" in told["estimated money"].said
    assert 0.5 < told["estimated area"].figure < 1.0
    assert "borne out" in _shown(EVEN)["estimated missed"].said


def test_sums_that_are_too_large_are_not_told() -> None:
    """Nor is an area of rows of one class."""
    told = _shown(EVEN, amounts=np.full(len(ROWS), 2**50), labels=np.zeros(len(ROWS), np.int8))
    assert "estimated money" not in told
    assert "not told by the labels" in told["estimated area"].said


def test_scores_and_columns_are_told_by_their_indices() -> None:
    """Beside the champion's, where there is one; of columns the three that are farthest."""
    assert "scores" not in _shown(EVEN)
    ours, theirs = 0.2 + ROWS.values[:, 0] / 50, 0.2 + ROWS.values[:, 1] / 25
    (found,) = drift_report({"chance": theirs}, {"chance": ours}).columns
    assert _shown(ours, theirs)["scores"].figure == found.psi
    moved = ROWS.values + np.array([0.0, 0.0, 2.0])
    told = [one for name, one in _shown(EVEN, values=moved).items() if name.startswith("drift")]
    assert told[0].name == "drift noise"
    assert told[0].said.endswith("shifted")
    assert len(told) == 3
    missing = _shown(EVEN, values=np.full_like(ROWS.values, np.nan))
    assert "distance not told" in missing["drift debt"].said


def test_every_challenger_shows_it() -> None:
    """Of a real training, with the columns of its specification."""
    names = [one.name for one in made_challenger().shown]
    estimates = ["estimated area", "estimated missed", "estimated money"]
    assert names[:4] == ["calibration region", *estimates]
    assert sorted(names[4:]) == ["drift age", "drift debt", "drift noise"]
