"""A few invented card payments for machines without the real data."""

from __future__ import annotations

from random import Random
from typing import Final

import polars as pl

from formicary.economy.card_book import PAYMENTS

__all__ = ["small_cards"]

_START: Final = 1_522_540_800_000_000_000  # 2018-04-01, in nanoseconds
_LONGEST_PAUSE: Final = 600_000_000_000
_CUSTOMERS: Final = 500
_TERMINALS: Final = 1_000
_CENTS_MAX: Final = 20_000


def small_cards(*, seed: int, payments: int) -> pl.DataFrame:
    """Return random card payments (n) of ``card_book.PAYMENTS``, ten minutes apart at most."""
    random = Random(seed)  # noqa: S311, invented payments, not a secret
    rows = []
    at = _START
    for number in range(payments):
        at += random.randrange(_LONGEST_PAUSE)
        customer, terminal = random.randrange(_CUSTOMERS), random.randrange(_TERMINALS)
        rows.append((number, at, customer, terminal, random.randrange(_CENTS_MAX)))
    return pl.DataFrame(rows, PAYMENTS, orient="row")
