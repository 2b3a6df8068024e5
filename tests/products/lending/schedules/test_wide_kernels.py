"""Wide numbers against Python's integers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from formicary.products.lending.schedules._wide_kernels import divided, product, rounded, total

WORDS = st.integers(0, 2**58 - 1)
DIVISORS = st.integers(1, 2**33 + 9) | st.integers(2**50, 2**52) | st.integers(1, 2**58 - 1)


@given(WORDS, WORDS, WORDS, WORDS)
def test_products_and_sums(first: int, second: int, third: int, fourth: int) -> None:
    """Two digits of 58 bits hold them."""
    high, low = product(first, second)
    assert (high << 58) + low == first * second
    assert 0 <= low < 2**58
    more_high, more_low = product(third, fourth)
    high, low = total(high, low, more_high, more_low)
    assert (high << 58) + low == first * second + third * fourth
    assert 0 <= low < 2**58


@given(st.integers(0, 2**62), st.integers(0, 2**58), DIVISORS)
def test_quotients(quotient: int, rest: int, divisor: int) -> None:
    """Of a product and a rest, by divisors of every size."""
    rest %= divisor
    quotient %= 2**116 // divisor
    number = quotient * divisor + rest
    assert divided(number >> 58, number % 2**58, divisor) == (quotient, rest)
    nearest = rounded(number >> 58, number % 2**58, divisor, 0)
    assert nearest == round(Fraction(number, divisor))
    half_up = rounded(number >> 58, number % 2**58, divisor, 1)
    assert half_up == (2 * number + divisor) // (2 * divisor)
