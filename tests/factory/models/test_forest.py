"""Forests score the same bits as the boosters they were made from, and refuse to be anything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from formicary.base.errors import ProgrammingError
from formicary.factory.models import _forest_content as stored
from formicary.factory.models._forest_content import Content
from formicary.factory.models._forest_dump import description_of
from formicary.factory.models.errors import ModelCorrupt, ModelRefused
from formicary.factory.models.forest import Forest, Scorer, forest_of
from tests.factory.models.forest_kit import CATEGORIES, made_rows, odd_rows, trained

KINDS: dict[str, dict[str, Any]] = {
    "binary": {},
    "regression": {"objective": "regression"},
    "square roots": {"objective": "regression", "reg_sqrt": True},
    "absolute": {"objective": "regression_l1"},
    "quantile": {"objective": "quantile"},
    "poisson": {"objective": "poisson"},
    "tweedie": {"objective": "tweedie"},
    "gamma": {"objective": "gamma"},
    "cross entropy": {"objective": "cross_entropy"},
    "cross entropy lambda": {"objective": "cross_entropy_lambda"},
    "steep sigmoid": {"sigmoid": 2.5},
    "categories": {"categories": CATEGORIES},
    "categories, zero is missing": {"categories": CATEGORIES, "zero_as_missing": True},
    "one category against all": {"categories": CATEGORIES, "max_cat_to_onehot": 500},
    "zero is missing": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
    "constrained": {"monotone_constraints": [1, 0, -1, 0, 0, 0]},
    "random thresholds": {"extra_trees": True},
    "deep": {"num_leaves": 100, "min_data_in_leaf": 1, "trees": 9},
    "stumps": {"num_leaves": 2},
    "dropped trees": {"boosting": "dart"},
    "one leaf": {"min_data_in_leaf": 5_000, "trees": 3},
}


@pytest.fixture(scope="module", params=KINDS, ids=[name.replace(" ", "_") for name in KINDS])
def booster(request: pytest.FixtureRequest) -> lightgbm.Booster:
    """Train a booster of each kind."""
    return trained(1, **KINDS[request.param])


@pytest.fixture(scope="module")
def forest() -> Forest:
    """Return a small forest of numbers and categories."""
    return forest_of(trained(2, trees=3, num_leaves=5, categories=CATEGORIES))


def bits(numbers: Any) -> Any:
    """Return the bits of floats: two zeros differ."""
    return np.asarray(numbers, np.float64).view(np.int64)


@pytest.mark.parametrize("rows_of", [made_rows, odd_rows])
def test_scores_have_the_bits_of_the_booster(booster: lightgbm.Booster, rows_of: Callable[..., Any]) -> None:
    """Raw scores and predictions are equal bit for bit, on honest rows and on odd ones."""
    found, rows = forest_of(booster), rows_of(7, 777)
    assert np.array_equal(bits(found.raw_scores(rows)), bits(booster.predict(rows, raw_score=True)))
    assert np.array_equal(bits(found.predictions(rows)), bits(booster.predict(rows)))


def test_a_row_has_the_same_bits_alone(booster: lightgbm.Booster) -> None:
    """The kernel of one row and the one of blocks agree, whatever the length of the last block is."""
    found, rows = forest_of(booster), odd_rows(8, 130)
    together = found.raw_scores(rows)
    assert np.array_equal(bits(found.explain(rows).scores), bits(together))
    scorer = Scorer(found)
    assert [float(scorer.raw_scores(row[None])[0]) for row in rows] == together.tolist()


def test_attributions_sum_up_to_the_score(booster: lightgbm.Booster) -> None:
    """What features added and the expected score are the raw score; what no tree asks for adds nothing."""
    found, rows = forest_of(booster), odd_rows(9, 300)
    scores, attributions = found.explain(rows)
    assert attributions.sum(axis=1) + found.expected_score == pytest.approx(scores, abs=1e-9)
    unused = np.setdiff1d(np.arange(found.feature_count), found.trees.columns[:, 0])
    assert not attributions[:, unused].any()


def test_attributions_are_those_of_the_paths() -> None:
    """Each feature gets the changes of the value at the nodes that ask for it, as a plain walk finds."""
    booster = trained(3, trees=1, num_leaves=8)
    rows = made_rows(3, 50)
    expected = np.zeros(rows.shape)
    for row, sums in zip(rows, expected, strict=True):
        node = booster.dump_model()["tree_info"][0]["tree_structure"]
        while "split_feature" in node:
            number = row[node["split_feature"]]
            is_left = node["default_left"] if np.isnan(number) else number <= node["threshold"]
            child = node["left_child" if is_left else "right_child"]
            value = child.get("internal_value", child.get("leaf_value"))
            sums[node["split_feature"]] += value - node["internal_value"]
            node = child
    assert forest_of(booster).explain(rows).attributions == pytest.approx(expected, abs=1e-12)


@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(0, 70), st.just(6)),
        elements=st.floats() | st.integers(-2, 302).map(float) | st.sampled_from([0.0, 1e-35, np.nan]),
    )
)
def test_any_row_has_the_bits_of_the_booster(rows: Any) -> None:
    """There are no numbers that LightGBM sends another way."""
    for booster, found in BOTH:
        expected = booster.predict(rows, raw_score=True) if len(rows) else []
        assert np.array_equal(bits(found.raw_scores(rows)), bits(expected))
        assert np.array_equal(bits(found.explain(rows).scores), bits(expected))


BOTH = [
    (each, forest_of(each))
    for zero_as_missing in (True, False)
    for each in [trained(4, trees=12, categories=CATEGORIES, zero_as_missing=zero_as_missing)]
]


def test_thresholds_of_numbers_are_met_exactly() -> None:
    """A threshold itself goes left, the next number goes right."""
    booster = trained(5)
    found = forest_of(booster)
    for feature, cut, _, count in found.trees.columns:
        cuts = found.trees.cuts[cut : cut + count]
        rows = np.repeat(made_rows(5, 1), 3 * count, axis=0)
        rows[:, feature] = np.concatenate([cuts, np.nextafter(cuts, np.inf), np.nextafter(cuts, -np.inf)])
        assert np.array_equal(bits(found.raw_scores(rows)), bits(booster.predict(rows, raw_score=True)))


def test_the_best_iteration_is_what_is_scored() -> None:
    """Trees that training added after the best iteration are no part of the forest."""
    rows = made_rows(6, 600)
    labels = rows[:, 0] + np.random.default_rng(6).normal(size=600) > 0
    data = lightgbm.Dataset(rows[:400], labels[:400])
    booster = lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1, "learning_rate": 0.5},
        data,
        60,
        valid_sets=[data.create_valid(rows[400:], labels[400:])],
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
        keep_training_booster=True,
    )
    found = forest_of(booster)
    assert 0 < found.tree_count == booster.best_iteration < booster.current_iteration()
    assert np.array_equal(bits(found.predictions(rows)), bits(booster.predict(rows)))


def test_continued_training_may_change_what_is_missing() -> None:
    """A feature has missing zeros in the first trees and zeros that are numbers in those added later."""
    first = trained(7, zero_as_missing=True, trees=5)
    rows = made_rows(8, 800)
    data = lightgbm.Dataset(rows, rows[:, 0] > np.nan_to_num(rows[:, 5]), free_raw_data=False)
    booster = lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1}, data, 5, init_model=first
    )
    found, odd = forest_of(booster), odd_rows(9, 300)
    assert found.tree_count == 10
    assert np.array_equal(bits(found.raw_scores(odd)), bits(booster.predict(odd, raw_score=True)))


@pytest.mark.parametrize(
    "parameters",
    [
        {"objective": "multiclass", "num_class": 3},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"linear_tree": True},
        {"objective": "multiclassova", "num_class": 3},
    ],
)
def test_what_is_not_scored_is_refused(parameters: dict[str, Any]) -> None:
    """Several classes, averaged trees and linear leaves are not taken for something else."""
    rows = made_rows(1, 500)
    chosen: dict[str, Any] = {"objective": "binary", "verbose": -1, "num_threads": 1} | parameters
    data = lightgbm.Dataset(rows, np.arange(500) % chosen.get("num_class", 2))
    with pytest.raises(ModelRefused):
        forest_of(lightgbm.train(chosen, data, 2))


def test_no_trees_and_unknown_objectives_are_refused() -> None:
    """A booster before its first tree scores nothing; what a new objective predicts is not guessed."""
    data = lightgbm.Dataset(made_rows(1, 50), np.arange(50) % 2)
    booster = lightgbm.Booster({"objective": "binary", "verbose": -1}, data)
    with pytest.raises(ModelRefused):
        forest_of(booster)
    with pytest.raises(ModelRefused):
        description_of(booster.dump_model() | {"objective": "oracle"})


def test_bytes_give_the_forest_back(booster: lightgbm.Booster) -> None:
    """A restored forest is equal, has the same hash and scores the same bits."""
    found = forest_of(booster)
    again = Forest.from_bytes(found.to_bytes())
    assert again == found
    assert hash(again) == hash(found)
    assert (again.to_bytes(), again.hash) == (found.to_bytes(), found.hash)
    assert again.feature_names == tuple(booster.feature_name())
    rows = odd_rows(10, 100)
    assert np.array_equal(bits(again.predictions(rows)), bits(found.predictions(rows)))


def test_every_flipped_byte_is_refused(forest: Forest) -> None:
    """No byte of a stored forest can change unseen, nor can its end get lost."""
    good = forest.to_bytes()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << place % 8
        with pytest.raises(ModelCorrupt):
            Forest.from_bytes(bytes(bad))
    for length in (0, 5, 8, 40, 47, 60, len(good) - 1):
        with pytest.raises(ModelCorrupt):
            Forest.from_bytes(good[:length])
    with pytest.raises(ModelCorrupt):
        Forest.from_bytes(good + b"\0")


def forged(forest: Forest, change: Callable[[Content], Content]) -> bytes:
    """Return a forest's bytes with other nodes and the hash of those."""
    content, description = stored.unpacked(forest.to_bytes())
    return stored.packed(change(content), description)


