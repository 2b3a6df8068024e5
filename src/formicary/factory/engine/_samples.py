"""Values made up from types: enough of each to reach every branch that its bounds suggest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import inspect

__all__ = ["SUBJECT", "Unsampled", "samples"]

SUBJECT: Final = 0x0190_0000_0000_7000_8000_0000_0000_0001
"""The aggregate that every sampled command is about."""

_TEXTS: Final = ("0" * 32, "f" * 32, "a", "A", "0", "AAA", "text")
_UNBOUNDED: Final = (1, 0, -1, 2**63)


class Unsampled(ValueError):
    """No value of a field's type can be made up."""


def samples(struct: type[msgspec.Struct]) -> list[Any]:
    """Return instances of a struct: one of first values, then each other value of each field.

    Raises
    ------
    Unsampled
        Of a field, whose name it bears.
    """
    choices: dict[str, Sequence[Any]] = {}
    info = inspect.type_info(struct)
    for field in info.fields if isinstance(info, inspect.StructType) else ():
        choices[field.name] = [SUBJECT] if field.name == "subject" else _values(field.type)
        if not choices[field.name]:
            raise Unsampled(field.name)
    first = {name: values[0] for name, values in choices.items()}
    others = [first | {name: value} for name, values in choices.items() for value in values[1:]]
    return [struct(**chosen) for chosen in (first, *others)]


def _values(kind: inspect.Type) -> Sequence[Any]:
    """Return values of a type; none where nothing can be made up."""
    match kind:
        case inspect.Metadata():
            examples = (kind.extra_json_schema or {}).get("examples")
            return examples or _values(kind.type)
        case inspect.IntType():
            return _integers(kind)
        case inspect.StrType():
            return [text for text in _TEXTS if _fits(kind, text)]
        case inspect.BoolType():
            return (True, False)
        case inspect.NoneType():
            return (None,)
        case inspect.FloatType():
            return (0.0, 1.5)
        case inspect.EnumType():
            return list(kind.cls)
        case inspect.LiteralType():
            return kind.values
        case inspect.UnionType():
            return [value for one in kind.types for value in _values(one)]
        case inspect.StructType():
            return samples(kind.cls)
    return _sequences(kind)


def _sequences(kind: inspect.Type) -> Sequence[Any]:
    match kind:
        case inspect.ListType():
            items, shortest = list(_values(kind.item_type)[:1]), kind.min_length or 0
            return [items * length for length in sorted({shortest, max(shortest, 1)})]
        case inspect.DictType():
            pairs = zip(_values(kind.key_type), _values(kind.value_type)[-1:], strict=False)
            return ({}, dict(pairs))
        case inspect.VarTupleType():
            return ((), tuple(_values(kind.item_type)[:1]))
        case inspect.TupleType():
            items = [_values(one) for one in kind.item_types]
            return [tuple(values[0] for values in items)] if all(items) else []
    return ()


def _integers(kind: inspect.IntType) -> list[int]:
    low = kind.ge if kind.ge is not None else None if kind.gt is None else kind.gt + 1
    high = kind.le if kind.le is not None else None if kind.lt is None else kind.lt - 1
    tried = [*_UNBOUNDED, *(bound for bound in (low, high) if bound is not None)]
    inside = [value for value in tried if (low is None or value >= low) and (high is None or value <= high)]
    step = kind.multiple_of or 1
    return list(dict.fromkeys(value for value in inside if value % step == 0))


def _fits(kind: inspect.StrType, text: str) -> bool:
    length = len(text)
    long_enough = length >= (kind.min_length or 0)
    short_enough = kind.max_length is None or length <= kind.max_length
    return long_enough and short_enough and (kind.pattern is None or bool(re.search(kind.pattern, text)))
