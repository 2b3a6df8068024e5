"""Effects: rows written, totals moved, holds kept and ended, chains undone.

Deciding and folding share every function here, so that what was decided and what is
rebuilt from the journal cannot drift apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._index import (
    BY_ID,
    absorb,
    enter_row,
    find_hold,
    finish,
    id_hash,
    insert,
    remove_last,
    remove_last_row,
)
from formicary.factory.ledger._layout import (
    ACCOUNT_CLOSED,
    CLOSING_CREDIT,
    CLOSING_DEBIT,
    HOLD_EXPIRED,
    HOLD_OPEN,
    HOLD_POSTED,
    HOLD_VOIDED,
    NANOSECONDS_PER_SECOND,
    PENDING,
    POST,
    RESOLVES,
    TIMER_OF_HOLD,
    WORD_ZERO,
    Generation,
    State,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status
from formicary.factory.timers import push

__all__ = [
    "account_hash",
    "apply_row",
    "begin_chain",
    "keep_hold",
    "new_row",
    "note_timer",
    "open_account",
    "remember_for_undo",
    "row_hash",
    "undo_chain",
]


@kernel_part
def row_hash(generation: Generation, index: int) -> Any:
    """Hash all words of a row."""
    value = WORD_ZERO
    for word in range(generation.words.shape[1]):
        value = absorb(value, generation.words[index, word])
    return finish(value)


@kernel_part
def account_hash(account: Any) -> Any:
    """Hash what the journal determines of an account."""
    value = absorb(account["id_high"], account["id_low"])
    value = absorb(value, np.uint64(account["debits_pending"]))
    value = absorb(value, np.uint64(account["debits_posted"]))
    value = absorb(value, np.uint64(account["credits_pending"]))
    value = absorb(value, np.uint64(account["credits_posted"]))
    value = absorb(value, np.uint64(account["credit_limit"]))
    value = absorb(value, np.uint64(account["last_entry"]))
    return finish(absorb(value, account["flags"]))


@kernel_part
def _account_row_hash(account: Any) -> Any:
    """Hash what never changes of an account, once, as it is opened."""
    value = absorb(account["user_data_128_high"], account["user_data_128_low"])
    value = absorb(value, account["user_data_64"])
    value = absorb(value, account["user_data_32"])
    value = absorb(value, account["ledger"])
    value = absorb(value, account["code"])
    value = absorb(value, np.uint64(account["timestamp"]))
    return finish(absorb(value, np.uint64(account["position"])))


@kernel_part
def hold_hash(row: Any, due: int) -> Any:
    """Hash an open hold."""
    value = absorb(row["id_high"], row["id_low"])
    value = absorb(value, np.uint64(row["amount"]))
    return finish(absorb(value, np.uint64(due)))


@kernel_part
def _rehash(state: State, index: int) -> None:
    account = state.accounts[index]
    fresh = account_hash(account)
    state.scalars[0]["accounts_hash"] += fresh - account["hash"]
    account["hash"] = fresh


@kernel_part
def open_account(state: State, item: Any, timestamp: int, position: int) -> int:
    """Add an account; room was provided. Return its number."""
    scalars = state.scalars[0]
    index = scalars["accounts"]
    account = state.accounts[index]
    account["id_high"] = item["id_high"]
    account["id_low"] = item["id_low"]
    account["debits_pending"] = 0
    account["debits_posted"] = 0
    account["credits_pending"] = 0
    account["credits_posted"] = 0
    account["credit_limit"] = item["credit_limit"]
    account["last_entry"] = 0
    account["hash"] = WORD_ZERO
    account["timestamp"] = timestamp
    account["position"] = position
    account["user_data_128_high"] = item["user_data_128_high"]
    account["user_data_128_low"] = item["user_data_128_low"]
    account["user_data_64"] = item["user_data_64"]
    account["user_data_32"] = item["user_data_32"]
    account["ledger"] = item["ledger"]
    account["code"] = item["code"]
    account["flags"] = item["flags"]
    insert(state.account_slots, id_hash(item["id_high"], item["id_low"], BY_ID), index)
    scalars["accounts"] = index + 1
    scalars["account_timestamp"] = timestamp
    scalars["position"] = position
    scalars["rows_hash"] += _account_row_hash(account)
    _rehash(state, index)
    return int(index)


@kernel_part
def new_row(state: State, status: int, timestamp: int, ordinal: int) -> Any:
    """Start the next row of the recent generation; ``apply_row`` finishes it."""
    index = state.scalars[0]["recent"]
    state.recent.words[index] = WORD_ZERO
    row = state.recent.rows[index]
    row["position"] = state.scalars[0]["position"] + 1
    row["timestamp"] = timestamp
    row["status"] = status
    row["request"] = ordinal
    return row


@kernel_part
def remember_for_undo(state: State, debit: int, credit: int, hold: int) -> None:
    """Keep what the next row of a chain is going to change."""
    _remember_account(state, debit)
    _remember_account(state, credit)
    if hold >= 0:
        scalars = state.scalars[0]
        state.undo_hold_indexes[scalars["undo_holds"]] = hold
        scalars["undo_holds"] += 1


@kernel_part
def _remember_account(state: State, index: int) -> None:
    scalars = state.scalars[0]
    count = scalars["undo_accounts"]
    state.undo_accounts[count] = state.accounts[index]
    state.undo_account_indexes[count] = index
    scalars["undo_accounts"] = count + 1


@kernel_part
def _move(state: State, row: Any, debit: int, credit: int, amount_held: int) -> None:
    """Move the totals as a created row says; ``amount_held`` is what its hold had reserved."""
    from_account, to_account = state.accounts[debit], state.accounts[credit]
    flags, amount = row["flags"], row["amount"]
    if row["status"] == Status.EXPIRED or flags & RESOLVES != 0:
        from_account["debits_pending"] -= amount_held
        to_account["credits_pending"] -= amount_held
    if row["status"] == Status.CREATED:
        if flags & PENDING != 0:
            from_account["debits_pending"] += amount
            to_account["credits_pending"] += amount
        elif flags & RESOLVES == 0 or flags & POST != 0:
            from_account["debits_posted"] += amount
            to_account["credits_posted"] += amount


@kernel_part
def _set_closed(account: Any, closed: bool) -> None:
    if closed:
        account["flags"] |= ACCOUNT_CLOSED
    else:
        account["flags"] &= 0xFFFF ^ ACCOUNT_CLOSED


@kernel_part
def _close_and_reopen(state: State, row: Any, debit: int, credit: int, hold: int) -> None:
    if row["status"] == Status.CREATED and row["flags"] & PENDING != 0:
        if row["flags"] & CLOSING_DEBIT != 0:
            _set_closed(state.accounts[debit], closed=True)
        if row["flags"] & CLOSING_CREDIT != 0:
            _set_closed(state.accounts[credit], closed=True)
    elif hold >= 0 and row["flags"] & POST == 0:
        held_flags = state.hold_rows[hold]["flags"]
        if held_flags & CLOSING_DEBIT != 0:
            _set_closed(state.accounts[debit], closed=False)
        if held_flags & CLOSING_CREDIT != 0:
            _set_closed(state.accounts[credit], closed=False)


@kernel_part
def _write_totals(row: Any, debit: Any, credit: Any) -> None:
    row["debit_debits_pending"] = debit["debits_pending"]
    row["debit_debits_posted"] = debit["debits_posted"]
    row["debit_credits_pending"] = debit["credits_pending"]
    row["debit_credits_posted"] = debit["credits_posted"]
    row["credit_debits_pending"] = credit["debits_pending"]
    row["credit_debits_posted"] = credit["debits_posted"]
    row["credit_credits_pending"] = credit["credits_pending"]
    row["credit_credits_posted"] = credit["credits_posted"]


@kernel_part
def keep_hold(state: State, row: Any, debit: int, credit: int) -> None:
    """Keep an open hold for a pending row."""
    scalars = state.scalars[0]
    index = scalars["holds"]
    state.hold_rows[index] = row
    hold = state.holds[index]
    hold["debit"] = debit
    hold["credit"] = credit
    hold["state"] = HOLD_OPEN
    hold["due"] = 0
    if row["timeout"] != 0:
        hold["due"] = row["timestamp"] + np.int64(row["timeout"]) * NANOSECONDS_PER_SECOND
    insert(state.hold_slots, id_hash(row["id_high"], row["id_low"], BY_ID), index)
    scalars["holds"] = index + 1
    scalars["holds_open"] += 1
    scalars["holds_hash"] += hold_hash(row, hold["due"])


@kernel_part
def _end_hold(state: State, row: Any, hold: int) -> None:
    state_after = HOLD_EXPIRED
    if row["status"] == Status.CREATED:
        state_after = HOLD_POSTED if row["flags"] & POST != 0 else HOLD_VOIDED
    state.holds[hold]["state"] = state_after
    scalars = state.scalars[0]
    scalars["holds_open"] -= 1
    scalars["holds_hash"] -= hold_hash(state.hold_rows[hold], state.holds[hold]["due"])


@kernel_part
def note_timer(state: State, row: Any) -> None:
    """Set the timer of a pending row that can expire."""
    scalars = state.scalars[0]
    hold = find_hold(state, row["id_high"], row["id_low"])
    push(state.timers, scalars["timers"], state.holds[hold]["due"], row["position"], TIMER_OF_HOLD, hold)
    scalars["timers"] += 1


@kernel_part
def apply_row(state: State, debit: int, credit: int, hold: int) -> None:
    """Give effect to the row that ``new_row`` started; the accounts are -1 where it has none.

    Writes what the row records of the effect: previous entries and totals.
    """
    scalars = state.scalars[0]
    index = scalars["recent"]
    row = state.recent.rows[index]
    if row["status"] == Status.CREATED or row["status"] == Status.EXPIRED:
        row["previous_debit"] = state.accounts[debit]["last_entry"]
        row["previous_credit"] = state.accounts[credit]["last_entry"]
        held = state.hold_rows[hold]["amount"] if hold >= 0 else 0
        _move(state, row, debit, credit, held)
        _close_and_reopen(state, row, debit, credit, hold)
        _write_totals(row, state.accounts[debit], state.accounts[credit])
        state.accounts[debit]["last_entry"] = row["position"]
        state.accounts[credit]["last_entry"] = row["position"]
        _rehash(state, debit)
        _rehash(state, credit)
        if hold >= 0:
            _end_hold(state, row, hold)
        elif row["flags"] & PENDING != 0:
            keep_hold(state, row, debit, credit)
        scalars["transfer_timestamp"] = max(scalars["transfer_timestamp"], row["timestamp"])
    enter_row(state.recent, index)
    scalars["rows_hash"] += row_hash(state.recent, index)
    scalars["recent"] = index + 1
    scalars["position"] = row["position"]


@kernel_part
def begin_chain(state: State) -> None:
    """Note where a chain begins, for ``undo_chain``."""
    state.scalars[0]["undo_accounts"] = 0
    state.scalars[0]["undo_holds"] = 0
    state.chain_start[0] = state.scalars[0]


@kernel_part
def undo_chain(state: State) -> None:
    """Undo every effect since ``begin_chain``, newest first."""
    scalars, before = state.scalars[0], state.chain_start[0]
    for index in range(scalars["accounts"] - 1, before["accounts"] - 1, -1):
        account = state.accounts[index]
        remove_last(state.account_slots, id_hash(account["id_high"], account["id_low"], BY_ID), index)
    for index in range(scalars["recent"] - 1, before["recent"] - 1, -1):
        remove_last_row(state.recent, index)
    for hold in range(scalars["holds"] - 1, before["holds"] - 1, -1):
        row = state.hold_rows[hold]
        remove_last(state.hold_slots, id_hash(row["id_high"], row["id_low"], BY_ID), hold)
    for undo in range(scalars["undo_holds"] - 1, -1, -1):
        state.holds[state.undo_hold_indexes[undo]]["state"] = HOLD_OPEN
    for undo in range(scalars["undo_accounts"] - 1, -1, -1):
        state.accounts[state.undo_account_indexes[undo]] = state.undo_accounts[undo]
    state.scalars[0] = before
