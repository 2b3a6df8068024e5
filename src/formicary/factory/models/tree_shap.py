"""What each feature contributed to a score: exact Shapley values of a forest, path by path.

The game is that of TreeSHAP: a feature that is not known sends a row down both ways of a node, in the
proportion of the training's rows that went there. The values are those of LightGBM's ``pred_contrib``::

    TreeShap(forest).contributions(rows).sum(axis=1) + TreeShap(forest).expected_score == raw scores

They are computed another way than LightGBM does. Of one leaf with value v, whose way asks n features, the
game is a product: a feature i multiplies v by o_i, 1 if the row goes the leaf's way at all its nodes and else
0, where it is known, and by z_i, the share of the training's rows that go there, where it is not. The Shapley
value of a product is an integral along the diagonal of its multilinear extension::

    phi_i = v (o_i - z_i) * integral over t from 0 to 1 of product over j != i of (t o_j + (1 - t) z_j)

The integrand is a polynomial of degree n - 1, so that Gauss's rule with n / 2 points, rounded up, is exact.
All factors are positive: nothing cancels. And the products of all leaves below a node share what is above it,
so that one way down a tree and one way up are enough: leaves times n / 2, where the extended and unwound
paths of Algorithm 2 take leaves times depth squared.

Lundberg, Erion and Lee, *Consistent individualized feature attribution for tree ensembles*, 2018, and
Lundberg et al., *From local explanations to global understanding with explainable AI for trees*, Nature
Machine Intelligence 2, 2020, for the game; Owen, *Multilinear extensions of games*, Management Science 18,
1972, for the integral; Yu, Bifet, Read and Xu, *Linear TreeShap*, NeurIPS 2022, for the ways down and up.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.records import Note, noted
from formicary.factory.models._forest_content import LEAF
from formicary.factory.models._forest_layout import Room, new_room
from formicary.factory.models._tree_shap_kernels import contribute
from formicary.factory.models._tree_shap_layout import ShapRoom, Ways, new_shap_room, ways_of
from formicary.factory.models.forest import Forest, Rows

__all__ = ["TreeShap"]


class TreeShap:
    """What explains rows with a forest, in one thread at a time: it keeps the room that this needs.

    Parameters
    ----------
    forest
        The forest.

    Raises
    ------
    ModelRefused
        A way to a leaf asks more features than can be added up exactly.
    """

    def __init__(self, forest: Forest) -> None:
        """Lay out the ways to all leaves."""
        self.forest: Final = forest
        self._ways: Final[Ways] = ways_of(forest.content)
        self._room: Final[Room] = new_room(forest.trees)
        self._shap_room: Final[ShapRoom] = new_shap_room(self._ways)
        self._note: Final[Note] = noted(forest.trees, self._room, self._ways, self._shap_room)

    @cached_property
    def expected_score(self) -> float:
        """The mean raw score of the training's rows, from which contributions count."""
        content = self.forest.content
        firsts = np.cumsum(content.tree_nodes) - content.tree_nodes
        totals = np.repeat(content.counts[firsts], content.tree_nodes)
        # A tree of one leaf that tells no count has that leaf alone.
        shares = np.where(totals > 0, content.counts / np.maximum(totals, 1), 1.0)
        is_leaf = content.features == LEAF
        return math.fsum((content.values[is_leaf] * shares[is_leaf]).tolist())

    def contributions(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return what each feature contributed to the raw scores, (n, features), of rows, (n, features)."""
        given: Any = np.ascontiguousarray(rows, np.float64)
        if given.ndim != 2 or given.shape[1] != self.forest.feature_count:  # noqa: PLR2004, rows and features
            message = f"rows of {self.forest.feature_count} features are explained, not {given.shape}"
            raise ProgrammingError(message)
        contributions = np.zeros(given.shape)
        contribute(self._note, given, contributions)
        return contributions
