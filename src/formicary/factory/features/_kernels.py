"""The kernels that are called from Python: events in, features out.

A decision point composes the same parts, ``read_item`` before its decision and ``update_item`` after it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel
from formicary.factory.features._layout import Events, Plan, Reals, State, View, Words
from formicary.factory.features._read import Reading, read_item
from formicary.factory.features._update import AHEAD, Scratch, look_ahead, update_item

__all__ = ["follow_events", "read_events", "replay_events"]


@kernel
def follow_events(state: State, plan: Plan, events: Events, scratch: Scratch) -> None:
    """Let events change the rows of their keys, one after the other."""
    count = len(events.kinds)
    for first in range(0, count, AHEAD):
        end = min(first + AHEAD, count)
        look_ahead(state, plan, events, first, end, scratch)
        for item in range(first, end):
            update_item(state, plan, events, item, scratch, item - first)


@kernel
def read_events(
    state: State,
    plan: Plan,
    view: View,
    events: Events,
    purpose: int,
    reading: Reading,
    scratch: Scratch,
    out: Reals,
    withheld: Words,
) -> None:
    """Read the view at each event, (n, features), and which ids lacked consent, (n,); change nothing."""
    count = len(events.kinds)
    for first in range(0, count, AHEAD):
        end = min(first + AHEAD, count)
        look_ahead(state, plan, events, first, end, scratch)
        for item in range(first, end):
            withheld[item] = read_item(
                state, plan, view, events, item, purpose, reading, scratch, item - first, out[item]
            )


@kernel
def replay_events(
    state: State,
    plan: Plan,
    view: View,
    events: Events,
    purpose: int,
    reading: Reading,
    scratch: Scratch,
    asked: npt.NDArray[np.bool_],
    out: Reals,
    withheld: Words,
) -> int:
    """Read the view at each event of its kind that is ``asked`` (n,), then let the event change its rows.

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
            ahead = item - first
            if events.kinds[item] == view.kind and asked[item]:
                withheld[row] = read_item(
                    state, plan, view, events, item, purpose, reading, scratch, ahead, out[row]
                )
                row += 1
            update_item(state, plan, events, item, scratch, ahead)
    return row
