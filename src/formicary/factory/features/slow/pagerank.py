"""PageRank of the transfer graph (Brin and Page, 1998), weighted, with a restart of choice.

``r = d (P' r + s v) + (1 - d) v``: P is who pays whom as shares of what a payer pays, s the rank of the
parties that pay nobody, v where a walk restarts and d the damping. A round brings r nearer by the factor
d in the sum of absolute values, so the number of rounds follows from the tolerance.
"""

from __future__ import annotations

from math import ceil, log
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from formicary.base.errors import ProgrammingError
from formicary.factory.features.slow.graph import TransferGraph
from formicary.factory.features.slow.per_node import Floats, ratio

__all__ = ["DAMPING", "TOLERANCE", "pagerank"]

DAMPING: Final = 0.85
"""The share of walks that go on: the paper's."""

TOLERANCE: Final = 1e-12
"""How far ranks may be from the fixed point, as a sum of absolute values."""


def pagerank(
    graph: TransferGraph,
    weight: npt.NDArray[Any],
    *,
    restart: npt.NDArray[Any] | None = None,
    damping: float = DAMPING,
    tolerance: float = TOLERANCE,
) -> Floats:
    """Return the rank of each node, (n,), which sum to one.

    Parameters
    ----------
    graph
        The graph.
    weight
        Of each edge, (m,), not negative: its amount or its count.
    restart
        How often a walk restarts at each node, (n,), not negative; None means everywhere alike.
    damping
        The share of walks that go on, at least zero and below one.
    tolerance
        How far the ranks may be from the fixed point, as a sum of absolute values.

    Raises
    ------
    ProgrammingError
        A weight is negative, the restart sums to zero, or the damping is out of its range.
    """
    size = len(graph.nodes)
    start = np.ones(size) if restart is None else restart.astype(np.float64)
    if not 0 <= damping < 1 or (weight < 0).any() or (start < 0).any() or (size and not start.any()):
        message = "weights and restarts are not negative, some restart is not zero, damping is in [0, 1)"
        raise ProgrammingError(message)
    if not size:
        return start
    start = start / start.sum()
    shares, is_dangling = _shares(graph, weight)
    rank: Floats = start
    for _ in range(_rounds(damping, tolerance)):
        rank = damping * (shares @ rank + rank[is_dangling].sum() * start) + (1 - damping) * start
    return rank / float(rank.sum())


def _shares(graph: TransferGraph, weight: npt.NDArray[Any]) -> tuple[sparse.csr_array, npt.NDArray[np.bool_]]:
    paid = np.bincount(graph.payer, weights=weight, minlength=len(graph.nodes))
    share = np.nan_to_num(ratio(weight, paid[graph.payer]))
    return sparse.csr_array(graph.matrix(share).T), paid == 0


def _rounds(damping: float, tolerance: float) -> int:
    # Two distributions differ by two at most; one round is always done.
    return max(ceil(log(tolerance / 2) / log(damping)), 1) if damping else 1
