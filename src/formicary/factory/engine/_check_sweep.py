"""Checks of what a product's sweeps do with samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.engine._check_behaviour import HEADER_NAMES, states_of
from formicary.factory.engine._findings import CRASHES, Finding
from formicary.factory.engine._samples import samples
from formicary.factory.engine.columns import columns_of
from formicary.factory.engine.products import DomainEvent, Product
from formicary.factory.engine.sweeps import CREATED

__all__ = ["check_sweep"]

Rows = npt.NDArray[Any]


def check_sweep(product: Product) -> Iterator[Finding]:
    """Check ``sweep`` with every event of its kinds, on aggregates in the states that samples lead to."""
    for kind in product.sweeps:
        # Where it sweeps is for the factory to say: what it creates is new, what it changes is anything.
        states = np.concatenate(states_of(product))
        if CREATED in kind.__struct_fields__:
            states = np.repeat(states[:1], len(states))
        states["id_low"] += np.arange(len(states), dtype=np.uint64)
        try:
            for sample in samples(kind):
                yield from _check_event(product, states, sample)
        except CRASHES as error:
            yield Finding("sweep", kind.__name__, f"{type(error).__name__}: {error}")


def _check_event(product: Product, before: Rows, sample: DomainEvent) -> Iterator[Finding]:
    name, count = type(sample).__name__, len(before)
    together, again = (_swept(product, before, sample, 0, count) for _ in range(2))
    if together.tobytes() != again.tobytes():
        yield Finding("sweep", name, "the same event leads to different states")
    one_by_one = before
    for place in range(count):
        one_by_one = _swept(product, one_by_one, sample, place, place + 1)
    if together.tobytes() != one_by_one.tobytes():
        yield Finding("sweep", name, "many aggregates together come to another state than each alone")
    if any(not np.array_equal(together[field], before[field]) for field in HEADER_NAMES):
        yield Finding("sweep", name, "it changes the header, which is the factory's")
    yield from _check_looks(product, name, before, together)


def _check_looks(product: Product, name: str, before: Rows, after: Rows) -> Iterator[Finding]:
    is_new = CREATED in next(kind for kind in product.sweeps if kind.__name__ == name).__struct_fields__
    held = [f"{one}_{half}" for one in product.found_by for half in ("high", "low")]
    if not is_new and any(not np.array_equal(before[field], after[field]) for field in held):
        yield Finding("sweep", name, "it changes an id that aggregates are found by")
    if product.totals is not None and name in product.totals.unchanged_by:
        measured = [product.totals.measure(records) for records in (before, after)]
        if any(not np.array_equal(one, other) for one, other in zip(*measured, strict=True)):
            yield Finding("sweep", name, "it changes sums that it is said to leave")


def _swept(product: Product, before: Rows, sample: DomainEvent, first: int, after: int) -> Rows:
    """Return what a sample makes of the aggregates from ``first`` up to ``after``, and the others."""
    columns = {
        name: column.pack(np.resize(column.like, (len(before), *column.dtype.shape))[first:after])
        for name, column in columns_of(type(sample)).items()
    }
    swept = before.copy()
    product.sweep(
        type(sample).__name__,
        swept[first:after],
        msgspec.structs.replace(sample, first=first, after=after, **columns),
    )
    return swept
