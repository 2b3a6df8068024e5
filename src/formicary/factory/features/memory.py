"""Room for the rows of keys: reserved once, taken from the machine page by page as it is used."""

from __future__ import annotations

import mmap
import sys
from typing import Final

import numpy as np

from formicary.base.errors import OperationalFault
from formicary.factory.features._layout import Words

__all__ = ["RoomExhausted", "reserved_words", "roomy"]

_WORD_BYTES: Final = 8
_LARGE_WORDS: Final = 1 << 19
# Python names this flag of Linux from 3.13 on only; elsewhere address space is given without it.
_NO_RESERVE: Final = 0x4000 if sys.platform == "linux" else 0
_HUGE_PAGES: Final = getattr(mmap, "MADV_HUGEPAGE", None)


class RoomExhausted(OperationalFault):
    """The rows of features take all the memory that was reserved for them."""


def roomy(count: int) -> Words:
    """Return ``count`` zeros, (count,) int64, in huge pages where there are many."""
    return np.zeros(count, np.int64) if count < _LARGE_WORDS else reserved_words(count)


def reserved_words(count: int) -> Words:
    """Return ``count`` zeros of address space, (count,) int64; a page costs memory from its first use on.

    So rows grow to any number without ever being copied. Huge pages spare time where visited at random, as
    each visit to a small page is a walk through the page table.

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
