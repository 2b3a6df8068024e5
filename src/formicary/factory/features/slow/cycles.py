"""Money that comes back: pairs that pay each other, and rings of three."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from formicary.base.limits import RING_EDGES_MAX, RING_STEPS_AT_ONCE
from formicary.factory.features.slow.graph import TransferGraph
from formicary.factory.features.slow.per_node import Columns, Integers, count, ratio

__all__ = ["cycles"]


def cycles(graph: TransferGraph, *, edges_max: int = RING_EDGES_MAX) -> Columns:
    """Return rings of two and of three through each node, and the share of counterparties on both sides.

    Rings of three are of different parties, counted by pairs and not by transfers; parties with more
    than ``edges_max`` payees or payers are in none.
    """
    size = len(graph.nodes)
    pair = graph.payer * max(size, 1) + graph.payee
    back = graph.payee * max(size, 1) + graph.payer
    twos = count(graph.payer[np.isin(pair, back)], size)
    counterparties = count(graph.payer, size) + count(graph.payee, size) - twos
    return {
        "rings_of_two": twos,
        "rings_of_three": _threes(graph, edges_max),
        "reciprocity": ratio(twos, counterparties),
    }


def _threes(graph: TransferGraph, edges_max: int) -> Integers:
    size = len(graph.nodes)
    is_small = (count(graph.payer, size) <= edges_max) & (count(graph.payee, size) <= edges_max)
    is_kept = is_small[graph.payer] & is_small[graph.payee]
    pairs = graph.payer[is_kept], graph.payee[is_kept]
    paid = sparse.csr_array((np.ones(len(pairs[0]), np.int64), pairs), shape=(size, size))
    received = sparse.csr_array(paid.T)
    found = np.zeros(size, np.int64)
    for rows in _blocks(paid):
        # Two steps forward that one step closes.
        found[rows] = (paid[rows] @ paid).multiply(received[rows]).sum(axis=1)
    return found


def _blocks(paid: sparse.csr_array) -> list[slice[int, int, None]]:
    steps = np.cumsum(paid @ np.diff(paid.indptr))
    total = int(steps[-1]) if len(steps) else 0
    ends: npt.NDArray[Any] = np.searchsorted(steps, np.arange(RING_STEPS_AT_ONCE, total, RING_STEPS_AT_ONCE))
    edges = np.unique(np.concatenate([[0], ends, [len(steps)]])).tolist()
    return [slice(start, end) for start, end in pairwise(edges)]
