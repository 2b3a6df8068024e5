"""A scorecard is a sum that anyone can add up, and rises only where it may."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from formicary.factory.models._binning import BinRules
from formicary.factory.models._folds import stratified_folds
from formicary.factory.models._logistic import fit_line
from formicary.factory.models.errors import LabelsTooFew, ModelCorrupt, ModelMalformed, TableUnusable
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.scorecard import PointsScale, Scorecard
from formicary.factory.models.scorecard_training import ScorecardRules, train_scorecard

Columns = dict[str, Any]
QUICK = ScorecardRules(bins=(BinRules(),), penalties=(3.0, 1.0), folds=2)


def cases(rows: int, *, seed: int = 1) -> tuple[Columns, Columns, np.ndarray]:
    """Return numbers, categories and labels (n,) of cases whose odds each column moves in its own way."""
    chance = np.random.default_rng(seed)
    debt, age = chance.gamma(2.0, 10.0, rows), chance.integers(18, 80, rows).astype(float)
    job = chance.integers(-1, 6, rows)
    odds = -2 + 0.06 * debt + np.abs(age - 45) / 20 + np.array([0.0, 0.0, 1.0, -1.0, 1.0, 0.0, 0.5])[job]
    labels = (chance.random(rows) < expit(odds)).astype(np.int64)
    debt[chance.random(rows) < 0.1 + 0.2 * labels] = np.nan
    return {"debt": debt, "age": age, "noise": chance.normal(size=rows)}, {"job": job}, labels


NUMBERS, CODES, LABELS = cases(3_000)
CARD = train_scorecard(numeric=NUMBERS, categorical=CODES, labels=LABELS, constraints={"debt": 1})
TABLE = {**NUMBERS, **CODES}


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_the_line_is_the_optimum_under_its_constraint(penalty: float) -> None:
    """The regression ends where a general optimizer with bounds does, some coefficients at 0."""
    chance = np.random.default_rng(3)
    design = chance.normal(size=(400, 5))
    labels = (chance.random(400) < expit(design @ [1.0, 0.5, -0.6, 0.0, 0.3] - 1)).astype(float)
    weights = chance.integers(0, 3, 400).astype(float)

    def loss(line: np.ndarray) -> float:
        odds = line[0] + design @ line[1:]
        cross_entropy = (weights * (np.logaddexp(0, odds) - labels * odds)).sum()
        return float(cross_entropy + penalty / 2 * (line[1:] ** 2).sum())

    best = minimize(loss, np.zeros(6), bounds=[(None, None)] + [(0, None)] * 5, tol=1e-12)
    found = fit_line(design, labels, weights, penalty=penalty)
    assert [found.intercept, *found.coefficients] == pytest.approx(best.x, abs=2e-3)
    assert loss(np.array([found.intercept, *found.coefficients])) <= best.fun + 1e-6
    assert found.coefficients[2] == 0


def test_folds_share_out_both_classes() -> None:
    """Folds differ by one row of each class at most, and only another seed makes others."""
    labels = np.array([0.0, 0.0, 1.0] * 33)
    fold_of = stratified_folds(labels, folds=5, seed=1)
    counts = np.array(
        [[((fold_of == fold) & (labels == label)).sum() for fold in range(5)] for label in (0, 1)]
    )
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert (fold_of == stratified_folds(labels, folds=5, seed=1)).all()
    assert (fold_of != stratified_folds(labels, folds=5, seed=2)).any()


def test_a_card_ranks_cases_it_has_not_seen() -> None:
    """It finds a bend, categories and what missing values tell, and its odds are near the labels' share."""
    numbers, codes, labels = cases(3_000, seed=9)
    scores = CARD.score({**numbers, **codes})
    assert area_under_roc(scores=scores, labels=labels) > 0.75
    assert expit(scores).mean() == pytest.approx(labels.mean(), abs=0.03)
    assert [column.name for column in CARD.columns][:2] == ["debt", "age"]
    assert all(column.coefficient > 0 for column in CARD.columns)


points = st.fixed_dictionaries(
    {
        "debt": st.floats(0, 200) | st.just(math.nan),
        "age": st.floats(-10, 120) | st.just(math.nan),
        "noise": st.floats(-1e300, 1e300),
        "job": st.integers(-1, 40),
    }
)


@settings(deadline=None, max_examples=40)
@given(st.lists(points, min_size=1, max_size=20))
def test_contributions_add_up_to_the_bit(drawn: list[dict[str, float]]) -> None:
    """Added one by one they are the score, in a batch and alone."""
    table = {name: np.array([one[name] for one in drawn]) for name in drawn[0]}
    scores, added = CARD.score(table), CARD.contributions(table)
    assert added.shape == (len(drawn), len(CARD.columns))
    for place, one in enumerate(drawn):
        total = CARD.intercept
        for part in added[place].tolist():
            total += part
        assert total == scores[place] == CARD.score(one)[0]


