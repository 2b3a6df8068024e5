"""What a condition says, by plain Python over its own syntax tree: None is a value that is not there."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from formicary.factory.decisions.rule_sets import text_id

Value = float | bool | None

ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right if right else math.nan,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}
UNITS = {"minutes": 60, "hours": 3600, "days": 86400, "seconds": 1}


class Oracle:
    """One item, and the lists: for each the time from which an id is no member any more."""

    def __init__(self, item: Mapping[str, float | None], lists: Mapping[str, Mapping[int, float]]) -> None:
        self.item = item
        self.lists = lists

    def verdict(self, when: str) -> int:
        """Return 0, 1 or 2."""
        said = self.value(ast.parse(when, mode="eval").body)
        return 2 if said is None else int(said)

    def value(self, node: ast.expr) -> Any:
        """Return what a part is; a number that is none is not there."""
        found = self._value(node)
        return None if isinstance(found, float) and math.isnan(found) else found

    def _value(self, node: ast.expr) -> Any:  # noqa: C901, PLR0911, one branch for each kind of node
        match node:
            case ast.Constant(value=str(text)):
                return text_id(text)
            case ast.Constant(value=value):
                return value
            case ast.Name(id="true" | "false" as name):
                return name == "true"
            case ast.Name(id=name):
                return self.item.get(name)
            case ast.Attribute(attr=name):
                return self.item.get(f"score.{name}")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.value(operand)
                return None if inner is None else not inner
            case ast.UnaryOp(operand=operand):
                inner = self.value(operand)
                return None if inner is None else -inner
            case ast.BinOp(left=left, op=op, right=right):
                return both(ARITHMETIC[type(op)], self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=values):
                return joined([self.value(part) for part in values], ends_it=isinstance(op, ast.Or))
            case ast.Compare(left=left, ops=ops, comparators=others):
                chain = [left, *others]
                links = [self._link(*link) for link in zip(chain, ops, others, strict=False)]
                return joined(links, ends_it=False)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
        raise AssertionError(ast.dump(node))

    def _link(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
        if isinstance(op, ast.Is | ast.IsNot):
            return (self.value(left) is None) == isinstance(op, ast.Is)
        if isinstance(op, ast.In | ast.NotIn):
            assert isinstance(right, ast.Name)
            one = self.value(left)
            at = self.item["at"]
            assert at is not None
            is_member = one in self.lists[right.id] and at < self.lists[right.id][one]
            return None if one is None else is_member == isinstance(op, ast.In)
        compared: bool | None = both(COMPARISONS[type(op)], self.value(left), self.value(right))
        return compared

    def _call(self, name: str, arguments: list[ast.expr]) -> Any:  # noqa: PLR0911, one branch for each function
        if name in ("hour", "weekday"):
            at, offset = self.item["at"], self.value(arguments[1])
            assert at is not None
            local = datetime.fromtimestamp(at // 10**9, UTC) + timedelta(minutes=offset)
            return local.hour if name == "hour" else local.weekday()
        values = [self.value(part) for part in arguments]
        match name:
            case "missing" | "absent":
                return values[0] is None
            case "otherwise":
                return values[1] if values[0] is None else values[0]
            case "magnitude":
                return None if values[0] is None else abs(values[0])
            case "smaller":
                return both(min, *values)
            case "larger":
                return both(max, *values)
        return values[0] * UNITS[name]


def both(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Return what an operation gives of two values, None unless both are there."""
    return None if left is None or right is None else operation(left, right)


def joined(values: list[Any], *, ends_it: bool) -> bool | None:
    """Return the truth of a chain: one value ends it, one that is not there leaves it open."""
    if any(value is not None and bool(value) == ends_it for value in values):
        return ends_it
    return None if None in values else not ends_it
