"""What the kernel of Shapley values works on: for every node the factors that it changes.

A node c is reached from its parent by an answer about a feature, and before it on the same way the feature
may have been asked already: last at the node b, or never, which is the root. As long as the row went the way
of all answers up to b, the answer at c replaces the factor of b by its own; afterwards the factor is already
(1 - t) z and only its z becomes smaller, in the proportion of rows that go on to c.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.records import opener
from formicary.factory.models._forest_content import LEAF, Content
from formicary.factory.models.errors import ModelRefused

__all__ = ["ShapRoom", "Ways", "new_shap_room", "open_shap_room", "open_ways", "ways_of"]

Reals = npt.NDArray[np.float64]
Words = npt.NDArray[np.int64]

POINTS_MAX: Final = 64
"""Of Gauss's rule: for ways that ask 128 features; numpy's nodes are good to the last digits as far."""

PARTS: Final = 4
"""Per node and point: the factor if the row went another way, if it went here, and the changes of each."""


class Ways(NamedTuple):
    """The ways to all leaves of a forest; nothing changes them."""

    asking: Words
    """(nodes that ask,): their places, of each tree together, parents before children."""
    asking_ends: Words
    """(trees,): where the nodes of each tree end in ``asking``."""
    asked: Words
    """(nodes,): the feature that a node asks."""
    before: Words
    """(nodes,): where the same feature was asked for a node last, or the root."""
    shares: Reals
    """(nodes,): of a parent's rows those that go here; of a leaf, times its value."""
    points: Words
    """(trees,): how many points of Gauss's rule its ways need."""
    factor_starts: Words
    """(nodes,): where its row in ``factors`` starts."""
    factors: Reals
    """For each node its ``PARTS``, each (points of its tree,); of a leaf the factors are times its value."""
    nodes_max: int
    """Of a tree."""
    points_max: int
    """Of a tree."""


class ShapRoom(NamedTuple):
    """Room that an explanation writes to and forgets."""

    ways: npt.NDArray[np.uint8]
    """(nodes of the largest tree,): how a node was reached."""
    products: Reals
    """(nodes of the largest tree * most points,)."""


open_ways: Final = opener(Ways)
open_shap_room: Final = opener(ShapRoom)


def new_shap_room(ways: Ways) -> ShapRoom:
    """Return room for explaining with a forest, in one thread at a time."""
    return ShapRoom(np.zeros(ways.nodes_max, np.uint8), np.zeros(ways.nodes_max * ways.points_max))


def ways_of(content: Content) -> Ways:
    """Return the ways to all leaves.

    Raises
    ------
    ModelRefused
        One asks more features than ``POINTS_MAX`` points are exact for.
    """
    firsts = np.cumsum(content.tree_nodes) - content.tree_nodes
    before, own, earlier, points = _walked(content, firsts)
    leaf = content.features == LEAF
    shares = _shares(content, firsts)
    factors, factor_starts = list[Reals](), np.zeros(len(leaf), np.int64)
    used = 0
    for first, count, needed in zip(
        firsts.tolist(), content.tree_nodes.tolist(), points.tolist(), strict=True
    ):
        here = slice(first, first + count)
        rows = _factors(own[here], earlier[here], needed)
        rows[leaf[here], : 2 * needed] *= content.values[here][leaf[here], None]
        factor_starts[here] = used + np.arange(count) * rows.shape[1]
        factors.append(rows.reshape(-1))
        used += rows.size
    return Ways(
        asking=np.flatnonzero(~leaf),
        asking_ends=np.cumsum(np.add.reduceat(~leaf, firsts, dtype=np.int64)),
        asked=content.features,
        before=before,
        shares=np.where(leaf, shares * content.values, shares),
        points=points,
        factor_starts=factor_starts,
        factors=np.concatenate(factors),
        nodes_max=int(content.tree_nodes.max()),
        points_max=int(points.max()),
    )


def _shares(content: Content, firsts: Words) -> Reals:
    """Return which part of its parent's rows goes to each node; none goes on where none came."""
    shares = np.ones(len(content.features))
    asking = np.flatnonzero(content.features != LEAF)
    left = content.children[asking] + np.repeat(firsts, content.tree_nodes)[asking]
    rows = np.maximum(content.counts[asking], 1)
    for child in (left, left + 1):
        shares[child] = content.counts[child] / rows
    return shares


def _walked(content: Content, firsts: Words) -> tuple[Words, Reals, Reals, Words]:
    """Return for each node where its feature was asked before, and z up to it and up to there; and points.

    z is the product of the shares of all answers about its feature.
    """
    shares = _shares(content, firsts)
    before = np.repeat(firsts, content.tree_nodes)
    own, earlier = np.ones(len(before)), np.ones(len(before))
    points = np.zeros(len(firsts), np.int64)
    for tree, (first, count) in enumerate(zip(firsts.tolist(), content.tree_nodes.tolist(), strict=True)):
        # Per node, where each feature of the way to it was asked last.
        ways: list[dict[int, int]] = [{} for _ in range(count)]
        for node in range(count):
            feature, left = int(content.features[first + node]), int(content.children[first + node])
            if feature == LEAF:
                continue
            for child in (left, left + 1):
                last = ways[node].get(feature, first)
                before[first + child] = last
                earlier[first + child] = own[last]
                own[first + child] = own[last] * shares[first + child]
                ways[child] = ways[node] | {feature: first + child}
        # A tree of one leaf has none, and one point all the same.
        points[tree] = max(max(map(len, ways)) + 1 >> 1, 1)
    if points.max() > POINTS_MAX:
        message = f"a forest whose ways ask more than {2 * POINTS_MAX} features is not explained"
        raise ModelRefused(message)
    return before, own, earlier, points


def _factors(own: Reals, earlier: Reals, points: int) -> Reals:
    """Return the factors of a tree's nodes, (nodes, PARTS * points), of their z and the z before them."""
    places, weights = np.polynomial.legendre.leggauss(points)
    # From -1 to 1 there, from 0 to 1 here.
    at, weights = (places + 1) * 0.5, weights * 0.5
    was = at + (1 - at) * earlier[:, None]
    here = at + (1 - at) * own[:, None]
    elsewhere = (1 - at) * own[:, None]
    change_before = (1 - earlier[:, None]) / was
    changes = (-1 / (1 - at) - change_before, (1 - own[:, None]) / here - change_before)
    return np.concatenate([elsewhere / was, here / was, changes[0] * weights, changes[1] * weights], axis=1)
