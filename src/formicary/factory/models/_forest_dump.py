"""Reading the trees that LightGBM dumps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.models._forest_content import (
    CATEGORICAL,
    DEFAULT_LEFT,
    LEAF,
    MISSING_NAN,
    MISSING_ZERO,
    Content,
    Description,
)
from formicary.factory.models.errors import ModelRefused

__all__ = ["content_of", "description_of", "thresholds_of"]

_MISSING: Final = {"None": 0, "Zero": MISSING_ZERO, "NaN": MISSING_NAN}

_OUTPUTS: Final = {
    **dict.fromkeys(("binary", "cross_entropy"), "sigmoid"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
    **dict.fromkeys(("lambdarank", "rank_xendcg", "custom"), "identity"),
    "cross_entropy_lambda": "log1p_exp",
}


def description_of(dump: Mapping[str, Any]) -> Description:
    """Return the features' names and what makes a prediction of a raw score.

    Raises
    ------
    ModelRefused
        There are several classes, averaged trees, or an objective whose output is not known.
    """
    if dump["num_tree_per_iteration"] != 1 or dump["average_output"]:
        message = "a forest of several classes or of averaged trees is not scored"
        raise ModelRefused(message)
    name, *options = dump.get("objective", "custom").split()
    if name not in _OUTPUTS:
        message = f"the output of the objective {name} is not known"
        raise ModelRefused(message)
    output = "square" if "sqrt" in options else _OUTPUTS[name]
    scales = [option.removeprefix("sigmoid:") for option in options if option.startswith("sigmoid:")]
    scale = float(scales[0]) if scales and output == "sigmoid" else 1.0
    return Description(tuple(dump["feature_names"]), output, scale)


def thresholds_of(text: str) -> list[list[float]]:
    """Return the thresholds of each tree's nodes from a booster's text, by their ``split_index``.

    A dump says 1e300 instead of infinity, which sends infinite numbers to the other side.
    """
    found: list[list[float]] = []
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "Tree":
            found.append([])
        elif name == "threshold":
            found[-1] = [float(threshold) for threshold in value.split()]
        elif line == "end of trees":
            break
    return found


def content_of(dump: Mapping[str, Any], thresholds: Sequence[Sequence[float]]) -> Content:
    """Return the nodes of all trees, with their thresholds.

    Raises
    ------
    ModelRefused
        Leaves are linear, or there are no trees.
    """
    trees = [
        _nodes(tree["tree_structure"], own) for tree, own in zip(dump["tree_info"], thresholds, strict=True)
    ]
    if not trees:
        message = "a forest without trees is not scored"
        raise ModelRefused(message)
    features, cuts, children, decisions, values, _, categories = zip(
        *(node for tree in trees for node in tree), strict=True
    )
    return Content(
        tree_nodes=np.array([len(tree) for tree in trees], np.int64),
        features=np.array(features, np.int64),
        thresholds=np.array(cuts, np.float64),
        children=np.array(children, np.int64),
        decisions=np.array(decisions, np.int64),
        values=np.array(values, np.float64),
        counts=np.concatenate([_summed(tree) for tree in trees]),
        category_starts=np.cumsum([0, *map(len, categories)], dtype=np.int64),
        categories=np.array([category for each in categories for category in each], np.int64),
    )


_Node = tuple[int, float, int, int, float, int, list[int]]
"""Feature, threshold, left child, decision, value, count of a leaf and categories."""


def _nodes(root: Mapping[str, Any], thresholds: Sequence[float]) -> list[_Node]:
    """Return the nodes of a tree, level by level, siblings side by side."""
    waiting, found = [root], list[_Node]()
    for node in _growing(waiting):
        if "split_feature" in node:
            found.append(_asking(node, thresholds, left=len(waiting)))
            waiting += [node["left_child"], node["right_child"]]
        elif "leaf_coeff" in node or "leaf_const" in node:
            message = "a forest with linear leaves is not scored"
            raise ModelRefused(message)
        else:
            # A tree of one leaf need not tell its count.
            found.append((LEAF, 0.0, 0, 0, float(node["leaf_value"]), int(node.get("leaf_count", 0)), []))
    return found


def _summed(nodes: Sequence[_Node]) -> npt.NDArray[np.int64]:
    """Return how many rows ended below each node of a tree: children follow their parents."""
    counts = np.array([node[5] for node in nodes], np.int64)
    for place in range(len(nodes) - 1, -1, -1):
        feature, _, left, *_ = nodes[place]
        if feature != LEAF:
            counts[place] = counts[left] + counts[left + 1]
    return counts


def _growing(waiting: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield what waits, and what is added meanwhile."""
    place = 0
    while place < len(waiting):
        yield waiting[place]
        place += 1


def _asking(node: Mapping[str, Any], thresholds: Sequence[float], *, left: int) -> _Node:
    decision = _MISSING[node["missing_type"]] | (DEFAULT_LEFT if node["default_left"] else 0)
    feature, value = int(node["split_feature"]), float(node["internal_value"])
    if node["decision_type"] == "==":
        # Whatever is missing goes right.
        categories = sorted({int(category) for category in node["threshold"].split("||")})
        return feature, 0.0, left, CATEGORICAL, value, 0, categories
    return feature, thresholds[node["split_index"]], left, decision, value, 0, []
