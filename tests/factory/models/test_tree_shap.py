"""Contributions are those of LightGBM, and those that the definition of a Shapley value gives."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.models._forest_content import CATEGORICAL, DEFAULT_LEFT, LEAF, Content, Description
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.forest import Forest, forest_of
from formicary.factory.models.tree_shap import TreeShap
from tests.factory.models.forest_kit import CATEGORIES, Rows, made_rows, odd_rows, trained

KINDS: dict[str, dict[str, Any]] = {
    "binary": {},
    "regression": {"objective": "regression"},
    "categories": {"categories": CATEGORIES},
    "categories, zero is missing": {"categories": CATEGORIES, "zero_as_missing": True},
    "one category against all": {"categories": CATEGORIES, "max_cat_to_onehot": 500},
    "zero is missing": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
    "a part of the rows": {"bagging_freq": 1, "bagging_fraction": 0.3},
    "deep": {"num_leaves": 100, "min_data_in_leaf": 1, "trees": 9},
    "stumps": {"num_leaves": 2},
    "dropped trees": {"boosting": "dart"},
    "one leaf": {"min_data_in_leaf": 5_000, "trees": 3},
}


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_are_those_of_the_booster(kind: str) -> None:
    """On honest rows and on odd ones, whatever is missing and whatever has categories."""
    booster = trained(1, **KINDS[kind])
    found = TreeShap(forest_of(booster))
    for rows in (made_rows(2, 100), odd_rows(3, 100)):
        expected = np.asarray(booster.predict(rows, pred_contrib=True))
        assert found.contributions(rows) == pytest.approx(expected[:, :-1], abs=1e-12)
        assert found.expected_score == pytest.approx(expected[0, -1], abs=1e-12)


@pytest.mark.parametrize("kind", ["binary", "categories, zero is missing", "deep", "one leaf"])
def test_contributions_sum_up_to_the_score(kind: str) -> None:
    """Nothing of a score is left unexplained, and no feature that is not asked explains anything."""
    forest = forest_of(trained(4, **KINDS[kind]))
    found, rows = TreeShap(forest), odd_rows(4, 200)
    contributions = found.contributions(rows)
    total = contributions.sum(axis=1) + found.expected_score
    assert total == pytest.approx(forest.raw_scores(rows), abs=1e-11)
    assert not contributions[:, np.setdiff1d(np.arange(6), forest.content.features)].any()


def expectation(content: Content, first: int, place: int, row: Any, known: frozenset[int]) -> float:
    """Return the mean score of a tree where only some features of a row are known."""
    node = first + place
    feature, left = int(content.features[node]), int(content.children[node])
    if feature == LEAF:
        return float(content.values[node])
    if feature in known:
        if content.decisions[node] & CATEGORICAL:
            start, end = content.category_starts[node : node + 2]
            is_left = row[feature] in content.categories[start:end]
        elif np.isnan(row[feature]):
            is_left = bool(content.decisions[node] & DEFAULT_LEFT)
        else:
            is_left = row[feature] <= content.thresholds[node]
        return expectation(content, first, left + (not is_left), row, known)
    ways = [expectation(content, first, child, row, known) for child in (left, left + 1)]
    counts = content.counts[first + left : first + left + 2]
    return float(np.dot(ways, counts) / counts.sum())


def shapley_values(content: Content, features: int, row: Any) -> Rows:
    """Return Shapley values by their definition: over all subsets of the other features."""
    firsts = (np.cumsum(content.tree_nodes) - content.tree_nodes).tolist()

    def told(known: frozenset[int]) -> float:
        return sum(expectation(content, first, 0, row, known) for first in firsts)

    found = np.zeros(features)
    for feature in range(features):
        others = [other for other in range(features) if other != feature]
        for size in range(features):
            weight = factorial(size) * factorial(features - size - 1) / factorial(features)
            for chosen in map(frozenset, combinations(others, size)):
                found[feature] += weight * (told(chosen | {feature}) - told(chosen))
    return found


@pytest.mark.parametrize("parameters", [{}, {"categories": CATEGORIES}, {"num_leaves": 12}])
def test_contributions_are_those_of_the_definition(parameters: dict[str, Any]) -> None:
    """Over every subset of the features, features that are asked several times on a way among them."""
    forest = forest_of(trained(5, **({"trees": 2, "num_leaves": 6} | parameters)))
    rows = made_rows(6, 6)
    expected = [shapley_values(forest.content, 6, row) for row in rows]
    assert TreeShap(forest).contributions(rows) == pytest.approx(np.array(expected), abs=1e-12)


def chain(features: int, counts: list[int]) -> Forest:
    """Return a tree that asks one feature after the other: who is above zero goes on, the others end."""
    places = range(2 * features + 1)
    leaf = np.array([place % 2 == 1 or place == 2 * features for place in places])
    below = np.cumsum(counts[::-1])[::-1]
    # A node's left child is the leaf after it, and all others are below its right one.
    rows = [int(below[0])] + [int(n) for k in range(features) for n in (counts[k], below[k + 1])]
    content = Content(
        tree_nodes=np.array([len(places)]),
        features=np.where(leaf, LEAF, (np.arange(len(places)) + 1) // 2),
        thresholds=np.zeros(len(places)),
        children=np.where(leaf, 0, np.arange(len(places)) + 1),
        decisions=np.zeros(len(places), np.int64),
        values=np.arange(len(places), dtype=np.float64),
        counts=np.array(rows),
        category_starts=np.zeros(len(places) + 1, np.int64),
        categories=np.zeros(0, np.int64),
    )
    return Forest(content, Description(tuple(f"f{k}" for k in range(features)), "identity", 1.0))


def test_long_ways_are_exact() -> None:
    """A way that asks a hundred features needs fifty points, and loses nothing of a score."""
    forest = chain(100, [1 + place % 7 for place in range(101)])
    found, rows = TreeShap(forest), np.random.default_rng(8).normal(size=(20, 100))
    total = found.contributions(rows).sum(axis=1) + found.expected_score
    assert total == pytest.approx(forest.raw_scores(rows), abs=1e-9)


def test_ways_that_are_too_long_are_refused() -> None:
    """What could not be added up exactly is not added up."""
    with pytest.raises(ModelRefused, match="128 features"):
        TreeShap(chain(129, [1] * 130))


def test_ways_that_no_row_went_explain_what_is_left() -> None:
    """A leaf without rows is no part of the mean; a row that ends there is explained to its score."""
    forest = chain(3, [4, 0, 0, 0])
    found, rows = TreeShap(forest), np.array([[-1.0, 1, 1], [1, -1, 1], [1, 1, -1], [1, 1, 1]])
    assert found.expected_score == 1.0
    contributions = found.contributions(rows)
    assert np.isfinite(contributions).all()
    assert not contributions[0].any()
    assert contributions[1].sum() + found.expected_score == pytest.approx(3.0)


@pytest.mark.parametrize("shape", [(6,), (2, 5), (1, 2, 6)])
def test_rows_of_another_shape_are_a_mistake(shape: tuple[int, ...]) -> None:
    """A kernel looks at no bounds, so they are looked at before."""
    with pytest.raises(ProgrammingError):
        TreeShap(forest_of(trained(7, trees=1))).contributions(np.zeros(shape))


def test_no_trainer_is_needed(tmp_path: Path) -> None:
    """A stored forest is explained without the library that trained it."""
    path = tmp_path / "forest"
    path.write_bytes(forest_of(trained(7, trees=1)).to_bytes())
    script = (
        "import sys, pathlib; from formicary.factory.models.forest import Forest;"
        "from formicary.factory.models.tree_shap import TreeShap;"
        "TreeShap(Forest.from_bytes(pathlib.Path(sys.argv[1]).read_bytes())).contributions([[0.0] * 6]);"
        "assert 'lightgbm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
