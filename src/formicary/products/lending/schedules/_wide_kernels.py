"""Products of two words and their quotients, exactly: numbers of two digits of 58 bits.

A *wide* number is ``high * 2**58 + low`` with ``0 <= low < 2**58`` and a high digit that is not negative. 58
bits leave room in a signed word for sums of products of halves, so that nothing here wraps around.
"""

from __future__ import annotations

from typing import Final

from formicary.base.kernels import kernel

__all__ = ["DIGIT_BITS", "divided", "product", "rounded", "total"]

DIGIT_BITS: Final = 58
_DIGIT: Final = (1 << 58) - 1
_HALF_BITS: Final = 29
_HALF: Final = (1 << 29) - 1
_SMALL: Final = 1 << 33
_MEDIUM: Final = 1 << 51


@kernel
def product(first: int, second: int) -> tuple[int, int]:
    """Return the wide product of two numbers from 0 up to 2**58."""
    first_high = first >> _HALF_BITS
    first_low = first & _HALF
    second_high = second >> _HALF_BITS
    second_low = second & _HALF
    middle = first_high * second_low + first_low * second_high
    low = first_low * second_low + ((middle & _HALF) << _HALF_BITS)
    return first_high * second_high + (middle >> _HALF_BITS) + (low >> DIGIT_BITS), low & _DIGIT


@kernel
def total(high: int, low: int, more_high: int, more_low: int) -> tuple[int, int]:
    """Return the sum of two wide numbers."""
    low += more_low
    return high + more_high + (low >> DIGIT_BITS), low & _DIGIT


@kernel
def divided(high: int, low: int, divisor: int) -> tuple[int, int]:
    """Return quotient and rest of a wide number by a divisor of 1 up to 2**58; the quotient fits a word.

    Long division, as many bits at a time as the rest leaves room for.
    """
    if high == 0:
        quotient = low // divisor
        return quotient, low - quotient * divisor
    quotient = high // divisor
    rest = high - quotient * divisor
    step = 29 if divisor < _SMALL else (11 if divisor < _MEDIUM else 4)
    left = DIGIT_BITS
    while left > 0:
        taken = min(step, left)
        left -= taken
        rest = (rest << taken) | ((low >> left) & ((1 << taken) - 1))
        digit = rest // divisor
        rest -= digit * divisor
        quotient = (quotient << taken) + digit
    return quotient, rest


@kernel
def rounded(high: int, low: int, divisor: int, half_up: int) -> int:
    """Return the quotient rounded to nearest; a half to the even neighbour, or up where ``half_up`` is 1."""
    quotient, rest = divided(high, low, divisor)
    twice = 2 * rest
    if twice > divisor or (twice == divisor and (half_up == 1 or quotient & 1 == 1)):
        quotient += 1
    return quotient
