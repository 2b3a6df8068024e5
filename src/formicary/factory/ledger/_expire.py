"""Holds that fall due."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel, kernel_part
from formicary.factory.ledger._apply import apply_row, new_row
from formicary.factory.ledger._layout import HOLD_OPEN, TIMER_OF_HOLD, State
from formicary.factory.ledger.statuses import CreateTransferStatus as Status
from formicary.factory.timers import pop

__all__ = ["expire_due", "inherit_from_hold", "run_expiries"]


@kernel_part
def inherit_from_hold(row: Any, held: Any) -> None:
    """Give a post or void the accounts of its hold, and the user data it does not bring itself."""
    row["debit_account_id_high"] = held["debit_account_id_high"]
    row["debit_account_id_low"] = held["debit_account_id_low"]
    row["credit_account_id_high"] = held["credit_account_id_high"]
    row["credit_account_id_low"] = held["credit_account_id_low"]
    row["ledger"] = held["ledger"]
    row["code"] = held["code"]
    if row["user_data_128_high"] == 0 and row["user_data_128_low"] == 0:
        row["user_data_128_high"] = held["user_data_128_high"]
        row["user_data_128_low"] = held["user_data_128_low"]
    if row["user_data_64"] == 0:
        row["user_data_64"] = held["user_data_64"]
    if row["user_data_32"] == 0:
        row["user_data_32"] = held["user_data_32"]


@kernel_part
def _expire(state: State, hold: int) -> None:
    held, due, scalars = state.hold_rows[hold], state.holds[hold]["due"], state.scalars[0]
    # Stamped with its due time, or with that of the chain it had to wait for: an account's entries
    # stand in the order of their timestamps.
    row = new_row(state, Status.EXPIRED, max(due, scalars["transfer_timestamp"]), 0)
    row["pending_id_high"] = held["id_high"]
    row["pending_id_low"] = held["id_low"]
    row["amount"] = held["amount"]
    inherit_from_hold(row, held)
    apply_row(state, state.holds[hold]["debit"], state.holds[hold]["credit"], hold)
    # A clock may go back after it let holds expire: no later row is stamped before them.
    scalars["timestamp"] = max(scalars["timestamp"], due - 1)


@kernel_part
def expire_due(state: State, stamp: int, expiries_max: int) -> tuple[int, bool]:
    """Expire the holds that fall due up to ``stamp``, in order of (due, position).

    Returns how many did, and whether none is left that is due: false when the cap was reached
    or a timer that is not the ledger's comes next.
    """
    scalars = state.scalars[0]
    expired = 0
    while scalars["timers"] > 0 and state.timers[0]["due"] <= stamp:
        timer = state.timers[0]
        if timer["kind"] != TIMER_OF_HOLD or expired == expiries_max:
            return expired, False
        hold = timer["reference"]
        pop(state.timers, scalars["timers"])
        scalars["timers"] -= 1
        # The timer of a hold that was posted or voided stays in the heap until it is due.
        if state.holds[hold]["state"] == HOLD_OPEN:
            _expire(state, hold)
            expired += 1
    return expired, True


@kernel
def run_expiries(state: State, stamp: int, expiries_max: int) -> bool:
    """Expire the holds that are due; tell whether no timer of any kind is due any more."""
    _, all_due_ran = expire_due(state, stamp, expiries_max)
    return all_due_ran
