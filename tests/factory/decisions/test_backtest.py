"""Rules over rows of the past say what they say online, and are counted against what became of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.factory.decisions.backtest import (
    chances_of,
    judge_rows,
    needed_columns,
    outcomes_of,
    table_items,
)
from formicary.factory.decisions.errors import MalformedItems
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.features.kinds import EventKind, party
from formicary.factory.models.training import train_model
from tests.factory.decisions.rules_kit import POINT, compiled
from tests.factory.models.kit import made_columns, made_spec, made_table

ROWS = 70_000
NAN = float("nan")


def columns(rows: int = 4) -> dict[str, Any]:
    """Return the columns of a table; the second row lacks what may lack."""
    place = np.arange(rows)
    lacks = place == 1
    return {
        "at": place * 10**9,
        "payee": np.column_stack([0 * place, place % 4]),
        "amount": place + 1,
        "code": np.where(lacks, NAN, 7.0),
        "risk": np.where(lacks, NAN, 0.5),
        "mean_7d": np.where(lacks, NAN, 2.0),
        "score.fraud": np.where(lacks, NAN, 0.25),
    }


def test_columns_of_a_training_set_come_first() -> None:
    """There the asking event's own fields have names of their own."""
    needed = needed_columns(POINT)
    assert needed["at"] == ("at",)
    assert needed["amount"] == ("asking_amount", "amount")
    assert needed["mean_7d"] == ("mean_7d",)
    assert needed["score.fraud"] == ("score.fraud",)


def test_a_table_becomes_items() -> None:
    """What is null is absent or missing; what has no column is, too."""
    items = table_items(POINT, columns(), {})
    on = POINT.on
    assert items.at.tolist() == [0, 10**9, 2 * 10**9, 3 * 10**9]
    assert items.ids[:, on.ids.index("payee"), 1].tolist() == [0, 1, 2, 3]
    assert items.numbers[:, on.numbers.index("amount")].tolist() == [1, 2, 3, 4]
    absent = [[items.absent[row] >> on.numbers.index(name) & 1 for name in on.numbers] for row in (0, 1)]
    assert absent == [[0, 0, 0, 1], [0, 1, 1, 1]]
    assert np.isnan(items.features).tolist() == [[False, True], [True, True], [False, True], [False, True]]
    assert items.scores[[0, 2, 3], 0].tolist() == [0.25] * 3
    told = table_items(POINT, columns(), {"fraud": np.array([0.1, 0.2, 0.3, 0.4])})
    assert told.scores[:, 0].tolist() == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    "changed",
    [
        {"at": None},
        {"at": np.array([0.0, NAN, 1.0, 2.0])},
        {"code": np.array([0.5, 1.0, 1.0, 1.0])},
        {"amount": np.array(["a", "b", "c", "d"], object)},
        {"mean_7d": np.array([None] * 4, object)},
    ],
)
def test_a_table_of_something_else_is_refused(changed: dict[str, Any]) -> None:
    """A time, an amount and a number are what they must be."""
    given = {name: column for name, column in (columns() | changed).items() if column is not None}
    with pytest.raises(MalformedItems):
        table_items(POINT, given, {})


def test_outcomes_are_known_or_not() -> None:
    """A label that is null is not known yet; segments are names, whatever they were."""
    items = table_items(POINT, columns(), {})
    labels = np.array([1.0, 0.0, NAN, 1.0])
    found = outcomes_of(POINT, items, labels, np.array(["a", None, 2, NAN], object))
    assert found.was_bad.tolist() == [1, 0, -1, 1]
    assert found.amounts.tolist() == [1, 2, 3, 4]
    assert found.segments is not None
    assert found.segments.tolist() == ["a", "none", "2", "none"]
    with pytest.raises(MalformedItems):
        outcomes_of(POINT, items, np.array([0.5, 0, 0, 0]), None)
    without = {name: column for name, column in columns().items() if name != "amount"}
    with pytest.raises(MalformedItems, match="no amount"):
        outcomes_of(POINT, table_items(POINT, without, {}), labels, None)
    nothing = DecisionPoint(
        name="login", on=EventKind("login", None, party=party()), outcomes=("allow",), safe_outcome="allow"
    )
    with pytest.raises(MalformedItems, match="no amount"):
        outcomes_of(nothing, items, labels, None)


def test_rows_are_judged_in_blocks() -> None:
    """More rows than a block has are judged as if each were alone, and every rule is counted."""
    rules = compiled("amount > 69_000", "payee in known", "score.fraud > percent(20)", "true", enabled=False)
    items = table_items(POINT, columns(ROWS), {})
    labels = (np.arange(ROWS) % 3 == 0).astype(np.float64)
    labels[-1] = NAN
    outcomes = outcomes_of(POINT, items, labels, None)
    judged = judge_rows(rules, items, outcomes)
    alone = rules.judge(items)
    assert np.array_equal(judged.outcomes, alone.outcomes)
    for number, row in enumerate(judged.rules):
        holds = alone.verdicts[:, number] == 1
        assert row.holds == holds.sum()
        assert row.unknown == (alone.verdicts[:, number] == 2).sum()
        assert row.bad == (holds & (labels == 1)).sum()
        assert row.good == (holds & (labels == 0)).sum()
        assert row.bad_amount == np.arange(1, ROWS + 1)[holds & (labels == 1)].sum()
    assert [row.enabled for row in judged.rules] == [False, True, True, True]


def test_chances_are_those_of_the_model() -> None:
    """A stored model is enough: names of categories are with it."""
    spec = made_spec(trials=1)
    model = train_model(spec, made_table())
    given, _ = made_columns(50, seed=2)
    given["trade"][3] = "sailor"
    assert chances_of(model, given).tolist() == model.chances(spec, given).tolist()
    with pytest.raises(MalformedItems, match="noise"):
        chances_of(model, {name: column for name, column in given.items() if name != "noise"})
