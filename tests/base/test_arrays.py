"""Structured arrays end to end."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.base.arrays import joined

PAIR = np.dtype([("a", "<u8"), ("b", "<u2")])


@pytest.mark.parametrize("sizes", [(), (0,), (3,), (2, 0, 1), (1,) * 50])
def test_the_same_as_concatenate(sizes: tuple[int, ...]) -> None:
    """Nothing, one and many arrays, in new memory that may be written to."""
    parts = [np.array([(number, size)] * size, PAIR) for number, size in enumerate(sizes)]
    found = joined(parts, PAIR)
    assert np.array_equal(found, np.concatenate([np.empty(0, PAIR), *parts]))
    found["a"] = 7
    assert all((part["a"] != 7).all() for part in parts[:7])


def test_strided_parts() -> None:
    """What does not lie together is laid together."""
    whole = np.arange(6).astype(np.int64)
    assert joined([whole[::2], whole[1::2]], np.dtype(np.int64)).tolist() == [0, 2, 4, 1, 3, 5]
