"""Deciding accounts: the loop over the accounts of a group."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._apply import begin_chain, open_account, undo_chain
from formicary.factory.ledger._expire import expire_due
from formicary.factory.ledger._judge_account import judge_account
from formicary.factory.ledger._layout import ACCOUNT_IMPORTED, ACCOUNT_LINKED, Records, State
from formicary.factory.ledger.statuses import CreateAccountStatus as Opening

__all__ = ["create_accounts"]


@kernel_part
def _decide_account(state: State, item: Any, stamp: int, import_mode: bool, result: Any) -> int:
    status, existing = judge_account(state, item, stamp, import_mode)
    if status == Opening.CREATED:
        timestamp = item["timestamp"] if import_mode else stamp
        open_account(state, item, timestamp, state.scalars[0]["position"] + 1)
        result["timestamp"] = timestamp
    elif status == Opening.EXISTS:
        result["timestamp"] = state.accounts[existing]["timestamp"]
    return status


@kernel
def create_accounts(
    state: State,
    items: Records,
    ordinals: Records,
    first_stamp: int,
    start: int,
    expiries_max: int,
    results: Records,
) -> int:
    """Decide the accounts of a group of requests from ``start`` on, as ``create_transfers`` does."""
    scalars = state.scalars[0]
    count = len(items)
    chain = -1
    broken = False
    for i in range(start, count):
        item, result, stamp = items[i], results[i], first_stamp + i
        linked = item["flags"] & ACCOUNT_LINKED != 0
        if chain < 0:
            if expiries_max >= 0:
                expired, all_due_ran = expire_due(state, stamp, expiries_max)
                expiries_max -= expired
                if not all_due_ran:
                    return i
            if linked:
                chain, broken = i, False
                begin_chain(state)
        scalars["timestamp"] = stamp
        ends_request = i + 1 == count or ordinals[i + 1] == 0
        status: Any
        result["timestamp"] = stamp
        if linked and ends_request:
            status = np.int64(Opening.LINKED_EVENT_CHAIN_OPEN)
        elif broken:
            status = np.int64(Opening.LINKED_EVENT_FAILED)
        else:
            import_mode = items[i - ordinals[i]]["flags"] & ACCOUNT_IMPORTED != 0
            status = np.int64(_decide_account(state, item, stamp, import_mode, result))
        result["status"] = status
        if status != Opening.CREATED and chain >= 0 and not broken:
            undo_chain(state)
            scalars["timestamp"] = stamp
            for member in range(chain, i):
                results[member]["status"] = Opening.LINKED_EVENT_FAILED
                results[member]["timestamp"] = first_stamp + member
            broken = True
        if not linked or ends_request:
            chain = -1
            broken = False
    return count
