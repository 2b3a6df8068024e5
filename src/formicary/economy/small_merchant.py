"""A small invented merchant for machines without the real data: every class of line occurs."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import polars as pl

from formicary.economy.invoices import LINES

__all__ = ["small_merchant"]

_START: Final = 1_291_190_400_000_000_000  # 2010-12-01, in nanoseconds
_MINUTE: Final = 60_000_000_000
_CUSTOMERS: Final = 40
_PRICES_MILLS: Final = (420, 850, 1_250, 2_550, 3_390, 4_950, 12_750, 1, 125)
_FIRST_INVOICE: Final = 536_365

Line = tuple[Any, ...]


def small_merchant(*, seed: int, invoices: int) -> pl.DataFrame:
    """Return the lines, of ``LINES``, of a merchant with ``invoices`` random invoices and a few fixed ones.

    The fixed ones come first and make every class of line occur: bad debt written off, an invoice
    with a stock correction on it, a giveaway, and cancellations with nothing behind them.
    """
    random = Random(seed)  # noqa: S311, an invented merchant, not a secret
    at = _START
    rows = _fixed_invoices(at)
    for number in range(_FIRST_INVOICE, _FIRST_INVOICE + invoices):
        at += random.randrange(3) * _MINUTE
        rows += _random_invoice(random, number, at)
    return pl.DataFrame(rows, LINES, orient="row")


def _random_invoice(random: Random, number: int, at: int) -> list[Line]:
    customer = random.choice([None, *range(_CUSTOMERS)]) if random.randrange(5) else None
    sign, prefix = (-1, "C") if random.randrange(7) == 0 else (1, "")
    return [
        (f"{prefix}{number}", at, customer, sign * random.randint(1, 24), random.choice(_PRICES_MILLS))
        for _ in range(random.randint(1, 12))
    ]


def _fixed_invoices(at: int) -> list[Line]:
    number = _FIRST_INVOICE - 9
    return [
        (f"A{number}", at, None, 1, 110_620),
        (f"A{number + 1}", at, None, 1, -110_620),
        (f"A{number + 2}", at, None, 1, -110_620),
        (str(number + 3), at, 1, 5, 850),
        (str(number + 3), at, 1, -2, 0),
        (str(number + 4), at, None, -30, 0),
        (str(number + 5), at, 2, 1, 1),
        (f"C{number + 6}", at, None, -1, 5_000_000),
        (f"C{number + 7}", at, 3, -1, 9_000_000),
        (str(number + 8), at, 3, 10, 950_000),
    ]
