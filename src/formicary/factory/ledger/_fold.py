"""Folding: give effect again to rows that were decided once, and check every one of them."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._apply import apply_row, note_timer, open_account
from formicary.factory.ledger._index import enter_ids, find_account, find_hold, resolves_hold
from formicary.factory.ledger._layout import (
    HOLD_OPEN,
    PENDING,
    TIMER_OF_HOLD,
    Records,
    State,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status
from formicary.factory.timers import heapify

__all__ = ["compact_holds", "fold_accounts", "fold_transfers"]


@kernel
def fold_accounts(state: State, rows: Records) -> int:
    """Open the accounts of a block; return how many are sound: fewer than all if one is there twice."""
    for i in range(len(rows)):
        row = rows[i]
        if find_account(state, row["id_high"], row["id_low"]) >= 0:
            return i
        open_account(state, row, row["timestamp"], row["position"])
    return len(rows)


@kernel_part
def _same_words(left: Records, right: Records) -> bool:
    different = 0
    for word in range(len(left)):
        different += left[word] != right[word]
    return different == 0


@kernel_part
def _open_hold(state: State, row: Any) -> int:
    hold = find_hold(state, row["pending_id_high"], row["pending_id_low"])
    if hold >= 0 and state.holds[hold]["state"] == HOLD_OPEN:
        return hold
    return -1


@kernel
def fold_transfers(state: State, rows: Records, words: Records) -> int:
    """Apply the rows of a block; return how many are sound.

    ``words`` (n, 27) is the same memory as ``rows``. Every recorded total and back-pointer is
    compared with what the row does to the state here: the first that differs, or that names an
    account or hold which is not there, ends the fold.
    """
    scalars = state.scalars[0]
    for i in range(len(rows)):
        recorded = rows[i]
        index = scalars["recent"]
        state.recent.rows[index] = recorded
        debit, credit, hold = -1, -1, -1
        if recorded["status"] == Status.CREATED or recorded["status"] == Status.EXPIRED:
            debit = find_account(state, recorded["debit_account_id_high"], recorded["debit_account_id_low"])
            credit = find_account(
                state, recorded["credit_account_id_high"], recorded["credit_account_id_low"]
            )
            if debit < 0 or credit < 0:
                return i
            if resolves_hold(recorded):
                hold = _open_hold(state, recorded)
                if hold < 0:
                    return i
        apply_row(state, debit, credit, hold)
        if not _same_words(state.recent.words[index], words[i]):
            return i
        is_pending = recorded["status"] == Status.CREATED and recorded["flags"] & PENDING != 0
        if is_pending and recorded["timeout"] != 0:
            note_timer(state, recorded)
        scalars["timestamp"] = max(scalars["timestamp"], recorded["timestamp"])
    return len(rows)


@kernel
def compact_holds(state: State, moved: Records) -> None:
    """Drop the holds that ended and their timers; the slots must be cleared and are filled anew.

    ``moved`` is room for a number of each hold.
    """
    scalars = state.scalars[0]
    kept = 0
    moved[:] = -1
    for hold in range(scalars["holds"]):
        if state.holds[hold]["state"] == HOLD_OPEN:
            moved[hold] = kept
            if kept != hold:
                state.holds[kept] = state.holds[hold]
                state.hold_rows[kept] = state.hold_rows[hold]
            kept += 1
    scalars["holds"] = kept
    enter_ids(state.hold_rows, state.hold_slots, kept)
    timers = 0
    for i in range(scalars["timers"]):
        timer = state.timers[i]
        if timer["kind"] != TIMER_OF_HOLD or moved[timer["reference"]] >= 0:
            if timer["kind"] == TIMER_OF_HOLD:
                timer["reference"] = moved[timer["reference"]]
            if timers != i:
                state.timers[timers] = state.timers[i]
            timers += 1
    scalars["timers"] = timers
    heapify(state.timers, timers)
