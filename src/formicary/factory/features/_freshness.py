"""When what an asking event is told last changed: the latest event of each row that a view looks up."""

from __future__ import annotations

from formicary.base.kernels import kernel
from formicary.factory.features._layout import EMPTY, ROW_LATEST, Events, State, View, Words
from formicary.factory.features._rows import find_row, key_of

__all__ = ["read_latest"]


@kernel
def read_latest(state: State, view: View, events: Events, out: Words) -> None:
    """Write when the row of each look-up last changed, (n, look-ups), or ``EMPTY``; change nothing."""
    for item in range(len(events.kinds)):
        for lookup in range(len(view.lookups)):
            high, low = key_of(events, item, view.lookups[lookup])
            row = find_row(state, view.lookups[lookup, 0], high, low)
            out[item, lookup] = state.words[row + ROW_LATEST] if row >= 0 else EMPTY
