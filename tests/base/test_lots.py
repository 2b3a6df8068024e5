"""Lots: even, independent between salts, and the same as a plain reading of SplitMix64 says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.lots import LOTS, lots, salt_of

_WORD = 2**64 - 1


def _mixed(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


def _ids(count: int) -> npt.NDArray[np.uint64]:
    return np.random.default_rng(0).integers(0, 2**64, (count, 2), np.uint64)


def test_lots_are_those_of_the_formula_in_whole_numbers_of_any_size() -> None:
    """Python's own integers wrap around nowhere."""
    ids, salt = _ids(500), salt_of("a trial")
    found = lots(ids, salt)
    for (high, low), drawn in zip(ids.tolist(), found.tolist(), strict=True):
        assert drawn == ((_mixed(_mixed(high ^ salt) ^ low) >> 32) * LOTS) >> 32


def test_lots_are_even_even_where_ids_are_counted_up() -> None:
    """Chi-squared over 100 bins stays where it stays by chance, for ids 1, 2, 3 as well."""
    counted = np.column_stack([np.zeros(100_000, np.uint64), np.arange(100_000, dtype=np.uint64)])
    for ids in (_ids(100_000), counted):
        counts = np.bincount(lots(ids, salt_of("even")) * 100 // LOTS, minlength=100)
        assert ((counts - 1_000) ** 2 / 1_000).sum() < 149  # the quantile at 0.999 of 99 degrees


def test_two_salts_give_lots_that_do_not_depend_on_each_other() -> None:
    """Who is in a half of one layer is in a half of another one by chance alone."""
    ids = _ids(100_000)
    first, second = (lots(ids, salt_of(name)) < LOTS // 2 for name in ("first", "second"))
    assert abs((first & second).mean() - 0.25) < 0.005
    assert salt_of("first") != salt_of("second")
    assert 0 <= salt_of("first") < 2**63
