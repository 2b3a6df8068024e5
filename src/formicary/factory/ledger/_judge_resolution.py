"""Judgement of a post or void. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._fields import (
    different_credit,
    different_debit,
    is_max,
    is_zero,
    no_credit,
    no_debit,
)
from formicary.factory.ledger._find import find_held, is_account_timestamp, transfer_row
from formicary.factory.ledger._index import find_hold
from formicary.factory.ledger._layout import (
    ACCOUNT_CLOSED,
    AMOUNT_MAX,
    BALANCING,
    CLOSING,
    HOLD_EXPIRED,
    HOLD_OPEN,
    HOLD_POSTED,
    HOLD_VOIDED,
    IMPORTED,
    PENDING,
    POST,
    RESOLVES,
    VOID,
    State,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["judge_resolution"]


@kernel_part
def _judge_resolution_fields(item: Any) -> int:
    flags = item["flags"]
    if flags & RESOLVES == RESOLVES or flags & (PENDING | BALANCING | CLOSING) != 0:
        return Status.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if is_zero(item["pending_id_high"], item["pending_id_low"]):
        return Status.PENDING_ID_MUST_NOT_BE_ZERO
    if is_max(item["pending_id_high"], item["pending_id_low"]):
        return Status.PENDING_ID_MUST_NOT_BE_INT_MAX
    if item["pending_id_high"] == item["id_high"] and item["pending_id_low"] == item["id_low"]:
        return Status.PENDING_ID_MUST_BE_DIFFERENT
    if item["timeout"] != 0:
        return Status.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    return Status.CREATED


@kernel_part
def _judge_against_hold(item: Any, held: Any) -> tuple[int, int]:
    if not no_debit(item) and different_debit(item, held):
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID, 0
    if not no_credit(item) and different_credit(item, held):
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID, 0
    if item["ledger"] != 0 and item["ledger"] != held["ledger"]:
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER, 0
    if item["code"] != 0 and item["code"] != held["code"]:
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_CODE, 0
    amount = item["amount"]
    if item["flags"] & VOID != 0:
        if amount == 0:
            amount = held["amount"]
    elif amount == AMOUNT_MAX:
        amount = held["amount"]
    if amount > held["amount"]:
        return Status.EXCEEDS_PENDING_TRANSFER_AMOUNT, 0
    if item["flags"] & VOID != 0 and amount < held["amount"]:
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT, 0
    return Status.CREATED, amount


@kernel_part
def judge_resolution(state: State, item: Any, stamp: int) -> tuple[int, int, int]:
    """Judge a post or void: (status, amount posted or released, number of the open hold)."""
    status = _judge_resolution_fields(item)
    if status != Status.CREATED:
        return status, 0, -1
    hold_state, generation, index = find_held(state, item["pending_id_high"], item["pending_id_low"])
    if hold_state == 0:
        return Status.PENDING_TRANSFER_NOT_FOUND, 0, -1
    if hold_state < 0:
        return Status.PENDING_TRANSFER_NOT_PENDING, 0, -1
    status, amount = _judge_against_hold(item, transfer_row(state, generation, index))
    if status != Status.CREATED:
        return status, 0, -1
    if hold_state == HOLD_POSTED:
        return Status.PENDING_TRANSFER_ALREADY_POSTED, 0, -1
    if hold_state == HOLD_VOIDED:
        return Status.PENDING_TRANSFER_ALREADY_VOIDED, 0, -1
    if hold_state == HOLD_EXPIRED:
        return Status.PENDING_TRANSFER_EXPIRED, 0, -1
    hold = find_hold(state, item["pending_id_high"], item["pending_id_low"])
    due = state.holds[hold]["due"]
    # The clock decides, not whether the expiry has its row yet.
    if due != 0 and due <= stamp:
        return Status.PENDING_TRANSFER_EXPIRED, 0, -1
    return _judge_open_hold(state, item, amount, hold)


@kernel_part
def _judge_open_hold(state: State, item: Any, amount: int, hold: int) -> tuple[int, int, int]:
    if state.holds[hold]["state"] != HOLD_OPEN:
        raise AssertionError
    if item["flags"] & IMPORTED != 0:
        timestamp = item["timestamp"]
        if timestamp <= state.scalars[0]["transfer_timestamp"] or is_account_timestamp(state, timestamp):
            return Status.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS, 0, -1
    if item["flags"] & POST != 0:
        if state.accounts[state.holds[hold]["debit"]]["flags"] & ACCOUNT_CLOSED != 0:
            return Status.DEBIT_ACCOUNT_ALREADY_CLOSED, 0, -1
        if state.accounts[state.holds[hold]["credit"]]["flags"] & ACCOUNT_CLOSED != 0:
            return Status.CREDIT_ACCOUNT_ALREADY_CLOSED, 0, -1
    return Status.CREATED, amount, hold
