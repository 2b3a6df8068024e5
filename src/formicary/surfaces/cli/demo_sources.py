"""Where the demo's lines and payments come from: the real data sets, or small invented ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from formicary.economy import fraud_handbook, online_retail
from formicary.economy.small_cards import small_cards
from formicary.economy.small_merchant import small_merchant
from formicary.economy.stolen_cards import CHECKED_DAYS, stolen_cards

__all__ = ["Source", "card_source", "checked_source", "merchant_source"]

_SEED: Final = 1
_INVENTED_INVOICES: Final = 500
_INVENTED_PAYMENTS: Final = 50_000
_INVENTED_DAYS: Final = 140
_INVENTED_CUSTOMERS: Final = 200


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to replay, under a name that is part of every id, and a sentence on what they are."""

    name: str
    said: str
    rows: pl.DataFrame


def merchant_source(data_sets: Path | None) -> Source:
    """Return the invoice lines of the real merchant, or invented ones."""
    path = _existing(data_sets, online_retail.DATA_SET)
    if path is None:
        said = f"No {online_retail.DATA_SET}: a small merchant is invented (set FORMICARY_DATA)."
        return Source("small_merchant", said, small_merchant(seed=_SEED, invoices=_INVENTED_INVOICES))
    lines = online_retail.read_online_retail(path)
    said = f"{len(lines):,} real invoice lines of one merchant's year, {path.name}."
    return Source("online_retail", said, lines)


def card_source(data_sets: Path | None) -> Source:
    """Return the card payments of the public simulation, or invented ones."""
    path = _existing(data_sets, fraud_handbook.DATA_SET)
    if path is None:
        said = f"No {fraud_handbook.DATA_SET}: {_INVENTED_PAYMENTS:,} card payments are invented."
        return Source("small_cards", said, small_cards(seed=_SEED, payments=_INVENTED_PAYMENTS))
    payments = fraud_handbook.read_fraud_handbook(path)
    return Source("fraud_handbook", f"{len(payments):,} card payments, {path.name}.", payments)


def checked_source() -> Source:
    """Return the payments, thefts among them, that a model learns from and that are checked by it."""
    rows = stolen_cards(seed=_SEED, days=_INVENTED_DAYS, customers=_INVENTED_CUSTOMERS)
    said = (
        f"{len(rows):,} payments by card are invented, {rows['is_theft'].sum():,} with stolen cards; "
        f"those of the last {CHECKED_DAYS} days, {rows['is_checked'].sum():,}, are checked."
    )
    return Source("stolen_cards", said, rows)


def _existing(folder: Path | None, data_set: Path) -> Path | None:
    path = None if folder is None else folder / data_set
    return path if path is not None and path.is_file() else None
