"""Room in the state's arrays: kernels write into what is there, so it is provided beforehand.

Every function returns a state with at least so much room; arrays that grew are new ones, and the
old ones stay as they were for whoever still looks at them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger._fold import compact_holds
from formicary.factory.ledger._index import enter_ids, enter_rows
from formicary.factory.ledger._layout import ACCOUNT_STATE, HOLD, SCALARS, Generation, Records, State
from formicary.factory.timers import TIMER

__all__ = [
    "FIRST_ROOM",
    "WORDS_OF_ROW",
    "empty_slots",
    "empty_state",
    "generation_in",
    "generation_of",
    "larger",
    "room_for_accounts",
    "room_for_holds",
    "room_for_rows",
    "room_for_timers",
    "rotated",
]

WORDS_OF_ROW: Final = TRANSFER_ROW.itemsize // 8
FIRST_ROOM: Final = 1_024


def empty_slots(keys: int) -> Records:
    """Return an empty index for so many keys: half full with them, so that probes are short."""
    return np.zeros(1 << (2 * max(keys, 1) - 1).bit_length(), np.uint64)


def generation_of(rows: Records, *, room: int) -> Generation:
    """Return a generation with room for ``room`` rows that holds ``rows`` (n,)."""
    with_room = np.zeros(room, TRANSFER_ROW)
    with_room[: len(rows)] = rows
    return generation_in(with_room, len(rows))


def generation_in(rows: Records, count: int) -> Generation:
    """Return a generation in the memory of ``rows``, of which the first ``count`` are in use."""
    # A row has up to two keys: its id, and the hold that it resolved.
    words = rows.view(np.uint64).reshape(len(rows), WORDS_OF_ROW)
    generation = Generation(rows, words, empty_slots(2 * len(rows)))
    enter_rows(generation, count)
    return generation


def larger(array: Records, room: int) -> Records:
    """Return a zeroed array of ``room`` records that begins with those of ``array``."""
    grown = np.zeros(room, array.dtype)
    grown[: len(array)] = array
    return grown


def empty_state() -> State:
    """Return the state before the first event."""
    no_rows = np.empty(0, TRANSFER_ROW)
    return State(
        scalars=np.zeros(1, SCALARS),
        accounts=np.zeros(FIRST_ROOM, ACCOUNT_STATE),
        account_slots=empty_slots(FIRST_ROOM),
        recent=generation_of(no_rows, room=FIRST_ROOM),
        older=generation_of(no_rows, room=1),
        fetched=generation_of(no_rows, room=1),
        hold_rows=np.zeros(FIRST_ROOM, TRANSFER_ROW),
        holds=np.zeros(FIRST_ROOM, HOLD),
        hold_slots=empty_slots(FIRST_ROOM),
        timers=np.zeros(FIRST_ROOM, TIMER),
        chain_start=np.zeros(1, SCALARS),
        undo_accounts=np.zeros(2 * REQUEST_ITEMS_MAX, ACCOUNT_STATE),
        undo_account_indexes=np.zeros(2 * REQUEST_ITEMS_MAX, np.uint32),
        undo_hold_indexes=np.zeros(REQUEST_ITEMS_MAX, np.uint32),
    )


def rotated(state: State) -> State:
    """Make the recent generation the older one and begin a new one, in the older one's arrays."""
    older, recent = state.older, state.recent
    fresh = (
        older if len(older.rows) >= len(recent.rows) else generation_of(older.rows[:0], room=len(recent.rows))
    )
    fresh.slots[:] = 0
    scalars = state.scalars[0]
    scalars["older"], scalars["recent"] = scalars["recent"], 0
    return state._replace(older=recent, recent=fresh)


def room_for_rows(state: State, rows: int) -> State:
    """Provide room for ``rows`` more rows in the recent generation."""
    used = _used(state, "recent")
    if used + rows <= len(state.recent.rows):
        return state
    return state._replace(recent=generation_of(state.recent.rows[:used], room=_power_of_two(used + rows)))


def room_for_accounts(state: State, accounts: int) -> State:
    """Provide room for ``accounts`` more accounts."""
    used = _used(state, "accounts")
    if used + accounts <= len(state.accounts):
        return state
    room = _power_of_two(used + accounts)
    grown, slots = larger(state.accounts, room), empty_slots(room)
    enter_ids(grown, slots, used)
    return state._replace(accounts=grown, account_slots=slots)


def room_for_holds(state: State, holds: int) -> State:
    """Provide room for ``holds`` more holds and their timers; those that ended make room first."""
    if _used(state, "holds") + holds > len(state.holds):
        needed = 2 * _used(state, "holds_open") + holds
        if needed <= len(state.holds):
            state.hold_slots[:] = 0
        else:
            room = _power_of_two(needed)
            hold_rows, kept = larger(state.hold_rows, room), larger(state.holds, room)
            state = state._replace(hold_rows=hold_rows, holds=kept, hold_slots=empty_slots(room))
        compact_holds(state, np.empty(len(state.holds), np.int64))
    return room_for_timers(state, holds)


def room_for_timers(state: State, timers: int) -> State:
    """Provide room for ``timers`` more timers."""
    used = _used(state, "timers")
    if used + timers <= len(state.timers):
        return state
    return state._replace(timers=larger(state.timers, _power_of_two(used + timers)))


def _used(state: State, name: str) -> int:
    return int(state.scalars[name][0])


def _power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()
