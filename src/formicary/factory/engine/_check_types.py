"""Checks of the fields of commands and events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from formicary.factory.engine._findings import CRASHES, Finding
from formicary.factory.engine._samples import Unsampled, samples
from formicary.factory.engine.columns import column_of
from formicary.factory.engine.house_documents import HOUSE_DOCUMENT
from formicary.factory.engine.products import Product

__all__ = ["check_event_fields", "check_round_trips"]

_TEXT_CHARACTERS_MAX: Final = 64
# What somebody would write into a field that is open to anything.
_FREE_TEXT: Final = "Ada, 7 Mill Lane"
_CLOSED: Final = (inspect.BoolType, inspect.EnumType, inspect.IntType, inspect.LiteralType, inspect.NoneType)


def check_event_fields(product: Product) -> Iterator[Finding]:
    """Check that events hold no free text, no floats, and nothing without a fixed meaning.

    The journal cannot forget: a name or a note in it could never be erased. And the database keeps a
    float as another text than the one it was given, so that the state's hash would change. What is marked
    as ``HOUSE_DOCUMENT`` is nobody's, and its product answers for the rest; a column is integers.
    """
    for event in product.events:
        for field in _fields(event):
            why = _why_open(field.type)
            if why:
                yield Finding("closed field", f"{event.__name__}.{field.name}", why)


def check_round_trips(product: Product) -> Iterator[Finding]:
    """Check that samples of commands and events are the same after they were written and read."""
    for message in (*product.commands, *product.events):
        try:
            made = samples(message)
            read = [msgspec.json.decode(_respelled(msgspec.json.encode(one)), type=message) for one in made]
        except Unsampled as error:
            yield Finding("sample", f"{message.__name__}.{error}", "nothing can be made up: give examples")
        except CRASHES as error:
            yield Finding("round trip", message.__name__, f"{type(error).__name__}: {error}")
        else:
            if read != made:
                yield Finding("round trip", message.__name__, "it reads back as something else")


def _respelled(body: bytes) -> bytes:
    """Return the same JSON as a database would return it: its meaning, spelt otherwise."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.decode(body), order="sorted"), indent=1)


def _fields(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    return info.fields if isinstance(info, inspect.StructType) else ()


def _why_open(kind: inspect.Type) -> str:
    """Return why a type does not belong into an event, or nothing."""
    match kind:
        case inspect.Metadata():
            is_closed = kind.extra == HOUSE_DOCUMENT.extra or column_of(kind) is not None
            return "" if is_closed else _why_open(kind.type)
        case inspect.StrType():
            return _why_open_text(kind)
        case inspect.UnionType():
            return _first(_why_open(one) for one in kind.types)
        case inspect.TupleType():
            return _first(_why_open(one) for one in kind.item_types)
        case inspect.ListType() | inspect.VarTupleType():
            return _why_open(kind.item_type)
        case inspect.DictType():
            return _why_open(kind.key_type) or _why_open(kind.value_type)
        case inspect.StructType():
            return _first(_why_open(field.type) for field in kind.fields)
    if isinstance(kind, _CLOSED):
        return ""
    return f"{type(kind).__name__.removesuffix('Type').lower()} is no integer, closed set or short pattern"


def _why_open_text(text: inspect.StrType) -> str:
    if text.pattern is None or text.max_length is None or text.max_length > _TEXT_CHARACTERS_MAX:
        return f"text without a pattern and a length of at most {_TEXT_CHARACTERS_MAX}"
    if re.search(text.pattern, _FREE_TEXT[: text.max_length]):
        return f"the pattern {text.pattern!r} lets any text through"
    return ""


def _first(reasons: Iterator[Any]) -> str:
    return next((reason for reason in reasons if reason), "")
