"""The *Fraud Detection Handbook*'s simulated card payments (Le Borgne and others, 2022)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from formicary.economy.data_sets import read_columns, whole_units

__all__ = ["DATA_SET", "read_fraud_handbook"]

DATA_SET: Final = Path("fraud_handbook", "transactions_2018-04-01_2018-08-14.parquet")
"""Where it lies below the folder of data sets."""

_CENTS_PER_EURO: Final = 100


def read_fraud_handbook(path: Path) -> pl.DataFrame:
    """Return the card payments of the file, (n) of ``card_book.PAYMENTS``, in order of time.

    Raises
    ------
    DataSetUnusable
        The file cannot be read, lacks a column, or has an amount that is no whole number of cents.
    """
    payments = read_columns(
        path,
        [
            pl.col("TRANSACTION_ID").cast(pl.Int64).alias("number"),
            pl.col("TX_DATETIME").dt.epoch("ns").alias("at"),
            pl.col("CUSTOMER_ID").cast(pl.Int64).alias("customer"),
            pl.col("TERMINAL_ID").cast(pl.Int64).alias("terminal"),
            *whole_units("TX_AMOUNT", units_per_one=_CENTS_PER_EURO, name="cents"),
        ],
    )
    return payments.sort("at", "number")
