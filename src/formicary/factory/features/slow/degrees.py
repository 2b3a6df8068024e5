"""How much a party received and paid in a window, with how many counterparties, and how unevenly."""

from __future__ import annotations

from formicary.factory.features.slow.graph import PackedTransfers, graph_of
from formicary.factory.features.slow.per_node import Columns, Integers, count, most, ratio, spread, total
from formicary.factory.features.slow.spans import span_name

__all__ = ["degrees"]


def degrees(packed: PackedTransfers, span: int | None) -> Columns:
    """Return both directions of the last ``span`` nanoseconds (None: of everything) and their ratio.

    For ``in`` (received) and ``out`` (paid): ``count`` of transfers, distinct ``counterparties``,
    ``amount``, its ``mean`` and ``std`` (minor units) and the share of the largest counterparty.
    """
    recent = packed.within(span)
    graph = graph_of(recent)
    name, size = span_name(span), len(packed.nodes)
    received = _direction(recent.payee, recent.amount, graph.payee, graph.amount, size)
    paid = _direction(recent.payer, recent.amount, graph.payer, graph.amount, size)
    return {
        **{f"in_{what}_{name}": column for what, column in received.items()},
        **{f"out_{what}_{name}": column for what, column in paid.items()},
        f"out_in_ratio_{name}": ratio(paid["amount"], received["amount"]),
    }


def _direction(node: Integers, amount: Integers, edge: Integers, edge_amount: Integers, size: int) -> Columns:
    number, amounts = count(node, size), total(node, amount, size)
    return {
        "count": number,
        "counterparties": count(edge, size),
        "amount": amounts,
        "mean": ratio(amounts, number),
        "std": spread(node, amount, size),
        "largest_share": ratio(most(edge, edge_amount, size), amounts),
    }
