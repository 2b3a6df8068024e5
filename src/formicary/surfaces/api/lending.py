"""Business dates as the API knows them: how allowances moved on each, read from the journal as it grows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

import msgspec

from formicary.factory.history import History
from formicary.factory.journal.events import Event
from formicary.products.lending.servicing.close import NAME, DateProvided
from formicary.products.lending.servicing.providing import Moved, joined
from formicary.surfaces.api.ports import Backend

__all__ = ["PROVIDED", "Movements"]

PROVIDED: Final = f"{NAME}.{DateProvided.__name__}"
# A segment at a time: what was read of a long journal is not read again where a caller did not wait for it.
_POSITIONS_AT_ONCE: Final = 1 << 20


class Movements:
    """Knows how allowances moved.

    Parameters
    ----------
    backend
        Where it is told.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[int, tuple[Moved, ...]] = defaultdict(tuple)
        self._position = 0
        self._reading = asyncio.Lock()

    async def on(self, day: int) -> tuple[Moved, ...]:
        """Return how the allowances of each currency and stage moved on a business date."""
        async with self._reading:
            while True:
                events, position = await self._backend.remember(self._new_events)
                for event in events:
                    told = msgspec.json.decode(event.body, type=DateProvided)
                    self._known[event.subject] = joined((*self._known[event.subject], *told.moved))
                if position == self._position:
                    return self._known.get(day, ())
                self._position = position

    def _new_events(self, history: History) -> tuple[list[Event], int]:
        return history.events_of((PROVIDED,), after=self._position, positions=_POSITIONS_AT_ONCE)
