"""Lots drawn by hash: the same party or item draws the same lot for the same purpose, on every machine.

Nothing is remembered and nobody can choose: a lot follows from an id and a salt alone. Two salts give lots
that do not depend on each other.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.draws import STEP, mixed
from formicary.base.kernels import kernel, kernel_part

__all__ = ["LOTS", "lot", "lots", "salt_of"]

LOTS: Final = 1_000_000
"""How many different lots there are: shares are counted in millionths."""

_HALF: Final = np.uint64(32)
_LOTS: Final = np.uint64(LOTS)
_mixed: Final = kernel_part(mixed)


def salt_of(name: str) -> int:
    """Return the 63-bit salt of what lots are drawn for."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 1


@kernel_part
def lot(high: Any, low: Any, salt: Any) -> Any:
    """Return the lot of an id of two words, 0 up to ``LOTS``."""
    word = _mixed((np.uint64(high) ^ np.uint64(salt)) + STEP)
    word = _mixed((word ^ np.uint64(low)) + STEP)
    return np.int64(((word >> _HALF) * _LOTS) >> _HALF)


def lots(ids: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.int64]:
    """Return the lots (n,) of ids (n, 2), each 0 up to ``LOTS``, drawn for one salt."""
    drawn = np.empty(len(ids), np.int64)
    _draw(np.ascontiguousarray(ids, np.uint64), np.uint64(salt), drawn)
    return drawn


@kernel
def _draw(ids: npt.NDArray[np.uint64], salt: Any, drawn: npt.NDArray[np.int64]) -> None:
    for row in range(len(ids)):
        drawn[row] = lot(ids[row, 0], ids[row, 1], salt)
