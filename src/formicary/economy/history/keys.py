"""Ids that follow from a source's name, a kind and a row's own key, so that a second run asks for the same.

A key that is a plain number is mixed by ``names.numbered_ids``, any other is hashed; so an id depends on
what a key reads, never on the format of the file it stood in.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.economy.names import named_id, numbered_ids

__all__ = ["key_ids", "key_numbers"]

_PLAIN: Final = r"^(0|[1-9][0-9]{0,17})$"
_WORD: Final = 2**64 - 1

Words = npt.NDArray[np.uint64]


def key_ids(source: str, what: str, kind: str, keys: pl.Series) -> tuple[Words, Words]:
    """Return the ids of keys (n) without nulls as high and low words (n,)."""
    is_plain = keys.str.contains(_PLAIN).to_numpy()
    numbers = keys.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    high, low = numbered_ids(source, what, kind, numbers=numbers)
    if not is_plain.all():
        others = ~is_plain
        high[others], low[others] = _hashed(source, what, kind, keys.filter(pl.Series(others)))
    return high, low


def key_numbers(keys: pl.Series, low: Words) -> npt.NDArray[np.uint64]:
    """Return 64 bits to search a row by: its key where that is a plain number, else the id's low word."""
    is_plain = keys.str.contains(_PLAIN).to_numpy()
    numbers = keys.cast(pl.Int64, strict=False).fill_null(0).to_numpy().astype(np.uint64)
    return np.where(is_plain, numbers, low)


def _hashed(source: str, what: str, kind: str, keys: pl.Series) -> tuple[Words, Words]:
    ids = [named_id(source, what, kind, key) for key in keys.to_list()]
    high: npt.NDArray[Any] = np.array([one >> 64 for one in ids], np.uint64)
    return high, np.array([one & _WORD for one in ids], np.uint64)
