"""A journal in memory for tests of what stands around the engine; faults are asked for by tests."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.batch import Batch
from formicary.factory.journal.events import Event
from formicary.factory.journal.takeover import Lease

__all__ = ["NullJournal"]

_ROWS = ("accounts", "transfers", "decisions")


class NullJournal:
    """Takes every batch; ``error`` fails the next append, and ``gate`` holds appends while it is closed."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._caused: dict[tuple[int, str], Event] = {}
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def take_over(self) -> Lease:
        """Return a lease at the last batch."""
        return Lease(epoch=1, position=self.batches[-1].last if self.batches else 0)

    def append(self, batch: Batch) -> None:
        """Keep a batch, or fail."""
        self.gate.wait()
        if self.error is not None:
            raise self.error
        # A journal keeps rows, not views of memory that the next batch may use again.
        rows = {name: getattr(batch, name).copy() for name in _ROWS}
        self.batches.append(replace(batch, **rows))
        self._caused |= {(event.command_id, event.kind): event for event in batch.events}

    def begin(self, batch: Batch) -> Callable[[], None]:
        """Return what keeps a batch, or fails."""
        return functools.partial(self.append, batch)

    def confirm(self) -> None:
        """Be the one writer, or fail."""
        if self.error is not None:
            raise self.error

    def read(self, *, after: int, until: int) -> Iterator[Any]:
        """Return the batches as blocks."""
        for batch in self.batches:
            if after < batch.first and batch.last <= until:
                rows = {name: getattr(batch, name) for name in _ROWS}
                yield SimpleNamespace(**rows, events=batch.events, until=batch.last)

    def transfers_at(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return transfers from the batches."""
        rows = np.concatenate([batch.transfers for batch in self.batches])
        return np.asarray(rows[np.searchsorted(rows["position"], positions)])

    def caused_by(self, command_ids: Sequence[int], *, kind: str) -> Mapping[int, Event]:
        """Return events from the batches."""
        found = {key: self._caused.get((key, kind)) for key in command_ids}
        return {key: event for key, event in found.items() if event is not None}
