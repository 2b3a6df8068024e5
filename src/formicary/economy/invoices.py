"""A merchant's invoice lines: which of them are money, to the penny, and what becomes of the rest.

Amounts are exact. A line is a whole number of *mills* (a mill is a thousandth of the currency's
unit, a tenth of a penny), since unit prices have up to three decimals. Money moves in pence:
an invoice is summed exactly and then rounded half to even, once.

Every line belongs to one class, which follows from its invoice's number and its quantity:

``adjustment``        the number starts with ``A``: bad debt, between the merchant and its own account
``stock correction``  a negative quantity on anything that is no cancellation: counted, no money
``invoiced``          everything else; sales, and cancellations (the number starts with ``C``)

The lines of one number and class are one *document*. A document of invoiced lines is a payment
where its sum is positive, a refund where it is negative, and nothing where it rounds to zero.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import polars as pl

__all__ = [
    "LINES",
    "MILLS_PER_PENNY",
    "CancellationPrefix",
    "LineClass",
    "classify",
    "documents",
    "half_even_pence",
]

MILLS_PER_PENNY: Final = 10

LINES: Final = pl.Schema(
    {
        "invoice": pl.String,
        # Nanoseconds since the Unix epoch.
        "at": pl.Int64,
        # Null: nobody knows who bought.
        "customer": pl.Int64,
        "quantity": pl.Int64,
        "price_mills": pl.Int64,
    }
)
"""The columns of a frame of invoice lines, in the order in which they were written."""


class LineClass(StrEnum):
    """What a line is."""

    INVOICED = "invoiced"
    STOCK_CORRECTION = "stock correction"
    ADJUSTMENT = "adjustment"


class CancellationPrefix(StrEnum):
    """How the number of an invoice that is no sale starts."""

    CANCELLATION = "C"
    ADJUSTMENT = "A"


def classify(lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines (n) of ``LINES`` with their ``class`` and their exact sum in ``mills``."""
    is_adjustment = pl.col("invoice").str.starts_with(CancellationPrefix.ADJUSTMENT)
    is_cancellation = pl.col("invoice").str.starts_with(CancellationPrefix.CANCELLATION)
    return lines.with_columns(
        pl.when(is_adjustment)
        .then(pl.lit(LineClass.ADJUSTMENT.value))
        .when((pl.col("quantity") < 0) & ~is_cancellation)
        .then(pl.lit(LineClass.STOCK_CORRECTION.value))
        .otherwise(pl.lit(LineClass.INVOICED.value))
        .alias("class"),
        (pl.col("quantity") * pl.col("price_mills")).alias("mills"),
    )


def documents(lines: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each invoice and class of lines, in order of time and then of the file.

    Its columns are ``invoice``, ``class``, ``at`` (of the first line), ``customer`` (null for a
    guest), ``lines``, ``mills`` and ``pence``, which is what moves: zero for stock corrections.
    """
    grouped = (
        classify(lines)
        .group_by("invoice", "class", maintain_order=True)
        .agg(
            pl.col("at").min(),
            pl.col("customer").drop_nulls().first(),
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("mills").sum(),
        )
    )
    moves = pl.col("class") != LineClass.STOCK_CORRECTION.value
    pence = pl.when(moves).then(half_even_pence(pl.col("mills"))).otherwise(0)
    return grouped.with_columns(pence.alias("pence")).sort("at", maintain_order=True)


def half_even_pence(mills: pl.Expr) -> pl.Expr:
    """Round whole mills to whole pence, a half to the even penny, in integers alone."""
    size = mills.abs()
    pence, rest = size // MILLS_PER_PENNY, size % MILLS_PER_PENNY
    # An odd penny needs only half a penny to go up, an even one more than half.
    rounded = pence + ((2 * rest + pence % 2) > MILLS_PER_PENNY).cast(pl.Int64)
    return pl.when(mills < 0).then(-rounded).otherwise(rounded)
