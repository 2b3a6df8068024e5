"""How many hops a party is away from one that is known to be fraudulent, whichever way money went."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.base.limits import FRAUD_HOPS_MAX
from formicary.factory.features.slow.graph import TransferGraph
from formicary.factory.features.slow.per_node import Columns

__all__ = ["fraud_hops", "known_fraud"]


def known_fraud(labels: pl.DataFrame, until: int, nodes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which nodes (n,) are fraudulent as far as was known before ``until``.

    ``labels`` has columns ``party``, ``at`` (when it became known, in nanoseconds since the Unix epoch)
    and ``is_fraud``. A later label replaces an earlier one; of two at one time, fraud counts.
    """
    known = labels.filter(pl.col("at") < until).sort("at", "is_fraud")
    latest = known.group_by("party").agg(pl.col("is_fraud").last())
    return np.isin(nodes, latest.filter("is_fraud")["party"].to_numpy())


def fraud_hops(
    graph: TransferGraph, is_fraud: npt.NDArray[np.bool_], *, hops_max: int = FRAUD_HOPS_MAX
) -> Columns:
    """Return the hops from each node to the nearest fraudulent one; ``hops_max + 1`` is farther or none."""
    hops = np.where(is_fraud, 0, hops_max + 1)
    reached = is_fraud
    for hop in range(1, hops_max + 1):
        wider = reached.copy()
        wider[graph.payee[reached[graph.payer]]] = True
        wider[graph.payer[reached[graph.payee]]] = True
        hops[wider & ~reached] = hop
        reached = wider
    return {"fraud_hops": hops}
