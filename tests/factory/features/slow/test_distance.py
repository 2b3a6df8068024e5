"""Hops to known fraud, against a search from every party."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow.distance import fraud_hops, known_fraud
from formicary.factory.features.slow.graph import graph_of
from tests.factory.features.slow.kit import LABELS, Transfers, assert_per_node, known, packed, worlds


@given(worlds(parties=9), st.sets(st.integers(-1, 7)), st.integers(1, 3))
def test_hops_are_those_of_a_search(transfers: Transfers, frauds: set[int], hops_max: int) -> None:
    """Hops go both ways along transfers, up to the most that are told apart."""
    graph = graph_of(packed(transfers))

    def hops(party: int) -> int:
        ring = {party}
        for hop in range(hops_max + 1):
            if ring & frauds:
                return hop
            pairs = [{one.payer, one.payee} for one in known(transfers)]
            ring = ring.union(*(pair for pair in pairs if pair & ring))
        return hops_max + 1

    is_fraud = np.isin(graph.nodes, list(frauds))
    assert_per_node(fraud_hops(graph, is_fraud, hops_max=hops_max), "fraud_hops", transfers, hops)


def test_the_latest_label_before_the_end_counts() -> None:
    """A label may be taken back, one of the future is not known, and of two at once fraud counts."""
    rows = [
        (1, 5, True),
        (2, 10, True),
        (3, 5, True),
        (3, 6, False),
        (4, 5, True),
        (4, 5, False),
        (9, 1, True),
    ]
    labels = pl.DataFrame(rows, LABELS, orient="row")
    assert known_fraud(labels, 10, np.arange(5)).tolist() == [False, True, False, False, True]
