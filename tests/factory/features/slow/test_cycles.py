"""Rings of two and of three, against every pair and triple."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow import cycles as module
from formicary.factory.features.slow.cycles import cycles
from formicary.factory.features.slow.graph import graph_of
from tests.factory.features.slow.kit import Transfers, assert_column, assert_per_node, packed, worlds
from tests.factory.features.slow.kit import known as between_two


def _edges(transfers: Transfers) -> set[tuple[int, int]]:
    return {(one.payer, one.payee) for one in between_two(transfers)}


@given(worlds(), st.integers(0, 4))
def test_rings_are_those_of_all_triples(transfers: Transfers, edges_max: int) -> None:
    """Rings of three are found among parties with few payees and payers, rings of two among all."""
    edges = _edges(transfers)
    parties = {party for edge in edges for party in edge}
    small = {
        party
        for party in parties
        if max(sum(edge[0] == party for edge in edges), sum(edge[1] == party for edge in edges)) <= edges_max
    }

    def threes(party: int) -> int:
        triples = permutations(small, 3)
        return sum(a == party and {(a, b), (b, c), (c, a)} <= edges for a, b, c in triples)

    def twos(party: int) -> int:
        return sum({(party, other), (other, party)} <= edges for other in parties)

    def reciprocity(party: int) -> float:
        return twos(party) / len({other for edge in edges if party in edge for other in edge} - {party})

    columns = cycles(graph_of(packed(transfers)), edges_max=edges_max)
    assert_per_node(columns, "rings_of_three", transfers, threes)
    assert_per_node(columns, "rings_of_two", transfers, twos)
    assert_per_node(columns, "reciprocity", transfers, reciprocity)


@given(worlds(), st.integers(1, 20))
def test_blocks_may_be_cut_anywhere(transfers: Transfers, at_once: int) -> None:
    """The number of steps looked at together changes no count."""
    graph = graph_of(packed(transfers))
    expected = cycles(graph)["rings_of_three"].tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RING_STEPS_AT_ONCE", at_once)
        assert_column(cycles(graph), "rings_of_three", expected)


@given(worlds())
def test_the_graph_stays_as_it_was(transfers: Transfers) -> None:
    """Nothing that looks at a graph changes it."""
    graph = graph_of(packed(transfers))
    before = (graph.payer.tolist(), graph.payee.tolist())
    cycles(graph, edges_max=1)
    assert (graph.payer.tolist(), graph.payee.tolist()) == before
