"""The instalment of an annuity, correctly rounded.

What a principal ``P`` is paid back with, of which ``B`` stays for the end, at the interest ``g / w`` of each
period::

    instalment = (P - B * v[n]) / (v[1] + ... + v[n]),   v[k] = v[k - 1] * w[k] / (w[k] + g[k]),   v[0] = 1

The factors ``v`` are kept as fixed-point numbers of 57 bits behind the point, rounded down. After k steps a
factor is less than k units too small, so the sum of n, in units of 2**-46, is less than ``n + n * (n + 1) /
2 / 2**11 + 1`` too small. That bounds the instalment from both sides. Where both bounds round alike, the
rounding is proved. Otherwise, a few times in a hundred million schedules, or where the exact value is a
half, the exact value is compared with the halves in between by whole numbers of any length. So the result is
that of exact arithmetic, always.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.base.kernels import kernel
from formicary.products.lending.schedules._layout import PERIOD, Table, columns
from formicary.products.lending.schedules._wide_kernels import divided, product, rounded

__all__ = ["annuity", "limbs_for", "nearest"]

_GAIN, _WHOLE = columns(PERIOD, "gain", "whole")
_ONE: Final = 1 << 57
_SUM_BITS: Final = 46
_SHIFT: Final = 11
_DIGIT_BITS: Final = 58
_LIMB_BITS: Final = 29
_LIMB: Final = (1 << 29) - 1


@kernel
def annuity(
    periods: Table,
    first: int,
    count: int,
    principal: int,
    balloon: int,
    multiple: int,
    half_up: int,
    limbs: Table,
) -> int:
    """Return the equal instalment of the periods from ``first`` up to ``count``, rounded to ``multiple``."""
    factor = _ONE
    factors = 0
    for place in range(first, count):
        whole = periods[place, _WHOLE]
        gain = periods[place, _GAIN]
        if gain > 0:
            high, low = product(factor, whole)
            factor, _ = divided(high, low, whole + gain)
        factors += factor >> _SHIFT
    terms = count - first
    error = terms + (terms * (terms + 1) >> (_SHIFT + 1)) + 1
    # Twice the instalment is bounded, so that halves are whole numbers. It is above ``least``, not at it.
    least = _twice_at_least(principal, balloon, factor + terms, factors + error)
    most = _twice_at_most(principal, balloon, factor, factors)
    step = 2 * multiple
    low_cell = (least + multiple) // step
    high_cell = (most + multiple) // step
    while low_cell < high_cell:
        cell = (low_cell + high_cell) // 2
        sign = _compared(periods, first, count, principal, balloon, (2 * cell + 1) * multiple, limbs)
        if sign > 0:
            low_cell = cell + 1
        elif sign < 0:
            high_cell = cell
        else:
            return (cell + (1 if half_up == 1 else cell & 1)) * multiple
    return low_cell * multiple


@kernel
def _twice_at_least(principal: int, balloon: int, factor: int, factors: int) -> int:
    """Return twice the instalment at least, rounded down; it is above that, where that is above zero."""
    kept_high, kept_low = product(2 * balloon, factor)
    high, low = product(principal, 1 << (_SUM_BITS + 1))
    # One more, as the shift rounds down what is taken away.
    low -= ((kept_high & ((1 << _SHIFT) - 1)) << (_DIGIT_BITS - _SHIFT)) + (kept_low >> _SHIFT) + 1
    high -= kept_high >> _SHIFT
    if low < 0:
        low += 1 << _DIGIT_BITS
        high -= 1
    if high < 0:
        return 0
    return divided(high, low, factors)[0]


@kernel
def _twice_at_most(principal: int, balloon: int, factor: int, factors: int) -> int:
    """Return twice the instalment at most, rounded down."""
    kept_high, kept_low = product(2 * balloon, factor)
    high, low = product(principal, 1 << (_SUM_BITS + 1))
    low -= ((kept_high & ((1 << _SHIFT) - 1)) << (_DIGIT_BITS - _SHIFT)) + (kept_low >> _SHIFT)
    high -= kept_high >> _SHIFT
    if low < 0:
        low += 1 << _DIGIT_BITS
        high -= 1
    return divided(high, low, factors)[0]


@kernel
def _compared(
    periods: Table, first: int, count: int, principal: int, balloon: int, twice: int, limbs: Table
) -> int:
    """Return 1 where twice the instalment is above ``twice``, -1 where it is below, 0 where it is that.

    Twice the balance with an instalment of ``twice / 2``, times all denominators so far, is a whole number;
    too small an instalment leaves more than the balloon. ``limbs`` is its room, (2, n), in digits of 29 bits.
    """
    length = 4
    limbs[:, :length] = 0
    limbs[0, 0] = (2 * principal) & _LIMB
    limbs[0, 1] = (2 * principal) >> _LIMB_BITS
    limbs[1, 0] = 1
    for place in range(first, count):
        whole = periods[place, _WHOLE]
        limbs[:, length : length + 2] = 0
        length += 2
        _multiplied(limbs, 0, length, whole + periods[place, _GAIN])
        _multiplied(limbs, 1, length, whole)
        if _lessened(limbs, length, twice) < 0:
            # A balance below zero never comes back.
            return -1
        while length > 4 and limbs[0, length - 1] == 0 and limbs[1, length - 1] == 0:  # noqa: PLR2004, above
            length -= 1
    if _lessened(limbs, length, 2 * balloon) < 0:
        return -1
    for place in range(length):
        if limbs[0, place] != 0:
            return 1
    return 0


@kernel
def _multiplied(limbs: Table, row: int, length: int, factor: int) -> None:
    """Multiply a row by a factor below 2**58 in place."""
    factor_low = factor & _LIMB
    factor_high = factor >> _LIMB_BITS
    carry = 0
    before = 0
    for place in range(length):
        digit = limbs[row, place]
        carry += digit * factor_low + before * factor_high
        limbs[row, place] = carry & _LIMB
        carry >>= _LIMB_BITS
        before = digit


@kernel
def _lessened(limbs: Table, length: int, factor: int) -> int:
    """Take ``factor`` times the second row off the first in place; return below 0 where it was too much."""
    factor_low = factor & _LIMB
    factor_high = factor >> _LIMB_BITS
    carry = 0
    before = 0
    for place in range(length):
        digit = limbs[1, place]
        carry += limbs[0, place] - digit * factor_low - before * factor_high
        limbs[0, place] = carry & _LIMB
        carry >>= _LIMB_BITS
        before = digit
    return carry


@kernel
def nearest(amount: int, parts: int, multiple: int, half_up: int) -> int:
    """Return a part of an amount, rounded to the nearest multiple."""
    return rounded(0, amount, parts * multiple, half_up) * multiple


def limbs_for(instalments: int) -> Table:
    """Return the room that exact comparisons of so many periods need."""
    return np.zeros((2, 8 + 2 * instalments), np.int64)
