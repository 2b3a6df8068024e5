"""Transfers known by a moment, packed; and the graph of who paid whom.

Only transfers with ``at < until`` enter, here and nowhere else: whatever is computed from what this
module returns cannot look ahead. Rows are put in one order (time, payer, payee, amount), so that sums
of floats do not depend on the order in which they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from formicary.base.errors import ProgrammingError

__all__ = ["PackedTransfers", "TransferGraph", "graph_of", "pack", "transfer_graph"]

_ORDER: Final = ("at", "payer", "payee", "amount")
_ID_TYPES: Final = (pl.UInt64, pl.Int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedTransfers:
    """Transfers in order of time between nodes 0 … n - 1.

    Attributes
    ----------
    nodes
        The id of each node, (n,), growing.
    payer, payee
        Nodes, (t,).
    amount
        Minor units, (t,).
    at
        Nanoseconds since the Unix epoch, (t,), not falling and below ``until``.
    until
        The end of what is known, in nanoseconds since the Unix epoch.
    """

    nodes: npt.NDArray[Any]
    payer: npt.NDArray[np.int64]
    payee: npt.NDArray[np.int64]
    amount: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    until: int

    def within(self, span: int | None) -> PackedTransfers:
        """Return the transfers of the last ``span`` nanoseconds before ``until``; None means all."""
        if span is None:
            return self
        start = np.searchsorted(self.at, self.until - span)
        return PackedTransfers(
            nodes=self.nodes,
            payer=self.payer[start:],
            payee=self.payee[start:],
            amount=self.amount[start:],
            at=self.at[start:],
            until=self.until,
        )

    def periods(self, span: int) -> npt.NDArray[np.int64]:
        """Return how many whole spans of ``span`` nanoseconds lie between each transfer and the end, (t,)."""
        return (self.until - 1 - self.at) // span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransferGraph:
    """Who paid whom: one edge for each payer and payee, in order of payer and then payee.

    Attributes
    ----------
    nodes
        The id of each node, (n,), growing.
    payer, payee
        Nodes, (m,).
    count
        Transfers from payer to payee, (m,).
    amount
        Their sum in minor units, (m,).
    first_at, last_at
        The first and the last of them, in nanoseconds since the Unix epoch, (m,).
    """

    nodes: npt.NDArray[Any]
    payer: npt.NDArray[np.int64]
    payee: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    amount: npt.NDArray[np.int64]
    first_at: npt.NDArray[np.int64]
    last_at: npt.NDArray[np.int64]

    def matrix(self, weight: npt.NDArray[Any]) -> sparse.csr_array:
        """Return the weights (m,) of the edges as a sparse matrix, (n, n), a row for each payer."""
        size = len(self.nodes)
        starts = np.searchsorted(self.payer, np.arange(size + 1))
        # A copy: what scipy changes in place must not change the graph.
        return sparse.csr_array((weight, self.payee, starts), shape=(size, size), copy=True)


def pack(transfers: pl.DataFrame, until: int, *, others: npt.NDArray[Any] | None = None) -> PackedTransfers:
    """Return the transfers with ``at < until``; what a party pays itself moves nothing and is left out.

    Parameters
    ----------
    transfers
        Columns ``payer`` and ``payee``, both unsigned or both signed 64-bit ids, ``amount`` in minor
        units and ``at`` in nanoseconds since the Unix epoch, signed 64-bit numbers; (t) rows.
    until
        Nanoseconds since the Unix epoch.
    others
        Ids that are nodes even if they have no transfer, of the same type.

    Raises
    ------
    ProgrammingError
        A column has nulls or another type.
    """
    types = [transfers.schema[name] for name in _ORDER]
    is_typed = types[0] == types[3] == pl.Int64 and types[1] == types[2] and types[1] in _ID_TYPES
    if not is_typed or any(transfers[name].null_count() for name in _ORDER):
        message = f"transfers have other types than they should, or nulls: {transfers.schema}"
        raise ProgrammingError(message)
    is_known = (pl.col("at") < until) & (pl.col("payer") != pl.col("payee"))
    known = transfers.lazy().select(_ORDER).filter(is_known).sort(_ORDER).collect()
    payer, payee = known["payer"].to_numpy(), known["payee"].to_numpy()
    nodes = np.unique(np.concatenate([payer, payee] if others is None else [payer, payee, others]))
    if nodes.dtype != payer.dtype:
        # Of signed and unsigned ids numpy makes floats, which are no ids.
        message = f"other nodes are {nodes.dtype}, parties {payer.dtype}"
        raise ProgrammingError(message)
    return PackedTransfers(
        nodes=nodes,
        payer=np.searchsorted(nodes, payer),
        payee=np.searchsorted(nodes, payee),
        amount=known["amount"].to_numpy(),
        at=known["at"].to_numpy(),
        until=until,
    )


def graph_of(packed: PackedTransfers) -> TransferGraph:
    """Return the graph of packed transfers."""
    size = max(len(packed.nodes), 1)
    pair = packed.payer * size + packed.payee
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    is_first = np.concatenate([[True], pair[1:] != pair[:-1]])[: len(pair)]
    starts = np.flatnonzero(is_first)
    at = packed.at[order]
    count = np.diff(np.append(starts, len(pair)))
    return TransferGraph(
        nodes=packed.nodes,
        payer=pair[starts] // size,
        payee=pair[starts] % size,
        count=count,
        # Of nothing there is no sum to reduce.
        amount=np.add.reduceat(packed.amount[order], starts) if len(starts) else packed.amount,
        # A stable sort kept the order of time within a pair.
        first_at=at[starts],
        last_at=at[starts + count - 1],
    )


def transfer_graph(transfers: pl.DataFrame, until: int) -> TransferGraph:
    """Return the graph of the transfers with ``at < until``; see ``pack``."""
    return graph_of(pack(transfers, until))