@settings(deadline=None, max_examples=40)
@given(points, st.lists(st.floats(-50, 300), min_size=2, max_size=20))
def test_a_score_never_falls_where_it_may_not(one: dict[str, float], debts: list[float]) -> None:
    """More debt never lowers the odds of going bad, so it never gains points."""
    table: Columns = {name: np.full(len(debts), value) for name, value in one.items()} | {
        "debt": sorted(debts)
    }
    assert (np.diff(CARD.score(table)) >= 0).all()
    assert (np.diff(CARD.points(table)) <= 0).all()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1_000), st.sampled_from([-1, 1]), st.sampled_from([-1, 1]))
def test_a_constraint_holds_against_the_data(seed: int, direction: int, slope: int) -> None:
    """Weights go as declared also where the data go the other way, and then the column is left out."""
    chance = np.random.default_rng(seed)
    risk, other = chance.normal(size=400), chance.normal(size=400)
    labels = (chance.random(400) < expit(1.5 * slope * risk + 2 * other)).astype(int)
    table = {"risk": risk, "other": other}
    card = train_scorecard(
        numeric=table, categorical={}, labels=labels, constraints={"risk": direction}, rules=QUICK
    )
    line = np.linspace(-4, 4, 200)
    scores = card.score({"risk": line, "other": np.zeros(200)})
    assert (np.diff(scores) * direction >= 0).all()
    assert ("risk" in [column.name for column in card.columns]) == (direction == slope)


def test_points_are_those_of_the_scale() -> None:
    """At 50 to 1 a case has 600 points, and 20 more at twice that."""
    scale = PointsScale()
    found = scale.points(np.log(1 / np.array([50.0, 100.0, 25.0])))
    assert found == pytest.approx([600.0, 620.0, 580.0])
    assert CARD.points(TABLE) == pytest.approx(600 - 20 / math.log(2) * (CARD.score(TABLE) + math.log(50)))


def test_missing_values_weigh_what_they_told_and_unseen_ones_nothing() -> None:
    """A missing debt is bad here; a missing age, of which there was none, and an unseen job are neutral."""
    table = {"debt": [math.nan] * 3, "age": [math.nan] * 3, "noise": [0.0] * 3, "job": [77, 6, 10**12]}
    added = dict(zip([column.name for column in CARD.columns], CARD.contributions(table).T, strict=True))
    assert (added["debt"] > 0.3).all()
    assert (added["age"] == 0).all()
    assert (added["job"] == 0).all()


def test_columns_that_tell_nothing_are_left_out_with_a_note() -> None:
    """A constant, an all-missing and an empty categorical column do not stop a training that has another."""
    rows = len(LABELS)
    card = train_scorecard(
        numeric={"debt": NUMBERS["debt"], "one": np.ones(rows), "void": np.full(rows, np.nan)},
        categorical={"none": np.full(rows, -1), "same": np.zeros(rows, int)},
        labels=LABELS,
        rules=QUICK,
    )
    assert [column.name for column in card.columns] == ["debt"]
    assert [note.split()[0] for note in card.notes] == ["one", "void", "none", "same"]


def test_weights_count_rows_and_their_unit_is_nothing() -> None:
    """A row of weight 0 is not there, and doubling all weights changes nothing."""
    kept = np.arange(len(LABELS)) % 2 == 0
    half = train_scorecard(
        numeric={"age": NUMBERS["age"][kept]}, categorical={}, labels=LABELS[kept], rules=QUICK
    )
    same = train_scorecard(
        numeric={"age": NUMBERS["age"]}, categorical={}, labels=LABELS, weights=kept * 2.0, rules=QUICK
    )
    assert half == same


class Named(NamedTuple):
    """Columns as a record."""

    debt: np.ndarray
    age: np.ndarray
    noise: np.ndarray


def test_training_is_the_same_every_time_and_from_a_record() -> None:
    """A second training, from a NamedTuple, has the hash of the first."""
    again = train_scorecard(
        numeric=Named(**NUMBERS), categorical=CODES, labels=LABELS, constraints={"debt": 1}
    )
    assert again.hash == CARD.hash


def test_what_is_stored_is_what_is_read() -> None:
    """A card survives JSON to the bit; a number that changed in between is found."""
    plain = json.loads(json.dumps(CARD.to_dict()))
    assert Scorecard.from_dict(plain) == CARD
    changes: list[Columns] = [
        {"intercept": 9.0},
        {"hash": "0"},
        {"scale": None},
        {"columns": [{}]},
        {"columns": []},
        {"penalty": math.nan},
        {"penalty": "x"},
    ]
    for change in changes:
        with pytest.raises(ModelCorrupt):
            Scorecard.from_dict({**plain, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"ends": [2.0, 1.0]},
        {"ends": []},
        {"codes": [[1]]},
        {"coefficient": -1.0},
        {"direction": 2},
        {"direction": -1},
        {"coefficient": math.inf},
    ],
)
def test_a_broken_column_is_refused(change: Columns) -> None:
    """Bins that contradict each other are told when a card is read."""
    plain = CARD.to_dict()
    plain["columns"][0] |= change
    with pytest.raises(ModelCorrupt):
        Scorecard.from_dict(plain)


