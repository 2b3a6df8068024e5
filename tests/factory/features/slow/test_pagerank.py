"""PageRank by power iteration, against a dense linear solve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.features.slow.graph import TransferGraph, graph_of
from formicary.factory.features.slow.pagerank import pagerank
from tests.factory.features.slow.kit import Transfers, packed, worlds


def _solved(graph: TransferGraph, weight: Any, start: Any, damping: float) -> Any:
    """Solve ``(I - d M) r = (1 - d) v``, where a party that pays nobody pays all as v says."""
    size = len(graph.nodes)
    moves = np.zeros((size, size))
    np.add.at(moves, (graph.payee, graph.payer), weight)
    for payer in range(size):
        paid = moves[:, payer].sum()
        moves[:, payer] = moves[:, payer] / paid if paid else start
    return np.linalg.solve(np.eye(size) - damping * moves, (1 - damping) * start)


@given(worlds(), st.sampled_from([0.0, 0.5, 0.85, 0.99]), st.booleans())
def test_ranks_solve_the_equation(transfers: Transfers, damping: float, is_personal: bool) -> None:  # noqa: FBT001
    """Iterated ranks are the solution, restarted anywhere or at one party, and sum to one."""
    graph = graph_of(packed(transfers))
    size = len(graph.nodes)
    if not size:
        return
    restart = np.eye(size)[0] if is_personal else None
    start = np.full(size, 1 / size) if restart is None else restart
    ranks = pagerank(graph, graph.amount, restart=restart, damping=damping)
    assert np.abs(ranks - _solved(graph, graph.amount, start, damping)).sum() < 1e-10
    assert ranks.sum() == pytest.approx(1)


def test_a_known_rank() -> None:
    """Of two parties that pay each other alike, both have half; a third that pays them has the rest."""
    graph = graph_of(packed([(1, 2, 5, 0), (2, 1, 9, 0), (3, 1, 1, 0)]))
    ranks = pagerank(graph, graph.count)
    assert ranks[2] == pytest.approx(0.05)
    assert ranks[0] == pytest.approx(0.05 + 0.85 * (ranks[1] + ranks[2]))


def test_weights_of_zero_are_no_edges() -> None:
    """A party that paid nothing but zeros pays nobody."""
    graph = graph_of(packed([(1, 2, 0, 0)]))
    assert pagerank(graph, graph.amount).tolist() == pytest.approx([0.5, 0.5])


def test_nobody_has_no_rank() -> None:
    """An empty graph has no ranks."""
    graph = graph_of(packed([]))
    assert pagerank(graph, graph.amount).tolist() == []


@pytest.mark.parametrize(
    "arguments",
    [{"damping": 1.0}, {"damping": -0.1}, {"restart": np.zeros(2)}, {"restart": np.array([2, -1])}],
)
def test_what_is_no_walk_is_refused(arguments: dict[str, Any]) -> None:
    """A walk that never restarts, or restarts nowhere, has no rank."""
    graph = graph_of(packed([(1, 2, 1, 0)]))
    with pytest.raises(ProgrammingError):
        pagerank(graph, graph.amount, **arguments)
    with pytest.raises(ProgrammingError):
        pagerank(graph, np.array([-1]))
