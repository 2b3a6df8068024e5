"""Where every line of a merchant's file went: counted and summed by what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from formicary.economy.invoices import MILLS_PER_PENNY
from formicary.economy.merchant_book import Kind

__all__ = ["ReconciliationRow", "reconcile", "total_row"]

_SUMS: Final = ("lines", "documents", "mills", "pence")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRow:
    """One kind of document.

    Attributes
    ----------
    name
        The kind, or ``"total"``.
    lines, documents
        How many lines, on how many documents.
    mills
        The exact sum in thousandths of the currency's unit; refunds are negative.
    pence
        What moved to the merchant, in minor units.
    """

    name: str
    lines: int
    documents: int
    mills: int
    pence: int

    @property
    def left_over_mills(self) -> int:
        """What rounding to the penny left over, or what a correction without money is worth."""
        return self.mills - MILLS_PER_PENNY * self.pence


def reconcile(documents: pl.DataFrame) -> list[ReconciliationRow]:
    """Return a row for every kind, in the order of ``Kind``, also where none occurred."""
    sums = documents.group_by("kind").agg(
        pl.col("lines").sum(),
        pl.len().cast(pl.Int64).alias("documents"),
        pl.col("mills").sum(),
        pl.col("pence").sum(),
    )
    found = {row["kind"]: row for row in sums.iter_rows(named=True)}
    empty = dict.fromkeys(_SUMS, 0)
    rows = [(kind.value, found.get(kind.value, empty)) for kind in Kind]
    return [ReconciliationRow(name=name, **{key: row[key] for key in _SUMS}) for name, row in rows]


def total_row(rows: list[ReconciliationRow]) -> ReconciliationRow:
    """Return the sum of rows."""
    return ReconciliationRow(name="total", **{key: sum(getattr(row, key) for row in rows) for key in _SUMS})
