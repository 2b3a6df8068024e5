"""Shares of columns are those of Python's fractions, to the unit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import div_ceiling, div_floor, div_half_even
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import (
    MILLION,
    UNTOLD,
    checked_amounts,
    checked_shares,
    millionths_of,
    part_floor,
    part_half_even,
    part_of_part_half_even,
    quotient_ceiling,
    quotient_half_even,
)

amounts = st.integers(0, LENDING_AMOUNT_MAX)
shares = st.integers(0, MILLION)


def column(number: int) -> np.ndarray:
    """Return a column of one number."""
    return np.array([number], np.int64)


@settings(max_examples=60)
@given(amounts, shares, shares)
@example(LENDING_AMOUNT_MAX, MILLION, MILLION)
@example(1, 500_000, MILLION)
@example(3, 500_000, MILLION)
@example(2_000_000, 1, 250_000)
@example(6_000_000, 1, 250_000)
def test_parts_are_exact(amount: int, first: int, second: int) -> None:
    """Also where the product takes eighty bits, and at exact halves."""
    given_ = column(amount)
    assert part_floor(given_, first)[0] == div_floor(amount * first, MILLION)
    assert part_half_even(given_, column(first))[0] == div_half_even(amount * first, MILLION)
    assert part_of_part_half_even(given_, column(first), column(second))[0] == round(
        Fraction(amount * first * second, MILLION**2)
    )


@settings(max_examples=40)
@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_quotients_are_those_of_integers(numerator: int, denominator: int) -> None:
    """Of either sign, as the named roundings of the base have it."""
    assert quotient_half_even(column(numerator), column(denominator))[0] == div_half_even(
        numerator, denominator
    )
    assert quotient_ceiling(column(numerator), denominator)[0] == div_ceiling(numerator, denominator)


def test_chances_become_millionths() -> None:
    """What was not told stays untold, and never becomes a chance of nothing."""
    told = millionths_of([0.0, 1.0, 0.0123456, np.nan])
    assert told.tolist() == [0, MILLION, 12_346, UNTOLD]
    for wrong in (-0.1, 1.1):
        with pytest.raises(ProgrammingError, match="below 0 or above 1"):
            millionths_of([wrong])


@pytest.mark.parametrize(
    "wrong", [[-1], [LENDING_AMOUNT_MAX + 1], [1.5], [[1]], np.array([2**63], np.uint64)], ids=str
)
def test_what_is_no_amount_is_refused(wrong: Any) -> None:
    """A product of it with a share would wrap around in silence."""
    with pytest.raises(ProgrammingError, match="an amount in minor units"):
        checked_amounts(wrong)


def test_what_is_no_share_is_refused() -> None:
    """And an empty column is one."""
    with pytest.raises(ProgrammingError, match="a share in millionths"):
        checked_shares([MILLION + 1])
    assert checked_shares([]).dtype == np.int64
