"""Numbers drawn by hashes of a seed and a place: the same on every machine and in any order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["STEP", "draws", "mixed"]

Words = npt.NDArray[np.uint64]

STEP: Final = np.uint64(0x9E3779B97F4A7C15)
"""What SplitMix64 goes on by from one word to the next."""
_SEED_BITS: Final = 0xFFFFFFFFFFFFFFFF


def draws(seed: int, count: int) -> Words:
    """Return so many words (n,) of 64 bits each, drawn evenly.

    They are hashes of their places: SplitMix64 of Steele, Lea and Flood, *Fast splittable pseudorandom number
    generators*, OOPSLA 2014.
    """
    places = np.arange(1, count + 1, dtype=np.uint64)
    # An array of one, since only arrays wrap around without a warning.
    start = mixed(np.array([seed & _SEED_BITS], np.uint64) + STEP)
    drawn: Words = mixed(start + places * STEP)
    return drawn


def mixed(words: Any) -> Any:
    """Return words, one or many, with every bit spread over all of them: SplitMix64's last step."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
