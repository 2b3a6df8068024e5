"""Streams of payment events: made from a seed, or read from a public simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.economy.data_sets import read_columns
from formicary.economy.fraud_handbook import read_fraud_handbook

__all__ = ["EVENTS", "NANOSECONDS_PER_DAY", "made_events", "read_events"]

NANOSECONDS_PER_DAY: Final = 86_400 * 10**9
EVENTS: Final = pl.Schema(
    {
        "position": pl.Int64,
        "at": pl.Int64,
        "payer": pl.Int64,
        "payee": pl.Int64,
        "amount": pl.Int64,
        "label": pl.Int8,
    }
)
"""A row an event: ``at`` in nanoseconds, strictly increasing with ``position``; ``amount`` in minor units."""

_BEGINS_AT: Final = 1_600_000_000 * 10**9
# Most payers come a few times, every tenth often; the capped mean is about eleven events.
_PAYER_EXPONENT: Final = 1.5
_PAYEE_EXPONENT: Final = 0.9
_EVENTS_PER_PAYEE: Final = 50
_FRAUD_SHARE: Final = 0.01


def made_events(count: int, *, seed: int = 1, payer_events_max: int = 60, days: float = 180) -> pl.DataFrame:
    """Return ``count`` events over ``days``, (count) of ``EVENTS``; one seed gives one stream.

    How often a payer comes follows Zipf's law, cut off at ``payer_events_max``; payees are drawn by
    Zipf's law, so that the busiest has a few percent of all events.
    """
    drawn = np.random.default_rng(seed)
    gaps = drawn.exponential(days * NANOSECONDS_PER_DAY / count, count).astype(np.int64) + 1
    return pl.DataFrame(
        {
            "position": np.arange(count),
            "at": _BEGINS_AT + np.cumsum(gaps),
            "payer": _payers(drawn, count, payer_events_max),
            "payee": _payees(drawn, count),
            "amount": drawn.lognormal(8, 1.2, count).astype(np.int64) + 1,
            "label": (drawn.random(count) < _FRAUD_SHARE).astype(np.int8),
        },
        schema=EVENTS,
    )


def _payers(drawn: np.random.Generator, count: int, events_max: int) -> npt.NDArray[np.int64]:
    times = np.minimum(drawn.zipf(_PAYER_EXPONENT, count), events_max)
    return drawn.permutation(np.repeat(np.arange(count), times)[:count])


def _payees(drawn: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    weights = 1 / np.arange(1, max(count // _EVENTS_PER_PAYEE, 1) + 1) ** _PAYEE_EXPONENT
    return drawn.choice(len(weights), count, p=weights / weights.sum())


def read_events(path: Path) -> pl.DataFrame:
    """Return the *Fraud Detection Handbook*'s payments as events: payer is the customer, payee the terminal.

    Its times are whole seconds. Payments of one second are put a nanosecond apart, in order of their
    numbers, so that "earlier" means the same by time and by position.

    Raises
    ------
    DataSetUnusable
        The file is not the data set's.
    """
    labels = read_columns(
        path, [pl.col("TRANSACTION_ID").cast(pl.Int64).alias("number"), pl.col("TX_FRAUD").cast(pl.Int8)]
    )
    payments = read_fraud_handbook(path).with_row_index("position")
    return payments.join(labels, on="number", how="left", maintain_order="left").select(
        pl.col("position").cast(pl.Int64),
        pl.col("at") + pl.int_range(pl.len()).over("at"),
        pl.col("customer").alias("payer"),
        pl.col("terminal").alias("payee"),
        pl.col("cents").alias("amount"),
        pl.col("TX_FRAUD").alias("label"),
    )
