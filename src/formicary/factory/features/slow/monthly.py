"""What each party received and paid in each calendar month (UTC), against the month before."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from formicary.factory.features.slow.graph import PackedTransfers
from formicary.factory.features.slow.per_node import Columns, Integers

__all__ = ["last_month", "monthly"]

_SIDES: Final = (("in", "payee"), ("out", "payer"))
_MONTHS_A_YEAR: Final = 12


def monthly(packed: PackedTransfers) -> pl.DataFrame:
    """Return one row for each node and month in which it had a transfer, in order of both.

    Columns: ``node``, 0 … n - 1; ``month``, counted from year 0; and for ``in`` and ``out`` the ``count``,
    the ``amount`` and its ``mean`` in minor units (null for none), and the ``change`` of the amount to
    the month before, in which nothing may have moved.
    """
    sides = [_side(packed, name, node) for name, node in _SIDES]
    both = sides[0].join(sides[1], on=["node", "month"], how="full", coalesce=True).fill_null(0)
    before = both.select(
        "node",
        pl.col("month") + 1,
        *(pl.col(f"{name}_amount").alias(f"{name}_before") for name, _ in _SIDES),
    )
    rows = both.join(before, on=["node", "month"], how="left")
    return rows.select("node", "month", *(column for name, _ in _SIDES for column in _columns(name))).sort(
        "node", "month"
    )


def _side(packed: PackedTransfers, name: str, node: str) -> pl.DataFrame:
    rows = pl.DataFrame({"node": getattr(packed, node), "month": packed.at, "amount": packed.amount})
    return (
        rows.with_columns(_month(pl.col("month")))
        .group_by("node", "month")
        .agg(
            pl.len().cast(pl.Int64).alias(f"{name}_count"),
            pl.col("amount").sum().alias(f"{name}_amount"),
        )
    )


def _columns(name: str) -> list[pl.Expr]:
    count, amount = pl.col(f"{name}_count"), pl.col(f"{name}_amount")
    return [
        count,
        amount,
        pl.when(count > 0).then(amount / count).alias(f"{name}_mean"),
        (amount - pl.col(f"{name}_before").fill_null(0)).alias(f"{name}_change"),
    ]


def _month(at: pl.Expr) -> pl.Expr:
    time = pl.from_epoch(at, "ns")
    return (time.dt.year().cast(pl.Int64) * _MONTHS_A_YEAR + time.dt.month() - 1).alias("month")


def last_month(packed: PackedTransfers) -> Columns:
    """Return the amounts of the last month that is complete before ``until``, and their changes."""
    rows = monthly(packed)
    complete = pl.select(_month(pl.lit(packed.until))).item() - 1
    now, before = (rows.filter(pl.col("month") == month) for month in (complete, complete - 1))
    columns: Columns = {}
    for name, _ in _SIDES:
        amount = _spread(now, f"{name}_amount", len(packed.nodes))
        # Whoever moved nothing in the month has no row for it, and yet a change.
        change = amount - _spread(before, f"{name}_amount", len(packed.nodes))
        columns |= {f"{name}_amount_month": amount, f"{name}_change_month": change}
    return columns


def _spread(rows: pl.DataFrame, column: str, size: int) -> Integers:
    values = np.zeros(size, np.int64)
    values[rows["node"].to_numpy()] = rows[column].to_numpy()
    return values
