"""The standard deviation of what was summed exactly, in integers of two words."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from formicary.base.kernels import kernel_part
from formicary.factory.features._layout import Words

__all__ = ["deviation", "product"]

_TWO_64: Final = 2.0**64
_HALF: Final = np.uint64(32)
_HALF_MASK: Final = np.uint64(0xFFFFFFFF)
_EXACT_MAX: Final = 1 << 31


@kernel_part
def deviation(totals: Words, sum_at: Any, squares_at: Any, count: Any) -> Any:
    """Return the sample standard deviation, from exact sums of values and of squares.

    With m the mean rounded down and r = sum - n m, the squared distances from m are exactly
    R = squares - m (sum + r), and those from the mean R - r^2 / n: no digits cancel but those of integers.
    """
    if count < 2:  # noqa: PLR2004, one value does not vary
        return math.nan
    total = totals[sum_at]
    floor = total // count
    rest = total - floor * count
    low_word = np.uint64(totals[squares_at])
    high_word = np.uint64(totals[squares_at + 1])
    other = total + rest
    product_high, product_low = product(np.uint64(abs(floor)), np.uint64(abs(other)))
    if (floor < 0) == (other < 0):
        borrow = np.uint64(1) if low_word < product_low else np.uint64(0)
        low_word -= product_low
        high_word -= product_high + borrow
    else:
        low_word, carry = _add(low_word, product_low)
        high_word += product_high + carry
    if high_word == np.uint64(0) and low_word < np.uint64(_EXACT_MAX) and count < _EXACT_MAX:
        scaled = np.int64(low_word) * count - rest * rest
        return math.sqrt(np.float64(scaled) / np.float64(count) / np.float64(count - 1))
    around_floor = np.float64(high_word) * _TWO_64 + np.float64(low_word)
    around_mean = around_floor - np.float64(rest) * np.float64(rest) / np.float64(count)
    return math.sqrt(around_mean / np.float64(count - 1))


@kernel_part
def _add(left: Any, right: Any) -> tuple[Any, Any]:
    total = left + right
    return total, np.uint64(1) if total < left else np.uint64(0)


@kernel_part
def product(left: Any, right: Any) -> tuple[Any, Any]:
    """Return the product of two words as two words, high and low."""
    left_high = left >> _HALF
    left_low = left & _HALF_MASK
    right_high = right >> _HALF
    right_low = right & _HALF_MASK
    low = left_low * right_low
    first = left_high * right_low + (low >> _HALF)
    second = left_low * right_high + (first & _HALF_MASK)
    high = left_high * right_high + (first >> _HALF) + (second >> _HALF)
    return high, (second << _HALF) | (low & _HALF_MASK)
