"""Integer divisions, each named by its rounding, and splits that lose nothing.

Money is never divided by ``/``: a division either names where the rest goes or hands it out.
All functions take and return Python integers of any size, and have no float inside. The
rounding names follow IEEE 754-2019, section 4.3, and the General Decimal Arithmetic
specification ("half-up" there, and here, means half away from zero).

As in ``numerator // denominator`` the numerator comes first. A denominator of zero is a
``ProgrammingError``, as are no parts, a negative weight, and weights that sum to zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from formicary.base.errors import ProgrammingError

__all__ = [
    "allocate",
    "div_ceiling",
    "div_floor",
    "div_half_even",
    "div_half_up",
    "div_toward_zero",
    "split_even",
]


def div_floor(numerator: int, denominator: int, /) -> int:
    """Divide and round toward minus infinity: 7 / 2 is 3, -7 / 2 is -4."""
    _check_denominator(denominator)
    return numerator // denominator


def div_ceiling(numerator: int, denominator: int, /) -> int:
    """Divide and round toward plus infinity: 7 / 2 is 4, -7 / 2 is -3."""
    _check_denominator(denominator)
    return -(-numerator // denominator)


def div_toward_zero(numerator: int, denominator: int, /) -> int:
    """Divide and drop the rest: 7 / 2 is 3, -7 / 2 is -3."""
    return _mirrored(numerator, denominator, lambda quotient, _remainder, _divisor: quotient)


def div_half_up(numerator: int, denominator: int, /) -> int:
    """Divide and round to nearest, a half away from zero: 5 / 2 is 3, -5 / 2 is -3."""
    return _mirrored(
        numerator,
        denominator,
        lambda quotient, remainder, divisor: quotient + (2 * remainder >= divisor),
    )


def div_half_even(numerator: int, denominator: int, /) -> int:
    """Divide and round to nearest, a half to the even neighbour: 5 / 2 is 2, 7 / 2 is 4."""
    return _mirrored(
        numerator,
        denominator,
        # An odd quotient needs only half of the divisor to go up, an even one more than half.
        lambda quotient, remainder, divisor: quotient + (2 * remainder + quotient % 2 > divisor),
    )


def split_even(total: int, parts: int) -> list[int]:
    """Split ``total`` minor units into equal parts that sum to it exactly, the largest first.

    No two parts differ by more than one unit: 100 in 3 parts is 34, 33, 33. A negative total is
    the mirror image (-34, -33, -33), so a refund splits as its payment did.
    """
    if parts < 1:
        message = f"cannot split into {parts} parts"
        raise ProgrammingError(message)
    sign, size = _sign_and_size(total)
    each, rest = divmod(size, parts)
    return [sign * (each + (index < rest)) for index in range(parts)]


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Share out ``total`` minor units in proportion to ``weights``; the shares sum to it exactly.

    The largest-remainder method (Hamilton's): every share is rounded down, then the units left
    go one each to the shares that lost most, the earlier first among equals. A share is less
    than one unit from its exact value, a weight of zero gets nothing, and a negative total is
    the mirror image of the positive one.
    """
    weight_sum = sum(weights)
    if weight_sum <= 0 or min(weights) < 0:
        message = "weights must not be negative, and one must be more than zero"
        raise ProgrammingError(message)
    sign, size = _sign_and_size(total)
    shares, remainders = zip(*(divmod(size * weight, weight_sum) for weight in weights), strict=True)
    by_loss = sorted(range(len(weights)), key=lambda index: -remainders[index])
    favoured = set(by_loss[: size - sum(shares)])
    return [sign * (share + (index in favoured)) for index, share in enumerate(shares)]


def _mirrored(numerator: int, denominator: int, round_size: Callable[[int, int, int], int]) -> int:
    # Roundings that treat both signs alike are rules about sizes: (quotient, remainder, divisor).
    _check_denominator(denominator)
    sign, size = _sign_and_size(numerator)
    divisor_sign, divisor = _sign_and_size(denominator)
    return sign * divisor_sign * round_size(*divmod(size, divisor), divisor)


def _sign_and_size(value: int) -> tuple[int, int]:
    return (-1, -value) if value < 0 else (1, value)


def _check_denominator(denominator: int) -> None:
    if denominator == 0:
        message = "division by zero"
        raise ProgrammingError(message)
