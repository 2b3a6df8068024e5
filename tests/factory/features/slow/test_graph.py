"""Packed transfers and the graph of who paid whom."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.features.slow.graph import graph_of, pack, transfer_graph
from formicary.factory.features.slow.spans import DAY
from tests.factory.features.slow.kit import UNTIL, Transfers, frame, known, packed, worlds


@given(worlds(before=UNTIL + 9 * DAY))
def test_an_edge_sums_up_a_pair(transfers: Transfers) -> None:
    """Edges have count, sum, first and last of what a payer paid a payee before the end."""
    pairs: dict[tuple[int, int], Transfers] = {}
    for one in known(transfers):
        if one.at < UNTIL:
            pairs.setdefault((one.payer, one.payee), []).append(one)
    graph = transfer_graph(frame(transfers), UNTIL)
    edges = zip(
        graph.nodes[graph.payer].tolist(),
        graph.nodes[graph.payee].tolist(),
        *(column.tolist() for column in (graph.count, graph.amount, graph.first_at, graph.last_at)),
        strict=True,
    )
    assert list(edges) == [
        (*pair, len(of), sum(one.amount for one in of), min(one.at for one in of), max(one.at for one in of))
        for pair, of in sorted(pairs.items())
    ]


@given(worlds(), st.sampled_from([1, 7, 30]))
def test_a_window_is_the_last_transfers(transfers: Transfers, days: int) -> None:
    """A window begins a span before the end, that moment included; None is everything."""
    rows, since = packed(transfers), UNTIL - days * DAY
    assert rows.within(None) is rows
    assert rows.within(days * DAY).at.tolist() == sorted(
        one.at for one in known(transfers) if one.at >= since
    )
    assert rows.periods(days * DAY).tolist() == [(UNTIL - 1 - at) // (days * DAY) for at in rows.at.tolist()]


def test_the_end_itself_is_not_known() -> None:
    """A transfer at the end belongs to the next day."""
    graph = transfer_graph(frame([(1, 2, 5, UNTIL - 1), (1, 2, 7, UNTIL)]), UNTIL)
    assert graph.amount.tolist() == [5]


def test_large_ids_stay_exact() -> None:
    """Ids above what a float holds are told apart."""
    high = 2**64 - 1
    rows = pl.DataFrame({"payer": [high], "payee": [high - 1], "amount": [1], "at": [0]})
    types = {"payer": pl.UInt64, "payee": pl.UInt64, "amount": pl.Int64, "at": pl.Int64}
    nodes = np.array([high - 2], np.uint64)
    graph = graph_of(pack(rows.cast(types), 1, others=nodes))  # type: ignore[arg-type]
    assert graph.nodes.tolist() == [high - 2, high - 1, high]
    assert (graph.payer.tolist(), graph.payee.tolist()) == ([2], [1])


def test_nothing_is_a_graph() -> None:
    """Without transfers there are no nodes, or those asked for."""
    graph = transfer_graph(frame([]), UNTIL)
    assert [len(graph.nodes), len(graph.count), len(graph.last_at)] == [0, 0, 0]
    alone = graph_of(pack(frame([]), UNTIL, others=np.array([4, 4])))
    assert (alone.nodes.tolist(), alone.amount.tolist()) == ([4], [])


def test_a_matrix_is_a_copy() -> None:
    """Zeros that scipy drops in place stay edges of the graph."""
    graph = transfer_graph(frame([(1, 2, 5, 0), (1, 3, 6, 0), (2, 3, 7, 0)]), UNTIL)
    matrix = graph.matrix(np.array([0, 1, 0]))
    assert matrix.toarray().tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    matrix.eliminate_zeros()
    assert graph.payee.tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    "column",
    [
        pl.col("payer").cast(pl.UInt64),
        pl.col("payer").cast(pl.String),
        pl.col("amount").cast(pl.Float64),
        pl.lit(None, pl.Int64).alias("at"),
    ],
)
def test_other_types_are_refused(column: pl.Expr) -> None:
    """Two types of ids, an amount that is no integer and a missing time are mistakes of the caller."""
    with pytest.raises(ProgrammingError):
        transfer_graph(frame([(1, 2, 5, 0)]).with_columns(column), UNTIL)


def test_other_nodes_of_another_type_are_refused() -> None:
    """Signed and unsigned ids together would become floats."""
    with pytest.raises(ProgrammingError):
        pack(frame([(1, 2, 5, 0)]), UNTIL, others=np.array([1], np.uint64))