def test_the_table_can_be_read() -> None:
    """Every bin has its line, and the points of a case's lines add up to its points."""
    lines = CARD.table().splitlines()
    assert lines[0].split() == ["column", "bin", "rows", "share", "rate", "weight", "points"]
    assert len(lines) == 2 + len(CARD.bins())
    debt = [one for one in CARD.bins() if one.column == "debt"]
    assert debt[0].bin.startswith("up to ")
    assert debt[-1].bin == "missing"
    assert math.fsum(one.share for one in debt) == pytest.approx(1)
    assert sum(one.rows for one in debt) == len(LABELS)
    start = float(CARD.scale.points(np.array([CARD.intercept]))[0])
    best = start + sum(max(one.points for one in CARD.bins() if one.column == c.name) for c in CARD.columns)
    assert CARD.points(TABLE).max() <= best + 1e-9


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"labels": np.zeros(3_000)}, LabelsTooFew),
        ({"labels": np.append(np.ones(9), np.zeros(2_991))}, LabelsTooFew),
        ({"constraints": {"height": 1}}, ModelMalformed),
        ({"constraints": {"job": 1}}, ModelMalformed),
        ({"constraints": {"debt": 2}}, ModelMalformed),
        ({"numeric": {"debt": np.ones(5)}}, TableUnusable),
        ({"numeric": {"debt": np.full(3_000, math.inf)}}, TableUnusable),
        ({"numeric": {"job": np.ones(3_000)}}, TableUnusable),
        ({"categorical": {"job": np.full(3_000, -2)}}, TableUnusable),
        ({"numeric": {"debt": np.ones(3_000)}, "categorical": {}}, TableUnusable),
        ({"numeric": {}, "categorical": {}}, TableUnusable),
    ],
)
def test_what_cannot_be_trained_is_refused(change: Columns, refusal: type[Exception]) -> None:
    """A table, labels or constraints that make no card are told by their error."""
    arguments: Columns = {"numeric": NUMBERS, "categorical": CODES, "labels": LABELS, "rules": QUICK}
    with pytest.raises(refusal):
        train_scorecard(**{**arguments, **change})


def test_what_cannot_be_scored_is_refused() -> None:
    """A column that is missing, or shorter than others, is told."""
    with pytest.raises(TableUnusable, match="'debt'"):
        CARD.score({"age": [1.0]})
    with pytest.raises(TableUnusable, match="rows"):
        CARD.score({**TABLE, "age": [1.0]})
    with pytest.raises(ModelCorrupt):
        PointsScale(to_double=0.0)


def test_many_rows_are_counted_and_few_are_fitted_to() -> None:
    """Coefficients of a sample are near those of all rows, bins are of all, and shares are not moved."""
    rules = replace(QUICK, rows_each_max=400)
    card = train_scorecard(numeric=NUMBERS, categorical=CODES, labels=LABELS, rules=rules)
    assert sum(card.columns[0].rows) == len(LABELS)
    whole = train_scorecard(numeric=NUMBERS, categorical=CODES, labels=LABELS, rules=QUICK)
    found, expected = card.score(TABLE), whole.score(TABLE)
    assert np.corrcoef(found, expected)[0, 1] > 0.99
    assert expit(found).mean() == pytest.approx(LABELS.mean(), abs=0.02)


def test_the_bins_that_suit_other_rows_are_chosen() -> None:
    """A narrow peak is found by fine bins, which coarse ones cannot see."""
    chance = np.random.default_rng(4)
    risk = chance.random(6_000)
    labels = (chance.random(6_000) < np.where(np.abs(risk - 0.5) < 0.015, 0.9, 0.1)).astype(int)
    card = train_scorecard(numeric={"risk": risk}, categorical={}, labels=labels)
    assert max(one.rate for one in card.bins()) > 0.75
    coarse = train_scorecard(numeric={"risk": risk}, categorical={}, labels=labels, rules=QUICK)
    assert max(one.rate for one in coarse.bins()) < 0.6


def test_a_column_that_is_seldom_there_has_one_bin() -> None:
    """Too few values to be cut, but that there is one may tell."""
    chance = np.random.default_rng(5)
    rare = np.where(chance.random(3_000) < 0.03, chance.normal(size=3_000), np.nan)
    labels = (chance.random(3_000) < np.where(np.isnan(rare), 0.2, 0.8)).astype(int)
    card = train_scorecard(numeric={"rare": rare}, categorical={}, labels=labels, rules=QUICK)
    present, missing = card.bins()
    assert (present.bin, missing.bin) == ("any", "missing")
    assert present.points < missing.points


def test_a_column_whose_evidence_turns_around_is_left_out() -> None:
    """Alone it raises the odds, beside the other it would lower them."""
    chance = np.random.default_rng(6)
    debt = chance.normal(size=4_000)
    shadow = debt + 0.5 * chance.normal(size=4_000)
    labels = (chance.random(4_000) < expit(3 * debt - 1.5 * shadow)).astype(int)
    card = train_scorecard(
        numeric={"debt": debt, "shadow": shadow}, categorical={}, labels=labels, rules=QUICK
    )
    assert [column.name for column in card.columns] == ["debt"]
    assert card.notes == ("shadow is left out: beside the others its evidence would turn around.",)
