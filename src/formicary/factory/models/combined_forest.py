"""One forest of several: its raw score is the weighted sum of theirs.

A weight times the sum of a tree's leaves is the sum of leaves a weight times as large. So the trees of all
forests stand in one, after each other, each leaf times the weight of its forest: one model with one hash,
scored by the same kernel. Where no weight is negative, a direction that all of them keep is kept by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.factory.models._forest_content import Content, Description
from formicary.factory.models.forest import Forest

__all__ = ["combined_forest"]


def combined_forest(forests: Sequence[Forest], weights: Sequence[float]) -> Forest:
    """Return the forest whose raw score is the sum of those of forests (k), each times its weight (k).

    Sums are those of the kernel: leaves, rounded once by their weight, in the order of forests and trees.

    Raises
    ------
    ProgrammingError
        There are none, they read other columns or are read otherwise than each other, or a weight is not
        above zero.
    ModelRefused
        Together they are too large.
    """
    read = {(one.feature_names, one.output, one.output_scale) for one in forests}
    if len(read) != 1 or len(weights) != len(forests):
        message = f"{len(forests)} forests that are read alike and as many weights, not {len(weights)}"
        raise ProgrammingError(message)
    if not all(0 < weight < np.inf for weight in weights):
        message = f"weights are above zero, not {list(weights)}"
        raise ProgrammingError(message)
    contents = [one.content for one in forests]
    firsts = np.cumsum([0, *(len(one.categories) for one in contents)])
    starts = [one.category_starts[:-1] + first for one, first in zip(contents, firsts[:-1], strict=True)]
    values = [one.values * weight for one, weight in zip(contents, weights, strict=True)]
    together = {
        name: np.concatenate([getattr(one, name) for one in contents])
        for name in Content._fields
        if name not in ("values", "category_starts")
    }
    content = Content(
        **together,
        values=np.concatenate(values),
        category_starts=np.concatenate([*starts, firsts[-1:]]).astype(np.int64),
    )
    return Forest(content, Description(*read.pop()))
