"""Money that passes through, and the rhythm in which a party is active."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from formicary.factory.features.slow.graph import PackedTransfers
from formicary.factory.features.slow.per_node import (
    Columns,
    Integers,
    count,
    largest,
    ratio,
    smallest,
    total,
)
from formicary.factory.features.slow.spans import DAY, span_name

__all__ = ["pass_through", "rhythm"]

_DIRECTIONS: Final = ("received", "paid")


def pass_through(packed: PackedTransfers, span: int) -> Columns:
    """Return the share of what a party received that it passed on in the same period of ``span`` ns.

    In each period, counted back from the end, the lesser of received and paid counts as passed on.
    """
    period = packed.periods(span)
    received = _per_period(packed.payee, period, packed.amount, "received")
    paid = _per_period(packed.payer, period, packed.amount, "paid")
    both = received.join(paid, on=["node", "period"], how="inner")
    size = len(packed.nodes)
    passed = both.select(pl.min_horizontal(_DIRECTIONS)).to_series().to_numpy()
    passed_amount = total(both["node"].to_numpy(), passed, size)
    share = ratio(passed_amount, total(packed.payee, packed.amount, size))
    return {f"passed_share_{span_name(span)}": share}


def _per_period(node: Integers, period: Integers, amount: Integers, name: str) -> pl.DataFrame:
    rows = pl.DataFrame({"node": node, "period": period, name: amount})
    return rows.group_by("node", "period").agg(pl.col(name).sum())


def rhythm(packed: PackedTransfers) -> Columns:
    """Return days since the last transfer, days from first to last, active days and the mean gap in days."""
    size = len(packed.nodes)
    node = np.concatenate([packed.payer, packed.payee])
    ago = (packed.until - np.concatenate([packed.at, packed.at])) / DAY
    last, first = smallest(node, ago, size), largest(node, ago, size)
    days = pl.DataFrame({"node": node, "day": np.tile(packed.periods(DAY), 2)}).unique()
    return {
        "idle_days": last,
        "active_span_days": first - last,
        "active_days": count(days["node"].to_numpy(), size),
        "gap_mean_days": ratio(first - last, count(node, size) - 1),
    }