def changed(name: str, place: int, value: float) -> Callable[[Content], Content]:
    """Return what replaces one number of a column."""

    def change(content: Content) -> Content:
        column = getattr(content, name).copy()
        column[place] = value
        return content._replace(**{name: column})

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("children", 0, 0),
        changed("children", 0, -1),
        changed("children", 0, 3),
        changed("children", 0, 8),
        changed("children", 0, 10**9),
        changed("children", -1, 1),
        changed("features", 0, 6),
        changed("features", 0, -2),
        changed("features", 0, -1),
        changed("decisions", 0, 16),
        changed("thresholds", 0, np.nan),
        changed("thresholds", 0, np.finfo(np.float64).max),
        changed("values", 0, np.inf),
        changed("counts", 0, 7),
        changed("counts", -1, -1),
        changed("counts", 0, 2**53),
        changed("tree_nodes", 0, 7),
        changed("tree_nodes", 0, 0),
        changed("tree_nodes", 0, 2**62),
        changed("category_starts", 0, 1),
        changed("category_starts", -1, 0),
        changed("categories", 0, -1),
        changed("categories", 0, 10**6),
        lambda content: content._replace(values=content.values[1:]),
        lambda content: Content(*(column[:0] for column in content)),
        lambda content: content._replace(decisions=content.decisions * 0),
    ],
)
def test_nodes_that_are_no_trees_are_refused(forest: Forest, change: Callable[[Content], Content]) -> None:
    """A right hash does not help: a descent must end, inside of its tree, and ask what there is."""
    with pytest.raises(ModelCorrupt):
        Forest.from_bytes(forged(forest, change))


