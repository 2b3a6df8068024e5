"""The language of conditions: Python's operators over fields, features and scores; read, never evaluated.

::

    amount > 3 * otherwise(payer_mean_7d, 0) and payee not in known_payees
    score.fraud >= percent(80) or payer_mean_7d is missing
    0 <= hour(at, 420) < 6

A condition becomes a tree of ``Term``; what its names mean shows when it is compiled for a decision point.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from formicary.base.limits import RULE_CHARACTERS_MAX, RULE_DEPTH_MAX
from formicary.factory.decisions.errors import ExpressionMalformed, ExpressionTooLarge

__all__ = ["FUNCTIONS", "UNITS", "Term", "parse_expression"]

UNITS: Final = {"seconds": 1.0, "minutes": 60.0, "hours": 3_600.0, "days": 86_400.0, "percent": 0.01}
"""Functions of one plain number; spans are in seconds, as features tell them."""

FUNCTIONS: Final = {
    "absent": 1,
    "missing": 1,
    "otherwise": 2,
    "magnitude": 1,
    "smaller": 2,
    "larger": 2,
    "hour": 2,
    "weekday": 2,
    "id": 1,
}
"""The other functions, and how many arguments each takes."""

_SPACES: Final = str.maketrans("\r\n\t", "   ")
_NUMBER_MAX: Final = 2**53
_TRUTHS: Final = {"true": 1.0, "false": 0.0}
_BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}
_COMPARED: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "equal",
    ast.NotEq: "unequal",
    ast.Lt: "less",
    ast.LtE: "less_or_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_or_equal",
    ast.In: "in",
}


@dataclass(frozen=True)
class Term:
    """A part of a condition.

    Attributes
    ----------
    head
        ``number``, ``truth``, ``text``, ``name``, ``score``, an operator in words or a function.
    parts
        What it is made of.
    value
        The number of ``number`` and ``truth``.
    name
        The text, or the name.
    offset
        Where it begins in the text.
    """

    head: str
    parts: tuple[Term, ...] = ()
    value: float = 0.0
    name: str = ""
    offset: int = field(default=0, compare=False)

    def canonical(self) -> str:
        """Return what it means, as text: equal texts mean the same."""
        if self.head in ("number", "truth"):
            return repr(self.value) if self.head == "number" else ("true" if self.value else "false")
        if self.head == "text":
            return repr(self.name)
        if self.head == "name":
            return self.name
        if self.head == "score":
            return f"score.{self.name}"
        return f"{self.head}({', '.join(part.canonical() for part in self.parts)})"


def parse_expression(text: str) -> Term:
    """Return the tree of a condition.

    Raises
    ------
    ExpressionMalformed
        It is no expression, or has a part that the language does not have.
    ExpressionTooLarge
        It is too long or too deep.
    """
    if len(text) > RULE_CHARACTERS_MAX:
        message = f"it has {len(text)} characters, more than {RULE_CHARACTERS_MAX}"
        raise ExpressionTooLarge(message, column=1)
    # A line may end wherever a space may stand; offsets stay those of the text.
    flat = text.translate(_SPACES).lstrip()
    shift = len(text) - len(flat)
    try:
        with warnings.catch_warnings():
            # A number that runs into a word is only a warning of Python's.
            warnings.simplefilter("error")
            parsed = ast.parse(flat, mode="eval")
    except SyntaxError as error:
        column = max(error.offset or 1, 1) + shift
        message = f"it is no expression: {error.msg}"
        raise ExpressionMalformed(message, column=column) from None
    except (ValueError, RecursionError, MemoryError):
        message = "it is no expression that can be read"
        raise ExpressionMalformed(message, column=1) from None
    return _Reading(flat, shift).term(parsed.body, 1)


@dataclass(frozen=True)
class _Reading:
    """One expression while it is read: ``shift`` characters were cut off at its beginning."""

    text: str
    shift: int

    def term(self, node: ast.expr, depth: int) -> Term:
        """Return the term of a node of Python's."""
        if depth > RULE_DEPTH_MAX:
            message = f"it nests deeper than {RULE_DEPTH_MAX} operations"
            raise ExpressionTooLarge(message, column=self._offset(node) + 1)
        readers: dict[type[ast.expr], Callable[[Any, int], Term]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._score,
            ast.Call: self._call,
            ast.BoolOp: self._joined,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.Compare: self._compared,
        }
        read = readers.get(type(node))
        if read is None:
            self._refuse(node, f"{type(node).__name__} is no part of the language of rules")
        return read(node, depth)

    def _constant(self, node: ast.Constant, _: int) -> Term:
        value = node.value
        offset = self._offset(node)
        if isinstance(value, str) and value:
            return Term("text", name=value, offset=offset)
        if not isinstance(value, int | float) or not abs(value) <= _NUMBER_MAX:
            self._refuse(node, "a constant is a number of at most 2**53, or a text")
        head = "truth" if isinstance(value, bool) else "number"
        return Term(head, value=float(value), offset=offset)

    def _name(self, node: ast.Name, _: int) -> Term:
        if node.id in _TRUTHS:
            return Term("truth", value=_TRUTHS[node.id], offset=self._offset(node))
        return Term("name", name=node.id, offset=self._offset(node))

    def _score(self, node: ast.Attribute, _: int) -> Term:
        if not isinstance(node.value, ast.Name) or node.value.id != "score":
            self._refuse(node, "only a score is read with a point: score.NAME")
        return Term("score", name=node.attr, offset=self._offset(node))

    def _call(self, node: ast.Call, depth: int) -> Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        expected = 1 if name in UNITS else FUNCTIONS.get(name, 0)
        if not expected:
            self._refuse(node, f"there are only the functions {', '.join(sorted({*UNITS, *FUNCTIONS}))}")
        if node.keywords or len(node.args) != expected:
            self._refuse(node, f"{name} takes {expected} argument{'s' * (expected > 1)}, without names")
        parts = tuple(self.term(part, depth + 1) for part in node.args)
        if name not in UNITS:
            return Term(name, parts, offset=self._offset(node))
        if parts[0].head != "number":
            self._refuse(node, f"{name} takes a plain number")
        return Term("number", value=parts[0].value * UNITS[name], offset=self._offset(node))

    def _joined(self, node: ast.BoolOp, depth: int) -> Term:
        head = "and" if isinstance(node.op, ast.And) else "or"
        return self._chain(node, head, [self.term(part, depth + 1) for part in node.values])

    def _unary(self, node: ast.UnaryOp, depth: int) -> Term:
        inner = self.term(node.operand, depth + 1)
        if isinstance(node.op, ast.Not):
            return Term("not", (inner,), offset=self._offset(node))
        if not isinstance(node.op, ast.USub):
            self._refuse(node, "the only signs are - and not")
        if inner.head == "number":
            return Term("number", value=-inner.value, offset=self._offset(node))
        return Term("negate", (inner,), offset=self._offset(node))

    def _binary(self, node: ast.BinOp, depth: int) -> Term:
        head = _BINARY.get(type(node.op))
        if head is None:
            self._refuse(node, "the operators of numbers are +, -, * and /")
        parts = (self.term(node.left, depth + 1), self.term(node.right, depth + 1))
        return Term(head, parts, offset=self._offset(node))

    def _compared(self, node: ast.Compare, depth: int) -> Term:
        return self._chain(node, "and", list(self._links(node, depth)))

    def _links(self, node: ast.Compare, depth: int) -> Iterator[Term]:
        """Yield the comparisons of a chain: ``a < b < c`` is ``a < b and b < c``."""
        left = self.term(node.left, depth + 1)
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            right = self.term(operand, depth + 1)
            if isinstance(operator, ast.Is | ast.IsNot):
                if right.head != "name" or right.name not in ("missing", "absent"):
                    self._refuse(operand, "write: is missing, is absent")
                made = Term(right.name, (left,), offset=left.offset)
            else:
                head = "in" if isinstance(operator, ast.NotIn) else _COMPARED[type(operator)]
                made = Term(head, (left, right), offset=left.offset)
            if isinstance(operator, ast.IsNot | ast.NotIn):
                made = Term("not", (made,), offset=left.offset)
            yield made
            left = right

    def _chain(self, node: ast.expr, head: str, terms: list[Term]) -> Term:
        """Join terms pairwise, in halves: a long chain is no deep one."""
        if len(terms) == 1:
            return terms[0]
        half = len(terms) // 2
        halves = (self._chain(node, head, terms[:half]), self._chain(node, head, terms[half:]))
        return Term(head, halves, offset=self._offset(node))

    def _offset(self, node: ast.expr) -> int:
        # Python counts bytes.
        return len(self.text.encode()[: node.col_offset].decode()) + self.shift

    def _refuse(self, node: ast.expr, message: str) -> NoReturn:
        raise ExpressionMalformed(message, column=self._offset(node) + 1)
