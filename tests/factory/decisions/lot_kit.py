"""Lots worked out in whole numbers of any size, apart from the kernels that draw them."""

from __future__ import annotations

from typing import Final

from formicary.base.lots import LOTS, salt_of

__all__ = ["lot_of"]

_WORD: Final = 2**64 - 1


def lot_of(identifier: int, drawn_for: str) -> int:
    """Return the lot of an id, drawn for what a text says."""
    salted = _mixed((identifier >> 64) ^ salt_of(drawn_for)) ^ (identifier & _WORD)
    return ((_mixed(salted) >> 32) * LOTS) >> 32


def _mixed(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)
