"""Gates: each refuses what it is for, and its figures are those counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from formicary.factory.learning.gates import Contest, Gate, contest_gates, daily_gains, lower_bound
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import Rows
from tests.factory.learning.learning_kit import PLAN, made_rows


def _found(contest: Contest, name: str) -> Gate:
    return next(gate for gate in contest_gates(contest, PLAN) if gate.name == name)


def _knowing(rows: Rows) -> Any:
    """Return chances that know the labels nearly."""
    return np.where(rows.labels == 1, 0.97, 0.01)


def _ignorant(rows: Rows) -> Any:
    return np.full(len(rows), float((rows.labels == 1).mean()))


def test_a_lower_bound_is_students() -> None:
    """As scipy's interval has it; of one block there is none."""
    blocks = np.array([3.0, 5.0, 4.0, 8.0, 1.0])
    low, _ = stats.t.interval(0.9, 4, blocks.mean(), stats.sem(blocks))
    assert lower_bound(blocks, 0.95) == pytest.approx(low)
    assert lower_bound(blocks[:1], 0.95) == -math.inf


def test_gains_are_added_up_by_day() -> None:
    """Days without rows are none."""
    at = np.array([0, 1, DAY, 3 * DAY, 3 * DAY + 1])
    assert daily_gains(at, np.array([1, 2, 3, 4, 5])).tolist() == [3, 3, 9]


def test_who_knows_passes_and_who_guesses_does_not() -> None:
    """Beside nothing, and beside a champion that knows as much."""
    rows = made_rows(6)
    gates = contest_gates(Contest(rows=rows, challenger=_knowing(rows), champion=None), PLAN)
    assert all(gate.is_passed for gate in gates)
    alike = Contest(rows=rows, challenger=_knowing(rows), champion=_knowing(rows))
    assert not _found(alike, "money").is_passed
    worse = Contest(rows=rows, challenger=_ignorant(rows), champion=_knowing(rows))
    assert _found(worse, "money").figure < 0
    assert "the champion" in _found(worse, "money").said


def test_too_few_days_judge_nobody() -> None:
    """However good they were."""
    rows = made_rows(3)
    gate = _found(Contest(rows=rows, challenger=_knowing(rows), champion=None), "money")
    assert gate.figure > 0
    assert not gate.is_passed


def test_challengers_of_one_day_share_the_confidence() -> None:
    """The bound of one among ten is lower."""
    rows = made_rows(6)
    alone, among = (
        _found(Contest(rows=rows, challenger=_knowing(rows), champion=None, challengers=many), "money")
        for many in (1, 10)
    )
    assert among.figure < alone.figure
    assert "99.5%" in among.said


def test_who_is_worse_in_one_segment_is_refused() -> None:
    """Although it is better in all: of region 1 it knows nothing."""
    rows = made_rows(10, each=200)
    is_one = rows.segments["region"] == 1
    champion = np.where(is_one, _knowing(rows), _ignorant(rows))
    challenger = np.where(is_one, 0.001, _knowing(rows))
    gate = _found(Contest(rows=rows, challenger=challenger, champion=champion), "segment region")
    assert not gate.is_passed
    assert gate.said.startswith("the worst is 1")
    fair = Contest(rows=rows, challenger=_knowing(rows), champion=champion)
    assert _found(fair, "segment region").is_passed


@pytest.mark.parametrize("each", [12, 200])
def test_what_days_cannot_tell_parties_do(each: int) -> None:
    """One day of ten is a good one, with large amounts; of few parties a sum is chance."""
    rows = made_rows(10, each=each)
    is_one, is_good_day = rows.segments["region"] == 1, rows.at // DAY == rows.at[0] // DAY
    rows = replace(rows, amounts=np.where(is_good_day, 4, 1) * 10_000)
    knowing = _knowing(rows)
    challenger = np.where(is_one & ~is_good_day, 0.001, knowing)
    champion = np.where(is_one & is_good_day, 0.001, knowing)
    contest = Contest(rows=rows, challenger=challenger, champion=champion)
    gains = contest.gains(PLAN)[is_one]
    stake = int(rows.amounts[is_one & (rows.labels == 1)].sum()) * PLAN.segment_loss_bp // 10_000
    by_days, by_rows = (
        len(lost) * stats.t.interval(0.9, len(lost) - 1, lost.mean(), stats.sem(lost))[0] - stake
        for lost in (-daily_gains(rows.at[is_one], gains), -gains)
    )
    gate = _found(contest, "segment region")
    is_told = np.count_nonzero(gains) >= 30
    assert is_told == (each == 200)
    assert gate.figure == pytest.approx(by_rows if is_told else by_days)
    assert not is_told or by_days < 0 < gate.figure


def test_chances_twice_too_high_are_refused() -> None:
    """And as many as are found are not."""
    rows = made_rows(6)
    honest = _ignorant(rows)
    assert _found(Contest(rows=rows, challenger=honest, champion=None), "calibration").is_passed
    gate = _found(Contest(rows=rows, challenger=honest * 2, champion=None), "calibration")
    assert not gate.is_passed
    assert gate.figure == pytest.approx(1.0)
    none = replace(rows, labels=np.zeros(len(rows), np.int8))
    assert _found(Contest(rows=none, challenger=honest / 1_000, champion=None), "calibration").is_passed


def test_decisions_that_turn_over_are_counted() -> None:
    """Half of all are more than a plan allows."""
    rows = made_rows(6)
    champion = np.where(np.arange(len(rows)) % 2 == 0, 0.99, 0.0)
    gate = _found(Contest(rows=rows, challenger=1 - champion - 0.005, champion=champion), "flips")
    assert gate.figure == 1.0
    assert not gate.is_passed
