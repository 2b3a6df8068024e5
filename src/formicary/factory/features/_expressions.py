"""The stack machine that computes conditions and derived features."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from formicary.base.kernels import fixed, kernel_part
from formicary.factory.features._layout import Events, Reals, Words
from formicary.factory.features.expressions import Op

__all__ = ["STACK_MAX", "compute"]

STACK_MAX: Final = 32
"""Numbers on the stack at most: an expression that needs more is no sentence."""

_DAY: Final = 86_400_000_000_000
_HOUR: Final = 3_600_000_000_000
_MINUTE: Final = 60_000_000_000
# The first day of 1970 was a Thursday.
_THURSDAY: Final = 3
_DAYS_PER_WEEK: Final = 7

# Kernels see operations as plain integers.
CONSTANT: Final = int(Op.CONSTANT)
FIELD: Final = int(Op.FIELD)
FIELD_REAL: Final = int(Op.FIELD_REAL)
FEATURE: Final = int(Op.FEATURE)
HOUR: Final = int(Op.HOUR)
WEEKDAY: Final = int(Op.WEEKDAY)
NEGATE: Final = int(Op.NEGATE)
LOG: Final = int(Op.LOG)
LOG1P: Final = int(Op.LOG1P)
SQUARE_ROOT: Final = int(Op.SQUARE_ROOT)
MAGNITUDE: Final = int(Op.MAGNITUDE)
NOT: Final = int(Op.NOT)
IS_MISSING: Final = int(Op.IS_MISSING)
ADD: Final = int(Op.ADD)
SUBTRACT: Final = int(Op.SUBTRACT)
MULTIPLY: Final = int(Op.MULTIPLY)
DIVIDE: Final = int(Op.DIVIDE)
SMALLER: Final = int(Op.SMALLER)
LARGER: Final = int(Op.LARGER)
EQUAL: Final = int(Op.EQUAL)
UNEQUAL: Final = int(Op.UNEQUAL)
LESS: Final = int(Op.LESS)
LESS_OR_EQUAL: Final = int(Op.LESS_OR_EQUAL)
AND: Final = int(Op.AND)
OR: Final = int(Op.OR)
IF_MISSING: Final = int(Op.IF_MISSING)


@kernel_part
def compute(
    code: Words,
    constants: Reals,
    first: int,
    end: int,
    events: Events,
    item: int,
    features: Reals,
    stack: Reals,
) -> Any:
    """Return what the operations ``code[first:end]`` give for an event, NaN for a missing value."""
    depth = 0
    for step in range(first, end):
        op = fixed(code, step, 0)
        argument = fixed(code, step, 1)
        if op <= WEEKDAY:
            stack[depth] = _load(op, argument, constants, events, item, features)
            depth += 1
        elif op in (NEGATE, LOG, LOG1P, SQUARE_ROOT, MAGNITUDE, NOT, IS_MISSING):
            stack[depth - 1] = _of_one(op, stack[depth - 1])
        else:
            depth -= 1
            stack[depth - 1] = _of_two(op, stack[depth - 1], stack[depth])
    return stack[0]


@kernel_part
def _load(op: Any, argument: Any, constants: Reals, events: Events, item: int, features: Reals) -> Any:
    if op == CONSTANT:
        return fixed(constants, 0, argument)
    if op == FIELD:
        return np.float64(events.numbers[item, argument])
    if op == FIELD_REAL:
        return events.numbers[item, argument : argument + 1].view(np.float64)[0]
    if op == FEATURE:
        return features[argument]
    shifted = events.at[item] + argument * _MINUTE
    if op == HOUR:
        return np.float64((shifted % _DAY) // _HOUR)
    return np.float64((shifted // _DAY + _THURSDAY) % _DAYS_PER_WEEK)


@kernel_part
def _of_one(op: Any, value: Any) -> Any:
    if op == IS_MISSING:
        return 1.0 if value != value else 0.0  # noqa: PLR0124, what is not itself is NaN
    if value != value:  # noqa: PLR0124, as above
        return value
    if op == NEGATE:
        return -value
    if op == MAGNITUDE:
        return abs(value)
    if op == NOT:
        return 1.0 if value == 0.0 else 0.0
    if op == LOG:
        return math.log(value) if value > 0.0 else math.nan
    if op == LOG1P:
        return math.log1p(value) if value > -1.0 else math.nan
    return math.sqrt(value) if value >= 0.0 else math.nan


@kernel_part
def _of_two(op: Any, left: Any, right: Any) -> Any:
    if op == IF_MISSING:
        return right if left != left else left  # noqa: PLR0124, what is not itself is NaN
    if left != left or right != right:  # noqa: PLR0124, as above
        return math.nan
    if op == ADD:
        return left + right
    if op == SUBTRACT:
        return left - right
    if op == MULTIPLY:
        return left * right
    if op == DIVIDE:
        return left / right if right != 0.0 else math.nan
    if op == SMALLER:
        return min(left, right)
    if op == LARGER:
        return max(left, right)
    return 1.0 if _holds(op, left, right) else 0.0


@kernel_part
def _holds(op: Any, left: Any, right: Any) -> bool:
    if op == EQUAL:
        return bool(left == right)
    if op == UNEQUAL:
        return bool(left != right)
    if op == LESS:
        return bool(left < right)
    if op == LESS_OR_EQUAL:
        return bool(left <= right)
    if op == AND:
        return bool(left != 0.0 and right != 0.0)
    return bool(left != 0.0 or right != 0.0)
