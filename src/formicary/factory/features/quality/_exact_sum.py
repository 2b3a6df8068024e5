"""Sums of floating-point numbers without rounding, so that neither order nor merging changes a mean."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["SCALE_BITS", "exact_sum"]

SCALE_BITS: Final = 1074
"""Every finite double is a whole number of 2^-1074."""

_MANTISSA_BITS: Final = 53
# Halves of a mantissa add up in 64 bits without a carry for 2^36 values.
_HALF_BITS: Final = 27
# So many whole numbers of this size add up in 64 bits.
_WHOLE_VALUES_MAX: Final = 1 << 20
_WHOLE_MAX: Final = float(1 << 42)


def exact_sum(values: npt.NDArray[np.float64]) -> int:
    """Return the sum of finite values (n,) in units of 2^-1074."""
    if len(values) <= _WHOLE_VALUES_MAX and bool((np.abs(values) <= _WHOLE_MAX).all()):
        whole = values.astype(np.int64)
        if np.array_equal(whole, values):
            # The usual case, ten times as fast.
            return int(whole.sum()) << SCALE_BITS
    fractions, exponents = np.frexp(values)
    mantissas = np.ldexp(fractions, _MANTISSA_BITS).astype(np.int64)
    once, places = np.unique(exponents, return_inverse=True)
    halves = np.zeros((len(once), 2), np.int64)
    np.add.at(halves, places, np.stack((mantissas >> _HALF_BITS, mantissas & (2**_HALF_BITS - 1)), axis=1))
    total = 0
    for exponent, (high, low) in zip(once.tolist(), halves.tolist(), strict=True):
        shift = exponent - _MANTISSA_BITS + SCALE_BITS
        part = (high << _HALF_BITS) + low
        # Below the normal numbers the last bits of a mantissa are zeros: nothing is lost.
        total += part << shift if shift >= 0 else part >> -shift
    return total
