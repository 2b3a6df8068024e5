"""IBM's *AMLSim* sample: simulated accounts, their transfers, and who laundered money by fan-in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from formicary.economy.data_sets import read_columns, whole_units

__all__ = ["ACCOUNTS", "STEP", "TRANSFERS", "read_accounts", "read_transfers"]

TRANSFERS: Final = Path("amlsim", "20K_fanin200_transactions.parquet")
"""Where the transfers lie below the folder of data sets."""

ACCOUNTS: Final = Path("amlsim", "20K_fanin200_nodes.parquet")
"""Where the accounts lie below the folder of data sets."""

STEP: Final = 86_400 * 10**9
"""A step of the simulation in nanoseconds: it has no dates, and a step is taken for a day."""

_CENTS_PER_UNIT: Final = 100


def read_transfers(path: Path) -> pl.DataFrame:
    """Return all transfers: ``payer``, ``payee``, ``amount`` in cents, ``at`` in nanoseconds since step 0.

    Raises
    ------
    DataSetUnusable
        The file cannot be read, lacks a column, or has an amount that is no whole number of cents.
    """
    return read_columns(
        path,
        [
            pl.col("sourceNodeId").cast(pl.Int64).alias("payer"),
            pl.col("targetNodeId").cast(pl.Int64).alias("payee"),
            *whole_units("value", units_per_one=_CENTS_PER_UNIT, name="amount"),
            (pl.col("time").cast(pl.Int64) * STEP).alias("at"),
        ],
    )


def read_accounts(path: Path) -> pl.DataFrame:
    """Return all accounts: ``party``, whether it ``is_fraud``, and its first ``balance`` in cents.

    When an account's fraud begins is left in the file: whoever knows it knows the answer.

    Raises
    ------
    DataSetUnusable
        The file cannot be read, lacks a column, or has a balance that is no whole number of cents.
    """
    return read_columns(
        path,
        [
            pl.col("nodeid").cast(pl.Int64).alias("party"),
            (pl.col("isFraud") != 0).alias("is_fraud"),
            *whole_units("init_balance", units_per_one=_CENTS_PER_UNIT, name="balance"),
        ],
    )
