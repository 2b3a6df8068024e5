"""Packed rows as dictionaries, quickly: a simulated world reads its own journal all the time."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tests.factory.ledger.oracle_rules import Record

__all__ = ["unpack"]

_WORD_BITS: Final = 64


def unpack(array: npt.NDArray[Any]) -> list[Record]:
    """Turn a packed array (n,) into n records: a pair of words becomes one integer."""
    if not len(array):
        return []
    names, pairs = _layout(array.dtype)
    records = [dict(zip(names, values, strict=True)) for values in array.tolist()]
    for record in records:
        for name, high, low in pairs:
            record[name] = (record.pop(high) << _WORD_BITS) | record.pop(low)
    return records


@cache
def _layout(dtype: np.dtype[np.void]) -> tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]]:
    names = dtype.names or ()
    stems = [name.removesuffix("_high") for name in names if name.endswith("_high")]
    return names, tuple((stem, f"{stem}_high", f"{stem}_low") for stem in stems)
