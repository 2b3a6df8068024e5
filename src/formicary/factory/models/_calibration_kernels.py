"""From raw scores to chances, with the same bits on every machine.

The exponential function of a C library differs in its last bit from one library to the next. Ours is made of
additions and multiplications alone, which the standard of floating-point numbers fixes to the bit: a decision
that compares a chance with a limit is then the same wherever it is replayed.

exp(x) = 2^k exp(r) with k the whole number nearest to x / ln 2, and exp(r), |r| <= ln 2 / 2, by its Taylor
series to the thirteenth power: what is left out is under 2^-56 of it.
"""

from __future__ import annotations

import math
from typing import Any, Final

from formicary.base.kernels import kernel, kernel_part

__all__ = ["ISOTONIC", "NEAREST", "calibrate", "chance_of"]

ISOTONIC: Final = 1
NEAREST: Final = 1e-12
"""Nothing is certain: the nearest a chance comes to 0 and to 1."""

_PER_LN_2: Final = 1.4426950408889634
# ln 2 in two parts, of which the first has zeros at its end: its products with small integers are exact.
_LN_2_HIGH: Final = 6.93147180369123816490e-01
_LN_2_LOW: Final = 1.90821492927058770002e-10
_LARGEST: Final = 708.0


@kernel_part
def _exp(x: float) -> float:
    bounded = min(max(x, -_LARGEST), _LARGEST)
    halves = math.floor(bounded * _PER_LN_2 + 0.5)
    rest = (bounded - halves * _LN_2_HIGH) - halves * _LN_2_LOW
    series = 1.0
    for power in range(13, 0, -1):
        series = 1.0 + series * rest / power
    return math.ldexp(series, int(halves))


@kernel_part
def chance_of(kind: Any, slope: Any, intercept: Any, knots: Any, chances: Any, count: Any, raw: Any) -> Any:
    """Return the chance of a raw score, NaN for NaN; ``knots`` and ``chances``, (count,), are isotonic."""
    if raw != raw:  # noqa: PLR0124, what is not itself is NaN
        return math.nan
    if kind == ISOTONIC:
        chance = _interpolated(knots, chances, count, raw)
    elif slope == 0.0:
        # An infinite score times nothing would be no number.
        chance = 1.0 / (1.0 + _exp(-intercept))
    else:
        chance = 1.0 / (1.0 + _exp(-(raw * slope + intercept)))
    return min(max(chance, NEAREST), 1.0 - NEAREST)


@kernel_part
def _interpolated(knots: Any, chances: Any, count: Any, raw: Any) -> Any:
    """Return what lies between the knots on both sides of a score, level outside them."""
    if count == 1 or raw <= knots[0]:
        return chances[0]
    if raw >= knots[count - 1]:
        return chances[count - 1]
    left, right = 0, count - 1
    while right - left > 1:
        middle = (left + right) >> 1
        if knots[middle] <= raw:
            left = middle
        else:
            right = middle
    share = (raw - knots[left]) / (knots[right] - knots[left])
    # Rounding must not lift a value over the next knot's.
    return min(chances[left] + (chances[right] - chances[left]) * share, chances[right])


@kernel
def calibrate(kind: int, slope: float, intercept: float, knots: Any, chances: Any, raw: Any) -> None:
    """Replace raw scores, (n,), by their chances."""
    for row in range(len(raw)):
        raw[row] = chance_of(kind, slope, intercept, knots, chances, len(knots), raw[row])