@pytest.mark.parametrize("change", [{"output": "softmax"}, {"scale": float("nan")}, {"names": ("a",)}])
def test_a_strange_description_is_refused(forest: Forest, change: dict[str, Any]) -> None:
    """An unknown output is no output, and rows must have every feature that is asked for."""
    content, description = stored.unpacked(forest.to_bytes())
    with pytest.raises(ModelCorrupt):
        Forest.from_bytes(stored.packed(content, description._replace(**change)))


def test_too_many_thresholds_are_refused() -> None:
    """A word of a node has 16 bits for a code: more are refused instead of cut off."""
    count = 66_000
    content = Content(
        tree_nodes=np.full(count, 3),
        features=np.tile([0, -1, -1], count),
        thresholds=np.repeat(np.arange(count, dtype=np.float64), 3),
        children=np.tile([1, 0, 0], count),
        decisions=np.zeros(3 * count, np.int64),
        values=np.zeros(3 * count),
        counts=np.zeros(3 * count, np.int64),
        category_starts=np.zeros(3 * count + 1, np.int64),
        categories=np.zeros(0, np.int64),
    )
    with pytest.raises(ModelRefused):
        Forest(content, stored.Description(("a",), "identity", 1.0))


def test_the_hash_is_of_content() -> None:
    """How it was trained is no part of a forest; what it does is."""
    plain = forest_of(trained(11))
    assert forest_of(trained(11, num_threads=2, metric="auc", verbosity=-1)).hash == plain.hash
    different = [
        forest_of(trained(12)),
        forest_of(trained(11, trees=24)),
        forest_of(trained(11, sigmoid=2.0)),
    ]
    assert len({each.hash for each in [plain, *different]}) == 4
    assert plain != different[0]
    assert plain != plain.hash


def test_every_part_of_the_content_is_hashed(forest: Forest) -> None:
    """A forest with another value of any node is another one."""
    content, description = stored.unpacked(forest.to_bytes())
    others = [
        Forest(changed("values", place, 0.125)(content), description).hash
        for place in range(len(content.values))
    ]
    others.append(Forest(content._replace(counts=2 * content.counts), description).hash)
    renamed = description._replace(names=("x", *description.names[1:]))
    assert len({forest.hash, Forest(content, renamed).hash, *others}) == len(others) + 2


def test_a_forest_does_not_change(forest: Forest) -> None:
    """What the hash is of cannot be written to."""
    with pytest.raises(ValueError, match="read-only"):
        forest.trees.values[0] = 1.0
    assert repr(forest) == f"Forest(3 trees, 6 features, {forest.hash.hex()[:16]})"


@pytest.mark.parametrize("shape", [(6,), (2, 5), (2, 7), (1, 2, 6)])
def test_rows_of_another_shape_are_a_mistake(forest: Forest, shape: tuple[int, ...]) -> None:
    """A kernel looks at no bounds, so they are looked at before."""
    with pytest.raises(ProgrammingError):
        forest.raw_scores(np.zeros(shape))
    with pytest.raises(ProgrammingError):
        forest.explain(np.zeros(shape))


def test_the_module_does_not_load_lightgbm(tmp_path: Path, forest: Forest) -> None:
    """The engine reads forests and never loads the library that trained them."""
    path = tmp_path / "forest"
    path.write_bytes(forest.to_bytes())
    script = (
        "import sys, pathlib; from formicary.factory.models.forest import Forest;"
        "Forest.from_bytes(pathlib.Path(sys.argv[1]).read_bytes());"
        "assert 'lightgbm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
