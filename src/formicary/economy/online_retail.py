"""The *Online Retail* data set: one UK web shop's invoices of a year (D. Chen, UCI, 2015)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from formicary.economy.data_sets import read_columns, whole_units

__all__ = ["DATA_SET", "read_online_retail"]

DATA_SET: Final = Path("online_retail", "online_retail.parquet")
"""Where it lies below the folder of data sets."""

_MILLS_PER_POUND: Final = 1_000


def read_online_retail(path: Path) -> pl.DataFrame:
    """Return the invoice lines of the file, (n) of ``invoices.LINES``, in the file's order.

    Raises
    ------
    DataSetUnusable
        The file cannot be read, lacks a column, or has a price that is no whole number of mills.
    """
    return read_columns(
        path,
        [
            pl.col("InvoiceNo").alias("invoice"),
            pl.col("InvoiceDate").dt.epoch("ns").alias("at"),
            pl.col("CustomerID").cast(pl.Int64).alias("customer"),
            pl.col("Quantity").cast(pl.Int64).alias("quantity"),
            *whole_units("UnitPrice", units_per_one=_MILLS_PER_POUND, name="price_mills"),
        ],
    )
