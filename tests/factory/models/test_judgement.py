"""A model that is declared adds up what was declared, and says that nothing stands behind it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.factory.models.calibration import identity
from formicary.factory.models.conformance import check_judgement
from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.judgement import NO_DATA, JudgedColumn, Judgement
from formicary.factory.models.model import Model, scorecard_columns
from formicary.factory.models.scorecard import PointsScale
from formicary.factory.models.spec import Objective
from formicary.factory.models.tree_shap import TreeShap
from tests.factory.models.kit import made_spec, made_table

DEBT = JudgedColumn(
    name="debt", ends=(-1.0, 0.0, 1.5), points=(20, 5, 0, -35), missing=-10, shares=(20, 30, 30, 10)
)
INCOME = JudgedColumn(name="income", ends=(0.5,), points=(-15, 10), missing=-15, shares=(50, 40))
NOISE = JudgedColumn(name="noise", ends=(), points=(3,), missing=-2, shares=(100,))
JUDGED = Judgement(
    spec=made_spec(), scale=PointsScale(600.0, 50.0, 20.0), start=590.0, columns=(DEBT, INCOME, NOISE)
)
POINTS = {"debt": DEBT, "income": INCOME, "noise": NOISE}


def rows() -> Any:
    """Return rows of numbers at, below and above all ends, and missing."""
    at = [-np.inf, -1.0, -0.9, 0.0, 0.1, 0.5, 0.6, 1.5, 1.6, np.inf, np.nan]
    grid = np.array([(debt, income, 0.0, noise) for debt in at for income in at for noise in (1.0, np.nan)])
    grid[:, 2] = np.arange(len(grid)) % 3
    return grid


def told(column: JudgedColumn, value: float) -> float:
    """Return the points of a value, looked up one bin after the other."""
    if math.isnan(value):
        return column.missing
    for end, points in zip(column.ends, column.points, strict=False):
        if value <= end:
            return column.points[column.points.index(points)]
    return column.points[-1]


def test_points_add_up() -> None:
    """The forest gives the odds that points state, and the scorecard's bits; the trade adds nothing."""
    model, given = JUDGED.model(), rows()
    scores = model.forest.raw_scores(given)
    for row, score in zip(given.tolist(), scores.tolist(), strict=True):
        points = 590.0 + told(DEBT, row[0]) + told(INCOME, row[1]) + told(NOISE, row[3])
        odds = 50.0 * 2.0 ** ((points - 600.0) / 20.0)
        assert score == pytest.approx(-math.log(odds), abs=1e-12)
    assert model.scorecard is not None
    columns = scorecard_columns(JUDGED.spec, given)
    assert model.scorecard.score(columns).tolist() == scores.tolist()
    alone = [float(model.forest.raw_scores(given[place : place + 1])[0]) for place in range(0, len(given), 7)]
    assert alone == scores[::7].tolist()


def test_chances_are_the_odds_that_were_stated() -> None:
    """There is no calibration to fit."""
    model = JUDGED.model()
    assert model.calibration == identity()
    (chance,) = model.chances(
        JUDGED.spec, {"debt": [0.5], "income": [0.9], "trade": ["baker"], "noise": [np.nan]}
    )
    assert 1 / chance - 1 == pytest.approx(50.0 * 2.0 ** ((590 + 10 - 2 - 600) / 20))


def test_reasons_count_from_the_mean_of_a_hundred() -> None:
    """The Shapley value of a column is what its bin adds beyond the mean of the rows that are thought of."""
    model, given = JUDGED.model(), rows()[::5]
    shap = TreeShap(model.forest)
    added = shap.contributions(given)
    per_point = math.log(2) / 20
    for name, place in (("debt", 0), ("income", 1), ("noise", 3)):
        column = POINTS[name]
        mean = sum(
            points * share
            for points, share in zip((*column.points, column.missing), column.of_hundred, strict=True)
        )
        expected = [-(told(column, value) - mean / 100) * per_point for value in given[:, place].tolist()]
        assert added[:, place].tolist() == pytest.approx(expected, abs=1e-12)
    assert not added[:, 2].any()
    assert (shap.expected_score + added.sum(axis=1)).tolist() == pytest.approx(
        model.forest.raw_scores(given).tolist()
    )
    assert model.forest.expected_score == pytest.approx(shap.expected_score)


def test_it_says_that_it_was_not_learnt() -> None:
    """Of no rows nothing was shown, and the card's table has no rates."""
    model = JUDGED.model()
    evidence = model.evidence
    assert (evidence.rows, evidence.positives, dict(evidence.forest), evidence.trials) == (0, 0, {}, 0)
    assert model.scorecard is not None
    assert model.scorecard.notes == (NO_DATA,)
    bins = model.scorecard.bins()
    assert [one.bin for one in bins if one.column == "noise"] == ["any", "missing"]
    assert all(math.isnan(one.rate) for one in bins)
    assert {one.column: sum(each.share for each in bins if each.column == one.column) for one in bins} == {
        name: pytest.approx(1.0) for name in POINTS
    }
    assert "nan" not in model.scorecard.table()
    assert "-0.00" not in model.scorecard.table()


def test_it_is_a_model_like_any_other() -> None:
    """Stored and read again it is itself; the hash follows from what is declared alone."""
    model = JUDGED.model()
    assert Model.from_bytes(model.to_bytes(), expected_hash=model.hash).hash == model.hash
    assert JUDGED.model().hash == model.hash
    other = replace(JUDGED, start=591.0)
    assert other.hash != JUDGED.hash
    assert other.model().hash != model.hash


def test_it_keeps_the_promises_of_a_model() -> None:
    """Directions, missing values, chances: all that needs no training."""
    assert check_judgement(JUDGED, made_table(120)) == []
    (found,) = check_judgement(replace(JUDGED, columns=()), made_table(120))
    assert found.rule == "a judgement does not contradict itself"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"columns": ()}, "judges by no column"),
        ({"columns": (DEBT, DEBT)}, "by one twice"),
        ({"start": math.inf}, "starts nowhere"),
        ({"columns": (replace(DEBT, name="age"),)}, "age is no column of repayment"),
        ({"columns": (replace(DEBT, name="trade"),)}, "trade: names are not judged"),
        ({"columns": (replace(DEBT, points=(1, 0)),)}, "debt: 4 bins have 2 numbers"),
        ({"columns": (replace(DEBT, missing=math.nan),)}, "debt: a number of it is not finite"),
        ({"columns": (replace(DEBT, ends=(0.0, 0.0, 1.5)),)}, "debt: its ends do not rise"),
        ({"columns": (replace(DEBT, points=(20, 5, 6, -35)),)}, "debt: its points turn"),
        ({"columns": (replace(DEBT, shares=(20, 30, 0, 10)),)}, "debt: each bin has one of a hundred"),
        ({"columns": (replace(DEBT, shares=(20, 30, 50, 10)),)}, "debt: each bin has one of a hundred"),
        ({"spec": replace(JUDGED.spec, objective=Objective.REGRESSION)}, "an amount has no odds"),
        ({"spec": replace(JUDGED.spec, predicts="nothing")}, "is a sentence"),
    ],
)
def test_what_contradicts_itself_is_no_model(changed: dict[str, Any], said: str) -> None:
    """All that is wrong is said."""
    with pytest.raises(ModelMalformed, match=said):
        replace(JUDGED, **changed).model()
