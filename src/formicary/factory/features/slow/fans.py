"""Bursts: the most that happened to a party within one period of all that is known.

Periods are counted back from the end, so a burst across their border counts in two parts. Fan-in over a
short period, repeated transfers of one pair and amounts of almost one size are the marks of money that
is split and collected (gather-scatter patterns: Suzumura and Kanezashi, AMLSim, 2018).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from formicary.factory.features.slow.graph import PackedTransfers
from formicary.factory.features.slow.per_node import Columns, Integers, most
from formicary.factory.features.slow.spans import span_name

__all__ = ["fans"]

_SIZES_PER_DOUBLING: Final = 8
"""Amounts are of one size when they are within about 9% of each other."""


def fans(packed: PackedTransfers, span: int) -> Columns:
    """Return for both directions the most in one period of ``span`` nanoseconds.

    ``fan``: distinct counterparties; ``burst``: transfers; ``repeat``: transfers with one counterparty;
    ``alike``: transfers of almost one amount.
    """
    doublings = np.log2(np.maximum(packed.amount, 1))
    rows = pl.DataFrame(
        {
            "payer": packed.payer,
            "payee": packed.payee,
            "period": packed.periods(span),
            "size": np.floor(doublings * _SIZES_PER_DOUBLING).astype(np.int64),
        }
    )
    name, size = span_name(span), len(packed.nodes)
    columns: Columns = {}
    for direction, node, other in (("in", "payee", "payer"), ("out", "payer", "payee")):
        pairs = rows.group_by(node, "period", other).len()
        for what, count in (
            ("fan", pairs.group_by(node, "period").len()),
            ("burst", pairs.group_by(node, "period").agg(pl.col("len").sum())),
            ("repeat", pairs),
            ("alike", rows.group_by(node, "period", "size").len()),
        ):
            columns[f"{direction}_{what}_{name}"] = most(_int64(count[node]), _int64(count["len"]), size)
    return columns


def _int64(column: pl.Series) -> Integers:
    return column.cast(pl.Int64).to_numpy()
