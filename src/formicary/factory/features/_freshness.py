"""When what an asking event is told last changed: the latest event of each row that a view looks up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.features._layout import EMPTY, ROW_LATEST, Events, Plan, State, View, Words
from formicary.factory.features._rows import find_row, key_of
from formicary.factory.features._update import AHEAD, Scratch, look_ahead, update_item

__all__ = ["read_latest", "replay_latest"]


@kernel
def read_latest(state: State, view: View, events: Events, out: Words) -> None:
    """Write when the row of each look-up last changed, (n, look-ups), or ``EMPTY``; change nothing."""
    for item in range(len(events.kinds)):
        _latest_of(state, view, events, item, out[item])


@kernel
def replay_latest(
    state: State,
    plan: Plan,
    view: View,
    events: Events,
    scratch: Scratch,
    asked: npt.NDArray[np.bool_],
    out: Words,
) -> int:
    """Do the same just before each event of the view's kind that is ``asked`` (n,), then let it change rows.

    Returns
    -------
    How many rows of ``out`` were written.
    """
    row = 0
    count = len(events.kinds)
    for first in range(0, count, AHEAD):
        end = min(first + AHEAD, count)
        look_ahead(state, plan, events, first, end, scratch)
        for item in range(first, end):
            if events.kinds[item] == view.kind and asked[item]:
                _latest_of(state, view, events, item, out[row])
                row += 1
            update_item(state, plan, events, item, scratch, item - first)
    return row


@kernel_part
def _latest_of(state: State, view: View, events: Events, item: int, out: Words) -> None:
    for lookup in range(len(view.lookups)):
        high, low = key_of(events, item, view.lookups[lookup])
        row = find_row(state, view.lookups[lookup, 0], high, low)
        out[lookup] = state.words[row + ROW_LATEST] if row >= 0 else EMPTY
