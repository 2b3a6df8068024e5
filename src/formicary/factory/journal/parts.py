"""A batch cut into what goes to each table and segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from formicary.factory.journal.batch import Batch

__all__ = ["Part", "parts_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for one partition: an array, or a tuple of events."""

    table: str
    segment: int
    rows: Any


def parts_of(batch: Batch, segment_positions: int) -> list[Part]:
    """Return the parts of a batch that are not empty; nearly always one or two."""
    first_segment = (batch.first - 1) // segment_positions
    last_segment = (batch.last - 1) // segment_positions
    return [
        part
        for segment in range(first_segment, last_segment + 1)
        for part in _parts_in(batch, segment, segment_positions, is_only=first_segment == last_segment)
        if len(part.rows)
    ]


def _parts_in(batch: Batch, segment: int, segment_positions: int, *, is_only: bool) -> Iterator[Part]:
    if is_only:
        yield Part("transfers", segment, batch.transfers)
        yield Part("decisions", segment, batch.decisions)
        yield Part("accounts", segment, batch.accounts)
        yield Part("events", segment, batch.events)
        return
    hot = (("transfers", batch.transfers), ("decisions", batch.decisions), ("accounts", batch.accounts))
    for table, rows in hot:
        yield Part(table, segment, rows[np.asarray((rows["position"] - 1) // segment_positions == segment)])
    events = tuple(event for event in batch.events if (event.position - 1) // segment_positions == segment)
    yield Part("events", segment, events)
