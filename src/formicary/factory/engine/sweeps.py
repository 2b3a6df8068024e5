"""Sweeps: one event that creates or changes many aggregates of a product.

What is in the journal can only be applied, so a sweep is looked at before it gets there. Folding looks again:
a journal that was tampered with must not change what it does not name.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.columnar import ColumnarAggregates
from formicary.factory.engine.columns import columns_of
from formicary.factory.engine.products import Product
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.events import Event

__all__ = ["CREATED", "apply_sweep", "created_ids", "is_applicable"]

CREATED: Final = "ids"
"""The field of a sweep that creates what it changes: their ids."""

_NO_IDS: Final = np.empty((0, 2), np.uint64)


def created_ids(sweep: Any) -> npt.NDArray[Any]:
    """Return the ids (n, 2) of the aggregates that a sweep creates, none where it only changes some."""
    column = columns_of(type(sweep)).get(CREATED)
    return _NO_IDS if column is None else column.unpack(getattr(sweep, CREATED))


def is_applicable(sweep: Any, *, count: int) -> bool:
    """Tell whether a sweep is of aggregates that are there when ``count`` are, and has a value for each.

    What it creates begins after the last one; whether the ids are new is another question.
    """
    first, after, columns = sweep.first, sweep.after, columns_of(type(sweep))
    lengths = {column.count(getattr(sweep, name)) for name, column in columns.items()}
    # What is created says by its ids how far it goes.
    is_there = first == count if CREATED in columns else after <= count
    return is_there and 0 <= first <= after and lengths <= {after - first}


def apply_sweep(product: Product, kept: ColumnarAggregates, event: Event, sweep: Any) -> None:
    """Create and change the aggregates of a product as a sweep says, which happened with ``event``.

    Raises
    ------
    JournalCorrupted
        It is not of aggregates that are there, or creates some that are.
    """
    ids = created_ids(sweep)
    if not is_applicable(sweep, count=len(kept)) or not kept.are_new(ids):
        message = f"the sweep at position {event.position} is of other aggregates than there are"
        raise JournalCorrupted(message)
    if len(ids):
        kept.create(ids, timestamp=event.timestamp)
    name = type(sweep).__name__
    in_sums = product.totals is None or name not in product.totals.unchanged_by
    kept.sweep(sweep.first, sweep.after, lambda records: product.sweep(name, records, sweep), in_sums=in_sums)
