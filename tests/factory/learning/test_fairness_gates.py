"""Groups that a model must not know: who is surely passed less often stands against a challenger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.factory.learning.challengers import best_of
from formicary.factory.learning.fairness import fairness_gates, least_ratio
from formicary.factory.learning.gates import Contest, Gate
from tests.factory.learning.learning_kit import PLAN, made_challenger, made_rows

FAIR = replace(PLAN, groups=("region",))
ROWS = made_rows(40)
IS_ONE = ROWS.segments["region"] == 1
ALIKE = np.where(np.arange(len(ROWS)) % 5 == 0, 0.99, 0.0)
HARSH = np.where(IS_ONE & (np.arange(len(ROWS)) % 2 == 0), 0.99, ALIKE)
HARSHER = np.where(IS_ONE & (np.arange(len(ROWS)) % 3 > 0), 0.99, ALIKE)


def _gate(challenger: Any, champion: Any) -> Gate:
    (gate,) = fairness_gates(Contest(rows=ROWS, challenger=challenger, champion=champion), FAIR)
    return gate


def test_a_group_that_is_passed_less_often_stands_against_a_challenger() -> None:
    """Its share beside that of the other one, below four fifths; those that are passed alike are fine."""
    assert _gate(ALIKE, None).is_passed
    gate = _gate(HARSH, ALIKE)
    passed = [float((HARSH[of] == 0.0).mean()) for of in (IS_ONE, ~IS_ONE)]
    assert gate.figure == passed[0] / passed[1] < gate.bound == 0.8
    assert not gate.is_passed
    assert "as often as 0: adverse" in gate.said


def test_who_is_no_worse_than_the_champion_is_not_refused_for_it() -> None:
    """It would stay the champion."""
    assert _gate(HARSH, HARSHER).is_passed
    assert not _gate(HARSHER, HARSH).is_passed
    assert not _gate(HARSH, None).is_passed


def test_equal_opportunity_is_a_gate_where_a_plan_bounds_it() -> None:
    """Good rows alone count; who is no worse than the champion is not refused for it."""
    bounded = replace(FAIR, opportunity_difference_max=0.1)
    is_good = ROWS.labels == 0
    for champion, is_passed in ((ALIKE, False), (HARSHER, True), (None, False)):
        contest = Contest(rows=ROWS, challenger=HARSH, champion=champion)
        assert [one.name for one in fairness_gates(contest, FAIR)] == ["fairness region"]
        _, gate = fairness_gates(contest, bounded)
        passed = [float((HARSH[of & is_good] == 0.0).mean()) for of in (IS_ONE, ~IS_ONE)]
        assert gate.name == "opportunity region"
        assert gate.figure == pytest.approx(passed[1] - passed[0])
        assert gate.is_passed is is_passed
    fair = Contest(rows=ROWS, challenger=ALIKE, champion=None)
    assert all(gate.is_passed for gate in fairness_gates(fair, bounded))


def test_where_nobody_is_passed_no_ratio_can_be_told() -> None:
    """Which is no reason."""
    gate = _gate(np.full(len(ROWS), 0.99), None)
    assert gate.is_passed
    assert gate.figure == 1.0


def test_of_about_as_good_ones_the_fairest_is_let_in() -> None:
    """Within the tolerance, and only where a plan names groups."""
    first = made_challenger()
    gate = Gate(name="fairness region", is_passed=True, figure=0.82, bound=0.8, said="")
    most = replace(first, gain=1_000.0, gates=(gate,))
    fairer = replace(first, gain=995.0, gates=(gate_of(gate, 0.97),))
    cheaper = replace(first, gain=900.0, gates=(gate_of(gate, 0.99),))
    assert best_of([most, fairer, cheaper], FAIR) is fairer
    assert best_of([fairer, most, cheaper], PLAN) is most
    assert least_ratio(first.gates) == 1.0


def gate_of(gate: Gate, ratio: float) -> Gate:
    """Return a gate that tells another ratio."""
    return Gate(name=gate.name, is_passed=True, figure=ratio, bound=gate.bound, said=gate.said)
