"""Expressions over the fields of an event and over features, written with Python's operators.

::

    (PAYMENT["amount"] - value_of("payer_mean_7d")) / value_of("payer_std_7d")

Everything is computed in 64-bit floating point. A missing value is NaN and makes what is computed from it
missing; a division by zero is missing; comparisons give 1 or 0. Hours and weekdays are those of UTC,
shifted by an offset.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

from formicary.factory.features.errors import TypeMismatch

__all__ = [
    "Call",
    "Constant",
    "Expression",
    "FeatureValue",
    "Op",
    "hour",
    "if_missing",
    "is_missing",
    "larger",
    "log1p",
    "log_of",
    "magnitude",
    "smaller",
    "square_root",
    "value_of",
    "weekday",
]


class Op(IntEnum):
    """What the kernel's stack machine can do; a number never changes its meaning."""

    CONSTANT = 0
    FIELD = 1
    FIELD_REAL = 2
    FEATURE = 3
    HOUR = 4
    WEEKDAY = 5
    ADD = 10
    SUBTRACT = 11
    MULTIPLY = 12
    DIVIDE = 13
    NEGATE = 14
    LOG = 20
    LOG1P = 21
    SQUARE_ROOT = 22
    MAGNITUDE = 23
    SMALLER = 24
    LARGER = 25
    EQUAL = 30
    UNEQUAL = 31
    LESS = 32
    LESS_OR_EQUAL = 33
    AND = 40
    OR = 41
    NOT = 42
    IF_MISSING = 43
    IS_MISSING = 44


class Expression(ABC):
    """A number that is computed for each event."""

    def __add__(self, other: Expression | float) -> Call:
        return Call(Op.ADD, self, _expression(other))

    def __radd__(self, other: float) -> Call:
        return Call(Op.ADD, _expression(other), self)

    def __sub__(self, other: Expression | float) -> Call:
        return Call(Op.SUBTRACT, self, _expression(other))

    def __rsub__(self, other: float) -> Call:
        return Call(Op.SUBTRACT, _expression(other), self)

    def __mul__(self, other: Expression | float) -> Call:
        return Call(Op.MULTIPLY, self, _expression(other))

    def __rmul__(self, other: float) -> Call:
        return Call(Op.MULTIPLY, _expression(other), self)

    def __truediv__(self, other: Expression | float) -> Call:
        return Call(Op.DIVIDE, self, _expression(other))

    def __rtruediv__(self, other: float) -> Call:
        return Call(Op.DIVIDE, _expression(other), self)

    def __neg__(self) -> Call:
        return Call(Op.NEGATE, self)

    def __eq__(self, other: object) -> Any:
        """Return whether both are equal, as an expression."""
        return Call(Op.EQUAL, self, _expression(other))

    def __ne__(self, other: object) -> Any:
        """Return whether both differ, as an expression."""
        return Call(Op.UNEQUAL, self, _expression(other))

    def __lt__(self, other: Expression | float) -> Call:
        return Call(Op.LESS, self, _expression(other))

    def __le__(self, other: Expression | float) -> Call:
        return Call(Op.LESS_OR_EQUAL, self, _expression(other))

    def __gt__(self, other: Expression | float) -> Call:
        return Call(Op.LESS, _expression(other), self)

    def __ge__(self, other: Expression | float) -> Call:
        return Call(Op.LESS_OR_EQUAL, _expression(other), self)

    def __and__(self, other: Expression) -> Call:
        return Call(Op.AND, self, other)

    def __or__(self, other: Expression) -> Call:
        return Call(Op.OR, self, other)

    def __invert__(self) -> Call:
        return Call(Op.NOT, self)

    # An expression is not equal to another one in the sense of Python, so it is found by identity.
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        """Refuse to be a condition of Python's: ``and``, ``or`` and ``if`` would drop half of it."""
        message = "combine expressions with &, | and ~"
        raise TypeMismatch(message)

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What it is computed from."""
        return ()

    @abstractmethod
    def canonical(self) -> str:
        """Return what it means, as text: equal texts mean the same."""

    def walk(self) -> Iterator[Expression]:
        """Go through all of it, parts before what is made of them."""
        for part in self.parts:
            yield from part.walk()
        yield self


class Constant(Expression):
    """A fixed number."""

    def __init__(self, value: float) -> None:
        self.value = float(value)

    def canonical(self) -> str:
        """Return the number's shortest exact text."""
        return repr(self.value)


class FeatureValue(Expression):
    """Another feature, by name; it may be defined later."""

    def __init__(self, name: str) -> None:
        self.name = name

    def canonical(self) -> str:
        """Return the name, marked as a feature's."""
        return f"feature({self.name})"


class Call(Expression):
    """An operation of others; ``argument`` is a number of the operation's own."""

    def __init__(self, op: Op, *parts: Expression, argument: int = 0) -> None:
        self.op = op
        self._parts = parts
        self.argument = argument

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The operands, in their order."""
        return self._parts

    def canonical(self) -> str:
        """Return it in the form of a call."""
        inside = ", ".join(part.canonical() for part in self._parts)
        return f"{self.op.name.lower()}({inside}{f'; {self.argument}' if self.argument else ''})"


def value_of(name: str) -> FeatureValue:
    """Return another feature of the same set, by its name."""
    return FeatureValue(name)


def hour(*, offset_minutes: int = 0) -> Call:
    """Return the hour of the event, 0 to 23, where clocks are ``offset_minutes`` ahead of UTC."""
    return Call(Op.HOUR, argument=offset_minutes)


def weekday(*, offset_minutes: int = 0) -> Call:
    """Return the event's weekday, 0 for Monday to 6, where clocks are ``offset_minutes`` ahead of UTC."""
    return Call(Op.WEEKDAY, argument=offset_minutes)


def log_of(inner: Expression) -> Call:
    """Return the natural logarithm; missing unless the number is positive."""
    return Call(Op.LOG, inner)


def log1p(inner: Expression) -> Call:
    """Return the natural logarithm of one more than the number; missing unless that is positive."""
    return Call(Op.LOG1P, inner)


def square_root(inner: Expression) -> Call:
    """Return the square root; missing below zero."""
    return Call(Op.SQUARE_ROOT, inner)


def magnitude(inner: Expression) -> Call:
    """Return the absolute value."""
    return Call(Op.MAGNITUDE, inner)


def smaller(left: Expression, right: Expression | float) -> Call:
    """Return the smaller of two numbers; missing if either is."""
    return Call(Op.SMALLER, left, _expression(right))


def larger(left: Expression, right: Expression | float) -> Call:
    """Return the larger of two numbers; missing if either is."""
    return Call(Op.LARGER, left, _expression(right))


def if_missing(inner: Expression, otherwise: Expression | float) -> Call:
    """Return the number, or another one where it is missing."""
    return Call(Op.IF_MISSING, inner, _expression(otherwise))


def is_missing(inner: Expression) -> Call:
    """Return 1 where the number is missing, else 0."""
    return Call(Op.IS_MISSING, inner)


_OPERANDS_KNOWN: Final = (int, float)


def _expression(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, _OPERANDS_KNOWN):
        message = f"{value!r} is neither a number nor an expression"
        raise TypeMismatch(message)
    return Constant(value)
