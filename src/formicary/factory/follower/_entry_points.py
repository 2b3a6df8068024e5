"""Choosing every 64th entry of an account, compiled."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._index import find_account
from formicary.factory.ledger._layout import Records, State
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["choose_points"]


@kernel_part
def _count(
    since: Records, account: int, row: Any, high: Any, low: Any, stride: int, points: Records, chosen: int
) -> int:
    since[account] += 1
    if since[account] < stride:
        return chosen
    since[account] = 0
    point = points[chosen]
    point["account_high"] = high
    point["account_low"] = low
    point["timestamp"] = row["timestamp"]
    point["position"] = row["position"]
    return chosen + 1


@kernel
def choose_points(state: State, rows: Records, since: Records, stride: int, points: Records) -> int:
    """Count the entries of each account; write a point for every ``stride``-th and return how many points.

    ``since`` (accounts,) is how many entries each account had since its last point. All accounts of the rows
    are open, and ``points`` has room for two a row.
    """
    chosen = 0
    for i in range(len(rows)):
        row = rows[i]
        if row["status"] == Status.CREATED or row["status"] == Status.EXPIRED:
            high, low = row["debit_account_id_high"], row["debit_account_id_low"]
            chosen = _count(since, find_account(state, high, low), row, high, low, stride, points, chosen)
            high, low = row["credit_account_id_high"], row["credit_account_id_low"]
            chosen = _count(since, find_account(state, high, low), row, high, low, stride, points, chosen)
    return chosen
