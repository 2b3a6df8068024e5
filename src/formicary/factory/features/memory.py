"""Room for the rows of keys: reserved once, taken from the machine page by page as it is used."""

from __future__ import annotations

import mmap
import sys
from typing import Final

import numpy as np

from formicary.base.errors import OperationalFault
from formicary.factory.features._layout import Reals, Words

__all__ = ["RoomExhausted", "reserved_reals", "reserved_words"]

_WORD_BYTES: Final = 8
# Python names this flag of Linux from 3.13 on only; elsewhere address space is given without it.
_NO_RESERVE: Final = 0x4000 if sys.platform == "linux" else 0
_HUGE_PAGES: Final = getattr(mmap, "MADV_HUGEPAGE", None)


class RoomExhausted(OperationalFault):
    """The rows of features take all the memory that was reserved for them."""


def reserved_reals(rows: int, columns: int) -> Reals:
    """Return zeros, (rows, columns) float64, in the same way: what is written once is not cleared twice."""
    return reserved_words(rows * columns).view(np.float64).reshape(rows, columns)


def reserved_words(count: int) -> Words:
    """Return ``count`` zeros of address space, (count,) int64; a page costs memory from its first use on.

    So rows grow to any number without ever being copied. Huge pages are asked for: rows are visited at
    random, and each visit to a small page is a walk through the page table.

    Raises
    ------
    RoomExhausted
        The machine does not give so much address space.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    try:
        space = mmap.mmap(-1, max(count, 1) * _WORD_BYTES, flags=flags)
    except OSError as error:
        message = f"cannot reserve {count * _WORD_BYTES} bytes for the rows of features"
        raise RoomExhausted(message) from error
    if _HUGE_PAGES is not None:
        space.madvise(_HUGE_PAGES)
    return np.frombuffer(space, np.int64, count)
