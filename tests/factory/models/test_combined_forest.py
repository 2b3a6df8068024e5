"""The forest of several has the weighted sum of their scores, by its own trees."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.models.combined_forest import combined_forest
from formicary.factory.models.forest import Forest, forest_of
from tests.factory.models.forest_kit import CATEGORIES, Rows, made_rows, odd_rows, trained

ROWS = np.concatenate([made_rows(7, 200), odd_rows(7, 200)])
WEIGHTS = (0.35, 0.65)


@pytest.fixture(scope="module")
def forests() -> list[Forest]:
    """Return two, of other rows and other shapes."""
    return [
        forest_of(trained(1, trees=7, categories=CATEGORIES)),
        forest_of(trained(2, trees=11, num_leaves=5, categories=CATEGORIES)),
    ]


def leaves_of(forest: Forest, rows: Rows) -> Rows:
    """Return the leaf values (n, trees) of rows, each tree scored as a forest of its own."""
    content, first = forest.content, 0
    found = []
    for nodes in content.tree_nodes.tolist():
        of = slice(first, first + nodes)
        starts = content.category_starts[first : first + nodes + 1]
        alone = content._replace(
            tree_nodes=np.array([nodes]),
            **{
                name: getattr(content, name)[of]
                for name in ("features", "thresholds", "children", "decisions", "values", "counts")
            },
            category_starts=starts - starts[0],
            categories=content.categories[starts[0] : starts[-1]],
        )
        found.append(Forest(alone, forest._description).raw_scores(rows))
        first += nodes
    return np.stack(found, axis=1)


def test_scores_are_weighted_sums_leaf_by_leaf(forests: list[Forest]) -> None:
    """To the bit each leaf times its weight, in the order of the trees; by sums, but for rounding."""
    together = combined_forest(forests, WEIGHTS)
    expected = np.zeros(len(ROWS))
    for forest, weight in zip(forests, WEIGHTS, strict=True):
        for leaf in leaves_of(forest, ROWS).T:
            expected += leaf * weight
    assert np.array_equal(together.raw_scores(ROWS), expected)
    sums = sum(one.raw_scores(ROWS) * weight for one, weight in zip(forests, WEIGHTS, strict=True))
    assert together.raw_scores(ROWS) == pytest.approx(sums, abs=1e-12)
    assert together.tree_count == 18
    explained = together.explain(ROWS)
    assert explained.attributions.sum(axis=1) + together.expected_score == pytest.approx(
        explained.scores, abs=1e-9
    )


def test_it_is_a_forest_like_any_other(forests: list[Forest]) -> None:
    """It is stored, read, and known by its hash; another weight is another forest."""
    together = combined_forest(forests, WEIGHTS)
    again = Forest.from_bytes(together.to_bytes())
    assert again == together
    assert np.array_equal(again.raw_scores(ROWS), together.raw_scores(ROWS))
    assert combined_forest(forests, (0.36, 0.64)) != together
    assert combined_forest(forests[:1], (1.0,)) == forests[0]


def test_a_direction_of_both_is_one_of_the_sum() -> None:
    """As no weight is negative."""
    parts = [forest_of(trained(seed, trees=9, monotone_constraints=[1, 0, 0, 0, 0, 0])) for seed in (3, 4)]
    rows = np.repeat(made_rows(5, 30), 40, axis=0)
    rows[:, 0] = np.tile(np.linspace(-4, 4, 40), 30)
    scores = combined_forest(parts, (0.8, 0.2)).raw_scores(rows).reshape(30, 40)
    assert (np.diff(scores, axis=1) >= 0).all()
    assert (np.diff(scores, axis=1) > 0).any()


def test_what_cannot_be_added_up_is_refused(forests: list[Forest]) -> None:
    """None, weights of others, a weight of nothing, and outputs that are read otherwise."""
    amounts = forest_of(trained(1, trees=2, objective="regression"))
    for some, weights in (
        ([], ()),
        (forests, (1.0,)),
        (forests, (0.0, 1.0)),
        (forests, (np.inf, 1.0)),
        ([forests[0], amounts], (0.5, 0.5)),
    ):
        with pytest.raises(ProgrammingError):
            combined_forest(some, weights)
