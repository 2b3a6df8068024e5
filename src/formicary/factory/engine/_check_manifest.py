"""Checks of a product's manifest, before anything of it is run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.factory.engine._findings import Finding
from formicary.factory.engine.columnar import WORD_BYTES
from formicary.factory.engine.columns import IDS, columns_of
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent, Product, no_sweep
from formicary.factory.engine.state import known_events
from formicary.factory.engine.sweeps import CREATED
from formicary.factory.models.asked import findings_of

__all__ = [
    "check_aggregate",
    "check_looks",
    "check_messages",
    "check_models",
    "check_names",
    "check_sweeps",
    "check_upcasters",
]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MESSAGE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
# The factory's own events begin with it.
_RESERVED: Final = "engine"
# Signed and unsigned integers, floats, truth values: of one size for ever, and nobody's name.
_KINDS_OF_NUMBER: Final = frozenset("iufb")


def check_names(product: Product) -> Iterator[Finding]:
    """Check that names have the form of the journal's and are there once."""
    if not _NAME.fullmatch(product.name) or product.name == _RESERVED:
        yield Finding("name", "product", f"{product.name!r} is not in snake case, or reserved")
    for timer in product.timers:
        if not _NAME.fullmatch(timer):
            yield Finding("name", "timers", f"{timer!r} is not in snake case")
    messages = [message.__name__ for message in (*product.commands, *product.events)]
    for name in messages:
        if not _MESSAGE_NAME.fullmatch(name):
            yield Finding("name", name, "not in the form CamelCase")
    for place, names in (("messages", messages), ("timers", product.timers)):
        yield from _doubles(place, names)
    for place, tagged in (("commands", product.commands), ("events", product.events)):
        yield from _doubles(f"tags of {place}", (_tag(message) for message in tagged))


def _doubles(place: str, names: Iterable[str]) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding("unique", place, f"{name!r} is there {count} times")


def _tag(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag) if hasattr(message, "__struct_config__") else message.__name__


def check_messages(product: Product) -> Iterator[Finding]:
    """Check that commands and events are frozen structs of the given bases."""
    kinds: tuple[tuple[type[Any], tuple[type[Any], ...]], ...] = (
        (Command, product.commands),
        (DomainEvent, product.events),
    )
    for base, messages in kinds:
        for message in messages:
            if not issubclass(message, base):
                yield Finding("frozen", message.__name__, f"it is no {base.__name__}")
            elif not message.__struct_config__.frozen:
                yield Finding("frozen", message.__name__, "it can be changed after it was made")
    if product.event_version < 1:
        yield Finding("version", "event_version", f"{product.event_version} is below 1")


def check_aggregate(product: Product) -> Iterator[Finding]:
    """Check the layout of the aggregate: it is stored, hashed and compared as bytes."""
    fields: dict[str, Any] = dict(product.aggregate.fields or {})
    header = np.dtype(AGGREGATE_HEADER)
    for name, wanted in (header.fields or {}).items():
        found = fields.get(name)
        if found is None or tuple(found[:2]) != tuple(wanted[:2]):
            yield Finding("aggregate", name, "the aggregate does not begin with AGGREGATE_HEADER")
            return
    for name, (dtype, *_) in fields.items():
        if dtype.base.kind not in _KINDS_OF_NUMBER:
            yield Finding("aggregate", name, f"{dtype} is no number of a fixed size")
    if product.aggregate.itemsize != sum(dtype.itemsize for dtype, *_ in fields.values()):
        yield Finding("aggregate", "dtype", "it has padding, whose bytes mean nothing and are hashed")
    sizes = (product.aggregate.itemsize, product.aggregate_first_bytes)
    if product.is_columnar and any(size % WORD_BYTES for size in sizes):
        yield Finding("aggregate", "dtype", f"columnar, it must be whole words of {WORD_BYTES} bytes")


def check_sweeps(product: Product) -> Iterator[Finding]:
    """Check that sweeps are events which say what they sweep, of a product with columns."""
    yield from _doubles("sweeps", (event.__name__ for event in product.sweeps))
    if product.sweeps and not product.is_columnar:
        yield Finding("sweep", "is_columnar", "only columnar aggregates can be swept")
    if bool(product.sweeps) == (product.sweep is no_sweep):
        yield Finding("sweep", "sweep", "there is a sweep where there are sweeps, and else none")
    for event in product.sweeps:
        fields = event.__struct_fields__
        if event not in product.events:
            yield Finding("sweep", event.__name__, "it is none of the events")
        if not {"first", "after"} <= set(fields):
            yield Finding("sweep", event.__name__, "it lacks the fields first and after")
        if CREATED in fields and columns_of(event).get(CREATED) is not IDS:
            yield Finding("sweep", f"{event.__name__}.{CREATED}", "what it creates is a column of IDS")


def check_looks(product: Product) -> Iterator[Finding]:
    """Check that what aggregates are found by is there, and that sums begin at nothing."""
    fields: dict[str, Any] = dict(product.aggregate.fields or {})
    if (product.found_by or product.totals) and not product.is_columnar:
        yield Finding("look", "is_columnar", "only columnar aggregates are found by ids and summed up")
    for name in product.found_by:
        high, low = (fields.get(f"{name}_{half}") for half in ("high", "low"))
        if high is None or low is None or low[1] != high[1] + WORD_BYTES or high[1] % WORD_BYTES:
            yield Finding("look", name, "it is no id of two whole words, the high one first")
    if product.totals is not None:
        keys, amounts = product.totals.measure(np.zeros(2, product.aggregate))
        if keys.shape != (2,) or amounts.shape != (2, len(product.totals.names)) or amounts.any():
            yield Finding("look", "totals", "of aggregates that are all zero it measures nothing, by name")


def check_models(product: Product) -> Iterator[Finding]:
    """Check that models ask what the product's own features tell."""
    yield from _doubles("models", (spec.name for spec in product.models))
    for spec in product.models:
        for found in findings_of(spec, product.features):
            yield Finding("model", "models", found)


def check_upcasters(product: Product) -> Iterator[Finding]:
    """Check that every older version of the events has its way up."""
    try:
        known_events([product]).check()
    except ProgrammingError as error:
        yield Finding("version", "upcast", str(error))
