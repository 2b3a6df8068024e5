"""What a party's counterparties are like: features of the payees and payers, one hop away."""

from __future__ import annotations

from formicary.factory.features.slow.graph import TransferGraph
from formicary.factory.features.slow.per_node import Columns, largest, mean

__all__ = ["neighbours"]


def neighbours(graph: TransferGraph, columns: Columns) -> Columns:
    """Return mean and largest of features (n,) over the distinct payees and payers of each node.

    A counterparty without a value counts as none.
    """
    size = len(graph.nodes)
    found: Columns = {}
    for name, values in columns.items():
        payees, payers = values[graph.payee], values[graph.payer]
        found |= {
            f"payees_mean_{name}": mean(graph.payer, payees, size),
            f"payees_max_{name}": largest(graph.payer, payees, size),
            f"payers_mean_{name}": mean(graph.payee, payers, size),
            f"payers_max_{name}": largest(graph.payee, payers, size),
        }
    return found
