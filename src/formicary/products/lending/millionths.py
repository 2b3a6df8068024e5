"""Shares of columns of amounts in millionths, exactly: words of 64 bits, each division named by its rounding.

Amounts are minor units from 0 to ``LENDING_AMOUNT_MAX``, shares millionths of the whole. An amount times a
share then fits a word; what needs two shares at once is divided in two steps that lose nothing. The names of
roundings are those of ``formicary.base.rounding``.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.products.lending.limits import LENDING_AMOUNT_MAX

__all__ = [
    "MILLION",
    "UNTOLD",
    "Words",
    "checked_amounts",
    "checked_shares",
    "millionths_of",
    "part_floor",
    "part_half_even",
    "part_of_part_half_even",
    "quotient_ceiling",
    "quotient_half_even",
]

Words: TypeAlias = npt.NDArray[np.int64]

MILLION: Final = 1_000_000
"""Millionths of a whole."""

UNTOLD: Final = -1
"""Stands for a chance that nobody told."""


def millionths_of(chances: npt.ArrayLike) -> Words:
    """Return chances (n,) in millionths, a half to the even neighbour; ``UNTOLD`` where one is NaN.

    What is recorded and priced is the integer, so that nothing depends on the last bits of a score.
    """
    given = np.asarray(chances, np.float64)
    is_told = ~np.isnan(given)
    if not ((given[is_told] >= 0) & (given[is_told] <= 1)).all():
        message = "a chance is below 0 or above 1"
        raise ProgrammingError(message)
    return np.where(is_told, np.rint(np.where(is_told, given, 0.0) * MILLION), UNTOLD).astype(np.int64)


def checked_amounts(amounts: npt.ArrayLike) -> Words:
    """Return amounts (n,) as words, each from 0 to ``LENDING_AMOUNT_MAX`` minor units.

    Raises
    ------
    ProgrammingError
        They are no whole numbers in one dimension, or one is out of range.
    """
    return _checked(amounts, LENDING_AMOUNT_MAX, "an amount in minor units")


def checked_shares(shares: npt.ArrayLike) -> Words:
    """Return shares (n,) as words, each from 0 to 1,000,000 millionths; refuse others alike."""
    return _checked(shares, MILLION, "a share in millionths")


def quotient_half_even(numerators: Words, denominators: Words | int) -> Words:
    """Return quotients (n,) rounded to nearest, a half to the even neighbour; denominators are above zero."""
    quotients = numerators // denominators
    twice = 2 * (numerators - quotients * denominators)
    is_up = (twice > denominators) | ((twice == denominators) & (quotients % 2 == 1))
    return np.asarray(quotients + is_up, np.int64)


def quotient_ceiling(numerators: Words, denominators: Words | int) -> Words:
    """Return quotients (n,) rounded toward plus infinity; denominators are above zero."""
    return -(-numerators // denominators)


def part_floor(amounts: Words, shares: Words | int) -> Words:
    """Return shares of amounts (n,), rounded down."""
    return amounts * shares // MILLION


def part_half_even(amounts: Words, shares: Words | int) -> Words:
    """Return shares of amounts (n,), a half to the even neighbour."""
    return quotient_half_even(amounts * shares, MILLION)


def part_of_part_half_even(amounts: Words, first: Words | int, second: Words | int) -> Words:
    """Return a share of a share of amounts (n,), rounded once, a half to the even neighbour.

    ``amount * first * second`` has up to 80 bits. With ``first * second = high * 10**6 + low`` it is
    ``(amount * high) * 10**6 + amount * low``, and what is left of the second part in units of 10**-12 joins
    the rest of the division that follows.
    """
    high, low = np.divmod(np.asarray(first, np.int64) * second, MILLION)
    carried, finest = np.divmod(amounts * low, MILLION)
    quotients, rest = np.divmod(amounts * high + carried, MILLION)
    twice = 2 * (rest * MILLION + finest)
    whole = MILLION * MILLION
    is_up = (twice > whole) | ((twice == whole) & (quotients % 2 == 1))
    return np.asarray(quotients + is_up, np.int64)


def _checked(numbers: npt.ArrayLike, most: int, what: str) -> Words:
    given = np.asarray(numbers)
    if given.ndim != 1 or not (given.dtype.kind in "iu" or given.size == 0):
        message = f"{what} is a whole number in a column, not {given.dtype} in {given.ndim} dimensions"
        raise ProgrammingError(message)
    if given.size and not (int(given.min()) >= 0 and int(given.max()) <= most):
        message = f"{what} lies from 0 to {most:,}, not {int(given.min()):,} to {int(given.max()):,}"
        raise ProgrammingError(message)
    return given.astype(np.int64)
