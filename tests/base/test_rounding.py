"""Roundings against exact fractions and the decimal module, splits by their sums."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import (
    allocate,
    div_ceiling,
    div_floor,
    div_half_even,
    div_half_up,
    div_toward_zero,
    split_even,
)

INTEGERS = st.integers(-(2**80), 2**80)
# Small ones make halves, the interesting case, likely.
NUMERATORS = st.integers(-40, 40) | INTEGERS
DENOMINATORS = NUMERATORS.filter(bool)
WEIGHTS = st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any)
Division = Callable[[int, int], int]
DIVISIONS: list[Division] = [div_floor, div_ceiling, div_toward_zero, div_half_up, div_half_even]


@pytest.mark.parametrize(
    ("divide", "expected"),
    [
        (div_floor, [-3, -2, -2, -1, 0, 0, 1, 1, 2]),
        (div_ceiling, [-2, -2, -1, 0, 0, 1, 1, 2, 2]),
        (div_toward_zero, [-2, -2, -1, 0, 0, 0, 1, 1, 2]),
        (div_half_up, [-3, -2, -2, -1, 0, 1, 1, 2, 2]),
        (div_half_even, [-2, -2, -2, 0, 0, 0, 1, 2, 2]),
    ],
)
def test_halves(divide: Division, expected: list[int]) -> None:
    """Each rounding treats halves of both signs as its name says."""
    assert [divide(numerator, 2) for numerator in (-5, -4, -3, -1, 0, 1, 2, 3, 4)] == expected


@given(NUMERATORS, DENOMINATORS)
def test_directed_roundings_agree_with_fractions(numerator: int, denominator: int) -> None:
    """Floor, ceiling and toward zero are those of the exact quotient."""
    quotient = Fraction(numerator, denominator)
    assert div_floor(numerator, denominator) == math.floor(quotient)
    assert div_ceiling(numerator, denominator) == math.ceil(quotient)
    assert div_toward_zero(numerator, denominator) == math.trunc(quotient)


@given(NUMERATORS, DENOMINATORS)
def test_half_even_agrees_with_fractions(numerator: int, denominator: int) -> None:
    """Half-even is the rounding of Python's exact fractions."""
    assert div_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(NUMERATORS, st.sampled_from([2, 4, 5, 8, 10, 1_000]))
def test_half_up_agrees_with_decimal(numerator: int, denominator: int) -> None:
    """Half-up is the decimal module's, which implements the specification."""
    with decimal.localcontext(prec=60):
        exact = Decimal(numerator) / Decimal(denominator)
        expected = int(exact.to_integral_value(decimal.ROUND_HALF_UP))
    assert div_half_up(numerator, denominator) == expected


@given(NUMERATORS, DENOMINATORS)
def test_two_minus_signs_cancel(numerator: int, denominator: int) -> None:
    """Changing both signs changes nothing."""
    for divide in DIVISIONS:
        assert divide(-numerator, -denominator) == divide(numerator, denominator)


@pytest.mark.parametrize("divide", DIVISIONS)
def test_division_by_zero_is_a_bug(divide: Division) -> None:
    """No rounding divides by zero."""
    with pytest.raises(ProgrammingError, match="division by zero"):
        divide(1, 0)


def test_split_even_examples() -> None:
    """The largest parts come first, and a refund splits as its payment did."""
    assert split_even(100, 3) == [34, 33, 33]
    assert split_even(-100, 3) == [-34, -33, -33]
    assert split_even(1, 3) == [1, 0, 0]
    assert split_even(0, 2) == [0, 0]


@given(INTEGERS, st.integers(1, 50))
def test_split_even_loses_nothing(total: int, parts: int) -> None:
    """The parts sum to the total, differ by at most one unit and fall in size."""
    split = split_even(total, parts)
    assert (sum(split), len(split)) == (total, parts)
    assert max(split) - min(split) <= 1
    assert split == sorted(split, key=abs, reverse=True)
    assert split_even(-total, parts) == [-part for part in split]


@pytest.mark.parametrize("parts", [0, -1])
def test_split_into_nothing_is_a_bug(parts: int) -> None:
    """A total cannot go into no parts."""
    with pytest.raises(ProgrammingError, match="cannot split into"):
        split_even(100, parts)


def test_allocate_examples() -> None:
    """Units left go to the shares that lost most, the earlier first among equals."""
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [5, 3, 1]) == [6, 3, 1]
    assert allocate(-10, [5, 3, 1]) == [-6, -3, -1]
    assert allocate(5, [0, 1, 0]) == [0, 5, 0]
    assert allocate(1, [1, 3]) == [0, 1]


@given(INTEGERS, WEIGHTS)
def test_allocate_loses_nothing(total: int, weights: list[int]) -> None:
    """The shares sum to the total, and each is less than a unit from its exact value."""
    shares = allocate(total, weights)
    assert sum(shares) == total
    assert allocate(-total, weights) == [-share for share in shares]
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1
        assert weight or share == 0


@given(INTEGERS, st.integers(1, 20))
def test_allocate_of_equal_weights_is_split_even(total: int, parts: int) -> None:
    """With equal weights both ways to share out agree."""
    assert allocate(total, [7] * parts) == split_even(total, parts)


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1], [-1]])
def test_allocate_by_bad_weights_is_a_bug(weights: list[int]) -> None:
    """Weights are not negative, and one is more than zero."""
    with pytest.raises(ProgrammingError, match="weights must not be negative"):
        allocate(100, weights)
