"""The daily job: every slow feature of every party, as of the end of a day.

The job of day D takes ``until = day_start(D + 1)``: it sees what is known with ``at < until``, and what it
returns is read from ``until`` on. So a decision on day D + 1 reads features of day D (T + 1: TitAnt, Cao
and others, 2019), and nothing that came later can change them.
"""

from __future__ import annotations

import polars as pl

from formicary.factory.features.slow.cycles import cycles
from formicary.factory.features.slow.declarations import NEIGHBOUR_BASES, PASS_SPANS, PERIODS, SLOW_FEATURES
from formicary.factory.features.slow.degrees import degrees
from formicary.factory.features.slow.distance import fraud_hops, known_fraud
from formicary.factory.features.slow.fans import fans
from formicary.factory.features.slow.flows import pass_through, rhythm
from formicary.factory.features.slow.graph import PackedTransfers, TransferGraph, graph_of, pack
from formicary.factory.features.slow.monthly import last_month
from formicary.factory.features.slow.neighbours import neighbours
from formicary.factory.features.slow.pagerank import pagerank
from formicary.factory.features.slow.per_node import Columns
from formicary.factory.features.slow.shared import known_uses, shared_devices
from formicary.factory.features.slow.spans import SPANS
from formicary.factory.features.slow.unusual import unusual

__all__ = ["daily"]


def daily(transfers: pl.DataFrame, devices: pl.DataFrame, labels: pl.DataFrame, until: int) -> pl.DataFrame:
    """Return the slow features of every party with a transfer or a device before ``until``.

    Parameters
    ----------
    transfers
        Columns ``payer``, ``payee``, ``amount`` (minor units) and ``at``; see ``graph.pack``.
    devices
        Columns ``party`` (of the type of ``payer``), ``device`` and ``at``: who used which device when.
    labels
        Columns ``party``, ``at`` (when it became known) and ``is_fraud``.
    until
        The end of the day, ``day_start(D + 1)``. All times are nanoseconds since the Unix epoch.

    Returns
    -------
    polars.DataFrame
        Column ``node``, the party's id, growing, and one for each of ``SLOW_FEATURES`` in their order;
        null where there is nothing to compute it of.

    Raises
    ------
    ProgrammingError
        A column of the transfers, or ``party``, has another type or nulls.
    """
    uses = known_uses(devices, until)
    packed = pack(transfers, until, others=uses["party"].to_numpy())
    graph = graph_of(packed)
    columns = _of_transfers(packed) | _of_graph(packed, graph)
    columns |= neighbours(graph, {name: columns[name] for name in NEIGHBOUR_BASES})
    columns |= shared_devices(uses, packed.nodes)
    columns |= fraud_hops(graph, known_fraud(labels, until, packed.nodes))
    frame = pl.DataFrame({"node": packed.nodes} | {kind.name: columns[kind.name] for kind in SLOW_FEATURES})
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def _of_transfers(packed: PackedTransfers) -> Columns:
    columns: Columns = {}
    for span in SPANS:
        columns |= degrees(packed, span)
    for period in PERIODS:
        columns |= fans(packed, period)
    for period in PASS_SPANS:
        columns |= pass_through(packed, period)
    return columns | unusual(packed) | rhythm(packed) | last_month(packed)


def _of_graph(packed: PackedTransfers, graph: TransferGraph) -> Columns:
    # As a multiple of the mean it compares between days that know more and fewer parties.
    rank = pagerank(graph, graph.amount) * len(packed.nodes)
    return cycles(graph) | {"pagerank": rank}
