"""Cuts are where a decision turns: those of rules follow from everything else that was read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.factory.decisions.counterfactuals import Direction, Lever, smallest_changes
from formicary.factory.decisions.cuts import forest_cuts, judge_of, rule_cuts
from formicary.factory.decisions.errors import MalformedItems
from formicary.factory.models.forest import forest_of
from tests.factory.decisions.rules_kit import compiled, items
from tests.factory.models.forest_kit import CATEGORIES, made_rows, trained

VALUES: dict[str, float] = {
    "amount": 900.0,
    "mean_7d": 50.0,
    "count_1h": 3.0,
    "risk": 0.5,
    "score.fraud": 0.2,
}


@pytest.mark.parametrize(
    ("when", "name", "cut"),
    [
        ("amount > 100", "amount", 100),
        ("100 <= amount < 200", "amount", 200),
        ("amount > 10 * mean_7d", "amount", 500),
        ("amount > 10 * mean_7d", "mean_7d", 90),
        ("amount / 3 - count_1h > mean_7d", "amount", 159),
        ("-amount < -(mean_7d + 7)", "amount", 57),
        ("amount > 10 * otherwise(mean_7d, 7)", "amount", 500),
        ("magnitude(amount - mean_7d) > 200", "amount", 250),
        ("magnitude(amount - mean_7d) > 200", "amount", -150),
        ("larger(amount, 3 * mean_7d) == 400", "amount", 400),
        ("smaller(amount, mean_7d) != 40", "mean_7d", 40),
        ("not (score.fraud >= percent(80) and true)", "score.fraud", 0.8),
        ("mean_7d * count_1h >= amount", "count_1h", 18),
    ],
)
def test_cuts_of_a_rule(when: str, name: str, cut: float) -> None:
    """Where the sides of a comparison meet, with all other values as they were."""
    found = rule_cuts(compiled(when), VALUES)[name]
    assert any(one == pytest.approx(cut, abs=1e-12) for one in found)
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    "when",
    [
        "mean_7d * mean_7d > 3",
        "100 / mean_7d > 3",
        "mean_7d - mean_7d > 3",
        "mean_7d / 0 > 3",
        "mean_7d is missing",
        "country == 'ID' and payee == payer",
        "hour(at, 0) > 3",
        "mean_7d > 10 / (count_1h - 3)",
    ],
)
def test_what_is_no_straight_line_has_no_cuts(when: str) -> None:
    """A curve, an id and a clock are no numbers that one cut tells apart."""
    assert "mean_7d" not in rule_cuts(compiled(when), VALUES)


def test_what_is_missing_is_replaced_as_in_rules() -> None:
    """The second of ``otherwise`` counts where the first is not there; nothing is cut by what is missing."""
    missing = {name: value for name, value in VALUES.items() if name != "mean_7d"}
    assert rule_cuts(compiled("amount > otherwise(mean_7d, 70)"), missing) == {"amount": (70.0,)}
    assert rule_cuts(compiled("amount > mean_7d"), missing) == {}


def test_rules_that_are_not_armed_cut_nothing() -> None:
    """They change no outcome."""
    assert rule_cuts(compiled("amount > 5", enabled=False), VALUES) == {}


def test_cuts_of_a_forest_are_its_thresholds() -> None:
    """As the trainer wrote them; zero is a side of its own where it is missing, and names have none."""
    booster = trained(3, trees=5, categories=CATEGORIES)
    expected: dict[str, set[float]] = {}
    waiting = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    while waiting:
        node = waiting.pop()
        if node.get("decision_type") == "<=":
            expected.setdefault(f"Column_{node['split_feature']}", set()).add(node["threshold"])
        waiting += [node[side] for side in ("left_child", "right_child") if side in node]
    found = forest_cuts(forest_of(booster))
    assert set(found) == set(expected)
    for name, cuts in found.items():
        assert cuts == pytest.approx(sorted(expected[name]), abs=1e-30)
    zero = forest_cuts(forest_of(trained(3, trees=5, zero_as_missing=True)))
    assert all(
        float(np.float32(1e-35)) in cuts and -float(np.float32(1e-35)) in cuts for cuts in zero.values()
    )


def decision(**changed: float | None) -> dict[str, float | None]:
    """Return the item of a decision."""
    return {"payer": 7, "payee": 8, "at": 1, **VALUES, "code": 1, **changed}


NAMES = ["amount", "mean_7d", "count_1h", "risk", "elsewhere"]


def test_rules_judge_changes() -> None:
    """Fields, features and scores are replaced row by row, in whole numbers where the event has them."""
    rules = compiled("amount > 10 * mean_7d", "score.fraud > percent(50)", "risk > 2")

    def score(values: Any) -> Any:
        return np.where(values[:, 4] > 0, 0.9, 0.1)

    judge = judge_of(rules, items([decision()]), NAMES, {"fraud": score})
    given = np.array(
        [
            [500.0, 50.0, 3.0, 0.5, 0.0],
            [500.6, 50.0, 3.0, 0.5, 0.0],
            [500.0, 49.9, 3.0, 0.5, 0.0],
            [500.0, 50.0, 3.0, 0.5, 1.0],
            [500.0, 50.0, 3.0, 2.5, 0.0],
        ]
    )
    assert np.asarray(judge(given)).tolist() == [0, 3, 3, 3, 3]
    with pytest.raises(MalformedItems):
        judge_of(rules, items([decision()]), NAMES, {"other": score})


def test_a_decision_by_rules_and_a_forest_is_turned() -> None:
    """The smallest change is found through a score as well as through a limit, and holds."""
    forest = forest_of(trained(2, trees=6, num_leaves=6))

    def score(values: Any) -> Any:
        rows = np.repeat(made_rows(5, 1), len(values), axis=0)
        rows[:, 0] = values[:, 0] / 1_000
        return forest.predictions(rows)

    values = np.array([900.0, 50.0])
    grid = np.column_stack([np.arange(900.0), np.full(900, 50.0)])
    limit = float(np.unique(score(grid[:500]))[:2].mean())
    rules = compiled(f"amount > 10 * mean_7d or score.fraud > {limit:.9f}")
    judge = judge_of(rules, items([decision()]), ["amount", "mean_7d"], {"fraud": score})
    cuts = [
        (*rule_cuts(rules, VALUES)["amount"], *(1_000 * cut for cut in forest_cuts(forest)["Column_0"])),
        rule_cuts(rules, VALUES)["mean_7d"],
    ]
    levers = [
        Lever(feature=0, cuts=cuts[0], direction=Direction.DOWN, step=1.0),
        Lever(feature=1, cuts=cuts[1]),
    ]
    found = smallest_changes(values, judge, levers, wanted=[0])
    allowed = grid[np.asarray(judge(grid)) == 0, 0]
    single = [one for one in found.nearest if [change.feature for change in one.changes] == [0]]
    # The limit alone would allow five hundred.
    assert 0 < allowed.max() < 500
    assert single[0].changes[0].after == allowed.max()
