"""Shared devices: many parties on one device are often one person (GEM, Liu and others, 2018)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from formicary.factory.features.slow.per_node import Columns, count, most

__all__ = ["known_uses", "shared_devices"]


def known_uses(devices: pl.DataFrame, until: int) -> pl.DataFrame:
    """Return the distinct pairs of ``party`` and ``device`` used with ``at < until``, in order."""
    return devices.filter(pl.col("at") < until).select("party", "device").unique().sort("party", "device")


def shared_devices(uses: pl.DataFrame, nodes: npt.NDArray[Any]) -> Columns:
    """Return how many devices a party uses and with how many parties it shares them.

    Parameters
    ----------
    uses
        Distinct pairs of ``party`` and ``device``, (u); every party is a node.
    nodes
        The id of each node, (n,), growing.

    Returns
    -------
    Columns
        ``devices``; ``device_parties_max``, the parties on the most shared of them, itself included (0
        without a device); ``device_component_parties``, the parties that chains of shared devices join
        it with, itself included.
    """
    size = len(nodes)
    party = np.searchsorted(nodes, uses["party"].to_numpy())
    devices, device = np.unique(uses["device"].to_numpy(), return_inverse=True)
    parties_on = count(device, len(devices))
    every = size + len(devices)
    edges = sparse.coo_array((np.ones(len(party), np.int8), (party, size + device)), shape=(every, every))
    component = connected_components(edges, directed=False)[1][:size].astype(np.int64)
    return {
        "devices": count(party, size),
        "device_parties_max": most(party, parties_on[device], size),
        "device_component_parties": count(component, every)[component],
    }
