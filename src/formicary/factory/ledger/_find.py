"""Finding what an event refers to: a transfer, a pending one, an account's timestamp."""

from __future__ import annotations

from typing import Any, Final

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._index import BY_ID, BY_RESOLVED_HOLD, find_hold, find_row
from formicary.factory.ledger._layout import HOLD_EXPIRED, HOLD_POSTED, HOLD_VOIDED, PENDING, POST, State
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["NOWHERE", "find_held", "find_transfer", "is_account_timestamp", "transfer_row"]

RECENT: Final = 0
OLDER: Final = 1
FETCHED: Final = 2
HELD: Final = 3
NOWHERE: Final = -1


@kernel_part
def find_transfer(state: State, kind: Any, high: Any, low: Any) -> tuple[int, int]:
    """Return (generation, row) of a transfer in memory or just fetched; generation -1 if unknown."""
    index = find_row(state.recent, kind, high, low)
    if index >= 0:
        return RECENT, index
    index = find_row(state.older, kind, high, low)
    if index >= 0:
        return OLDER, index
    index = find_row(state.fetched, kind, high, low)
    if index >= 0:
        return FETCHED, index
    return NOWHERE, -1


@kernel_part
def transfer_row(state: State, generation: int, index: int) -> Any:
    """Return the row that ``find_transfer`` or ``find_held`` found."""
    if generation == RECENT:
        return state.recent.rows[index]
    if generation == OLDER:
        return state.older.rows[index]
    if generation == FETCHED:
        return state.fetched.rows[index]
    return state.hold_rows[index]


@kernel_part
def find_held(state: State, high: Any, low: Any) -> tuple[int, int, int]:
    """Return (state, generation, row) of the pending transfer with an id.

    State 0 means that no transfer has that id; -1 that it is no pending one.
    """
    hold = find_hold(state, high, low)
    if hold >= 0:
        return int(state.holds[hold]["state"]), HELD, hold
    generation, index = find_transfer(state, BY_ID, high, low)
    if generation == NOWHERE:
        return 0, NOWHERE, -1
    row = transfer_row(state, generation, index)
    if row["status"] != Status.CREATED:
        return 0, generation, index
    if row["flags"] & PENDING == 0:
        return -1, generation, index
    by, resolution = find_transfer(state, BY_RESOLVED_HOLD, high, low)
    if by == NOWHERE:
        # Every pending transfer is open, or something resolved it.
        raise AssertionError
    return _resolution_state(transfer_row(state, by, resolution)), generation, index


@kernel_part
def _resolution_state(resolution: Any) -> int:
    if resolution["status"] == Status.EXPIRED:
        return HOLD_EXPIRED
    if resolution["flags"] & POST != 0:
        return HOLD_POSTED
    return HOLD_VOIDED


@kernel_part
def is_account_timestamp(state: State, timestamp: int) -> bool:
    """Tell whether an account has this timestamp; accounts are kept in the order of theirs."""
    low, high = 0, state.scalars[0]["accounts"]
    while low < high:
        middle = (low + high) // 2
        if state.accounts[middle]["timestamp"] < timestamp:
            low = middle + 1
        else:
            high = middle
    return bool(low < state.scalars[0]["accounts"] and state.accounts[low]["timestamp"] == timestamp)
