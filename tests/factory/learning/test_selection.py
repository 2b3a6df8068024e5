"""What was let through by a lot stands for what was not: estimates are those of all rows, chosen or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.gates import Contest, contest_gates
from formicary.factory.learning.guards import Before, Seen, money_alarm
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.stream import RowLog
from formicary.factory.learning.tables import table_of_rows
from tests.factory.learning.learning_kit import PLAN, SPEC, made_rows

SHARE: Final = 0.1
WORLDS: Final = 40


def selected(rows: Rows, seed: int) -> Rows:
    """Return what a policy lets pass that stops debtors, but for a share of them by lot."""
    is_stopped = rows.values[:, 0] > 0.5
    is_drawn = np.random.default_rng([seed, 7]).random(len(rows)) < SHARE
    weights = np.where(is_stopped, 1 / SHARE, 1.0)
    return replace(rows, weights=weights).chosen(~is_stopped | is_drawn)


def contest(rows: Rows) -> Contest:
    """Return the contest of one that knows the world with one that fears nobody."""
    debt, age = rows.values[:, 0], rows.values[:, 1]
    chances = 1 / (1 + np.exp(2.0 - 2.0 * debt + 1.5 * age))
    return Contest(rows=rows, challenger=chances, champion=np.full(len(rows), 0.01))


def gains(rows: Rows) -> float:
    """Return what the one earns more than the other, in all."""
    return float(contest(rows).gains(PLAN).sum())


def bias(of_rows: npt.NDArray[np.float64], of_all: npt.NDArray[np.float64]) -> float:
    """Return how far estimates (k,) are from what is true (k,), in standard errors of their mean."""
    off = of_rows - of_all
    return float(abs(off.mean()) / (off.std(ddof=1) / len(off) ** 0.5))


def test_estimates_are_those_of_whom_no_policy_chose() -> None:
    """By weights money and rates have no bias over many worlds; without them both are far off."""
    found: dict[str, list[tuple[float, float, float]]] = {"money": [], "rate": [], "learnt": []}
    for seed in range(WORLDS):
        everybody = made_rows(8, seed=seed)
        some = selected(everybody, seed)
        plain = replace(some, weights=np.ones(len(some)))
        found["money"].append((gains(some), gains(plain), gains(everybody)))
        total = everybody.labels.sum()
        found["rate"].append(((some.weights * some.labels).sum(), plain.labels.sum(), total))
        tables = [table_of_rows(SPEC, one, negatives_each=1) for one in (some, plain)]
        # Negatives are thinned, and stand for more; what is left out is whose they are.
        debts = [float((one.weights * one.values[:, 0]).sum()) for one in tables]
        found["learnt"].append((debts[0], debts[1], float(everybody.values[:, 0].sum())))
    for name, told in found.items():
        weighed, plain_ones, true = np.array(told, np.float64).T
        assert bias(weighed, true) < 3, name
        assert bias(plain_ones, true) > 10, name


def test_gates_count_rows_by_what_they_stand_for() -> None:
    """A row of weight two is worth what two of it are, in every gate of a contest."""
    rows = made_rows(8, seed=3)
    heavy = np.where(np.arange(len(rows)) % 3 == 0, 2.0, 1.0)
    twice = rows.chosen(np.repeat(np.arange(len(rows)), heavy.astype(int)))
    weighed, copied = (
        {gate.name: gate for gate in contest_gates(contest(one), PLAN)}
        for one in (replace(rows, weights=heavy), twice)
    )
    for name in ("money", "segment region", "calibration", "flips"):
        assert weighed[name].figure == np.float64(copied[name].figure).round(9) or np.isclose(
            weighed[name].figure, copied[name].figure
        )
    # Of copies there are more than of rows: a bound by chance alone is wider by weights.
    assert weighed["calibration"].bound >= copied["calibration"].bound
    assert not np.isclose(weighed["flips"].figure, contest_gates(contest(rows), PLAN)[-1].figure)


def test_a_champion_that_loses_by_weight_is_found_out() -> None:
    """Days that lose little by rows may lose much by what the rows stand for."""
    rows = made_rows(12, seed=5)
    theirs, ours = np.full(len(rows), 0.01), contest(rows).challenger
    worth = PLAN.worth.values(PLAN.worth.stops(ours, rows.amounts), rows.labels, rows.amounts)
    by_lot = replace(rows, weights=np.where(worth < 0, 20.0, 1.0))
    plan = replace(PLAN, watched_days=12)
    told = [
        list(money_alarm(Seen(rows=one, scored=ours, own=ours, before=Before(chances=theirs)), plan))
        for one in (rows, by_lot)
    ]
    assert not told[0]
    assert [alarm.name for alarm in told[1]] == ["money"]


def test_a_log_keeps_weights() -> None:
    """Also where it grows."""
    rows = made_rows(2)
    weighed = replace(rows, weights=np.arange(1, 1 + len(rows), dtype=np.float64))
    log = RowLog()
    log.add(weighed.chosen(slice(0, 50)))
    log.add(weighed.chosen(slice(50, None)))
    np.testing.assert_array_equal(log.rows(rows.labels).weights, weighed.weights)
