"""Ids that follow from what they name, so that a replay asks for the same things again.

A ledger answers a repeated id with ``exists``; that only helps callers who repeat their ids.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["named_id", "numbered_ids"]

# SplitMix64 (Steele, Lea and Flood, 2014): its step and the multipliers of its mixing function.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT: Final = np.uint64(31)


def named_id(*names: object) -> int:
    """Return the 128-bit id of a thing named by a path, such as ``"shop", "invoice", 536365``."""
    return int.from_bytes(_digest(names))


def numbered_ids(
    *names: object, numbers: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the ids of many things of one name, as high and low words (n,), for integers ``numbers`` (n,).

    Each word mixes the number one to one, so that under one name no two numbers share an id.
    """
    digest = _digest(names)
    high, low = (np.uint64(int.from_bytes(digest[at : at + 8])) for at in (0, 8))
    wide = numbers.astype(np.uint64)
    return _mixed(wide, high), _mixed(wide, low)


def _digest(names: tuple[object, ...]) -> bytes:
    # A character that no name holds keeps ("a", "bc") apart from ("ab", "c").
    return hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=16).digest()


def _mixed(numbers: npt.NDArray[np.uint64], seed: np.uint64) -> npt.NDArray[np.uint64]:
    # Arrays of unsigned integers wrap around without a warning, which is what SplitMix64 wants.
    words = numbers * _STEP + seed
    for shift, multiplier in _MIX:
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(multiplier)
    return words ^ (words >> _LAST_SHIFT)
