"""Amounts against what their payer usually pays."""

from __future__ import annotations

import numpy as np
import polars as pl

from formicary.factory.features.slow.graph import PackedTransfers
from formicary.factory.features.slow.per_node import Columns, largest, ratio, smallest

__all__ = ["unusual"]


def unusual(packed: PackedTransfers) -> Columns:
    """Return the smallest and largest amount a party received and paid, in medians of its payer.

    The median is taken over all that the payer is known to have paid.
    """
    size = len(packed.nodes)
    paid = pl.DataFrame({"payer": packed.payer, "amount": packed.amount})
    medians = paid.group_by("payer").agg(pl.col("amount").median())
    usual = np.zeros(size)
    usual[medians["payer"].to_numpy()] = medians["amount"].to_numpy()
    relative = ratio(packed.amount, usual[packed.payer])
    return {
        "in_usual_ratio_min": smallest(packed.payee, relative, size),
        "in_usual_ratio_max": largest(packed.payee, relative, size),
        "out_usual_ratio_min": smallest(packed.payer, relative, size),
        "out_usual_ratio_max": largest(packed.payer, relative, size),
    }
