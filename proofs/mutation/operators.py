"""What a mistake in a kernel may look like: for a node of the syntax tree, the texts to put in its place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from formicary.factory.ledger import CreateAccountStatus, CreateTransferStatus

__all__ = ["replacements"]

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, ...]]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "+",
    ast.FloorDiv: "*",
    ast.BitOr: "&",
    ast.BitAnd: "|",
    ast.BitXor: "|",
    ast.LShift: ">>",
    ast.RShift: "<<",
    ast.Pow: "*",
}
_STATUSES: Final = {
    "Status": list(CreateTransferStatus.__members__),
    "Opening": list(CreateAccountStatus.__members__),
    "CreateTransferStatus": list(CreateTransferStatus.__members__),
}
# Names that a tired author takes for each other; each becomes the next of its group.
_GROUPS: Final = (
    ("LINKED", "PENDING", "IMPORTED"),
    ("POST", "VOID", "RESOLVES"),
    ("BALANCING_DEBIT", "BALANCING_CREDIT", "BALANCING"),
    ("CLOSING_DEBIT", "CLOSING_CREDIT", "CLOSING"),
    ("ACCOUNT_LINKED", "ACCOUNT_IMPORTED", "ACCOUNT_CLOSED"),
    ("DEBITS_FLOORED", "CREDITS_FLOORED"),
    ("HOLD_OPEN", "HOLD_POSTED", "HOLD_VOIDED", "HOLD_EXPIRED"),
    ("BY_ID", "BY_RESOLVED_HOLD"),
    ("RECENT", "OLDER", "FETCHED", "HELD"),
    ("min", "max"),
)
_FIELDS: Final = (
    ("debits_pending", "debits_posted", "credits_pending", "credits_posted"),
    ("debit_debits_pending", "debit_debits_posted", "debit_credits_pending", "debit_credits_posted"),
    ("credit_debits_pending", "credit_debits_posted", "credit_credits_pending", "credit_credits_posted"),
    ("debit", "credit"),
)


Place = ast.expr | ast.stmt
Text = Callable[[ast.AST], str]


def replacements(node: ast.AST, text: Text, known_names: frozenset[str]) -> Iterator[tuple[Place, str]]:
    """Yield pairs: a node, which is ``node`` or a child of it, and the source text to put in its place.

    ``text`` gives the source text of a node. ``known_names`` are those the module has: a name that
    it lacks would be no mistake to find.
    """
    match node:
        case ast.If(test=ast.Call() as test) | ast.While(test=ast.Call() as test):
            yield test, f"not {text(test)}"
        case ast.IfExp(test=ast.Call() as test):
            yield test, f"(not {text(test)})"
        case ast.BoolOp(op=operator, values=values):
            word = " or " if isinstance(operator, ast.And) else " and "
            yield node, "(" + word.join(f"({text(value)})" for value in values) + ")"
            yield from ((each, f"(not {text(each)})") for each in values if isinstance(each, ast.Call))
        case ast.stmt():
            yield from ((node, changed) for changed in _statements(node, text))
        case ast.expr():
            yield from ((node, changed) for changed in _expressions(node, text, known_names))


def _statements(node: ast.stmt, text: Text) -> Iterator[str]:
    match node:
        case ast.AugAssign(target=target, op=operator, value=value):
            yield f"{text(target)} {_ARITHMETIC[type(operator)]}= {text(value)}"
            yield "pass"
        case ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Subscript()]):
            yield "pass"
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"


def _expressions(node: ast.expr, text: Text, known_names: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            for symbol in _COMPARISONS.get(type(operator), ()):
                yield f"{text(left)} {symbol} {text(right)}"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({text(operand)})"
        case ast.BinOp(left=left, op=operator, right=right):
            # Parentheses keep the rest of the expression as it was.
            yield f"({_operand(left, text)} {_ARITHMETIC[type(operator)]} {_operand(right, text)})"
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value)):
            yield str(value + 1)
        case ast.Constant(value=str(value)):
            yield from (f'"{other}"' for other in _next_in(_FIELDS, value))
        case ast.Name(id=name, ctx=ast.Load()):
            yield from (other for other in _next_in(_GROUPS, name) if other in known_names | {"min", "max"})
        case ast.Attribute(value=ast.Name(id=owner), attr=status) if owner in _STATUSES:
            yield from (f"{owner}.{other}" for other in _next_in((_STATUSES[owner],), status))


def _operand(node: ast.expr, text: Text) -> str:
    nested = isinstance(node, ast.BinOp | ast.BoolOp | ast.IfExp)
    return f"({text(node)})" if nested else text(node)


def _next_in(groups: Sequence[Sequence[str]], name: str) -> Iterator[str]:
    for group in groups:
        if name in group:
            yield group[(group.index(name) + 1) % len(group)]
