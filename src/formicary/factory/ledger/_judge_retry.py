"""Judgement of an event whose id was used before. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._fields import different_credit, different_debit, is_zero, no_credit, no_debit
from formicary.factory.ledger._find import find_held, transfer_row
from formicary.factory.ledger._layout import (
    AMOUNT_MAX,
    BALANCING,
    HELD,
    MADE_PENDING,
    POST,
    RESOLVES,
    State,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["judge_retry"]


@kernel_part
def judge_retry(state: State, item: Any, row: Any) -> int:
    """Judge an event whose id is already in the journal, as ``row``."""
    if row["status"] != Status.CREATED:
        return Status.ID_ALREADY_FAILED
    if row["flags"] & HELD != 0:
        return _judge_retried_hold(item, row)
    if item["flags"] != row["flags"]:
        return Status.EXISTS_WITH_DIFFERENT_FLAGS
    if item["pending_id_high"] != row["pending_id_high"] or item["pending_id_low"] != row["pending_id_low"]:
        return Status.EXISTS_WITH_DIFFERENT_PENDING_ID
    if item["timeout"] != row["timeout"]:
        return Status.EXISTS_WITH_DIFFERENT_TIMEOUT
    if row["flags"] & RESOLVES != 0:
        return _judge_retried_resolution(state, item, row)
    return _judge_retried_plain(item, row)


@kernel_part
def _judge_retried_hold(item: Any, row: Any) -> int:
    """Judge an event that a decision made pending: asked again as it was, it is held."""
    if item["flags"] != row["flags"] & (0xFFFF ^ MADE_PENDING):
        return Status.EXISTS_WITH_DIFFERENT_FLAGS
    if item["timeout"] != 0:
        return Status.EXISTS_WITH_DIFFERENT_TIMEOUT
    status = _judge_retried_plain(item, row)
    return Status.HELD if status == Status.EXISTS else status


@kernel_part
def _judge_retried_plain(item: Any, row: Any) -> int:
    if different_debit(item, row):
        return Status.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if different_credit(item, row):
        return Status.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    if item["flags"] & BALANCING != 0:
        # What was moved is what there was: asking for that much or more is the same wish.
        if item["amount"] < row["amount"]:
            return Status.EXISTS_WITH_DIFFERENT_AMOUNT
    elif item["amount"] != row["amount"]:
        return Status.EXISTS_WITH_DIFFERENT_AMOUNT
    if (
        item["user_data_128_high"] != row["user_data_128_high"]
        or item["user_data_128_low"] != row["user_data_128_low"]
    ):
        return Status.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if item["user_data_64"] != row["user_data_64"]:
        return Status.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if item["user_data_32"] != row["user_data_32"]:
        return Status.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if item["ledger"] != row["ledger"]:
        return Status.EXISTS_WITH_DIFFERENT_LEDGER
    if item["code"] != row["code"]:
        return Status.EXISTS_WITH_DIFFERENT_CODE
    return Status.EXISTS


@kernel_part
def _judge_retried_resolution(state: State, item: Any, row: Any) -> int:
    _, generation, index = find_held(state, row["pending_id_high"], row["pending_id_low"])
    held = transfer_row(state, generation, index)
    if not no_debit(item) and different_debit(item, row):
        return Status.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if not no_credit(item) and different_credit(item, row):
        return Status.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    amount = item["amount"]
    if item["flags"] & POST != 0:
        if amount == AMOUNT_MAX:
            amount = held["amount"]
    elif amount == 0:
        amount = held["amount"]
    if amount != row["amount"]:
        return Status.EXISTS_WITH_DIFFERENT_AMOUNT
    high, low = item["user_data_128_high"], item["user_data_128_low"]
    if is_zero(high, low):
        high, low = held["user_data_128_high"], held["user_data_128_low"]
    if high != row["user_data_128_high"] or low != row["user_data_128_low"]:
        return Status.EXISTS_WITH_DIFFERENT_USER_DATA_128
    user_data_64 = item["user_data_64"] if item["user_data_64"] != 0 else held["user_data_64"]
    if user_data_64 != row["user_data_64"]:
        return Status.EXISTS_WITH_DIFFERENT_USER_DATA_64
    user_data_32 = item["user_data_32"] if item["user_data_32"] != 0 else held["user_data_32"]
    if user_data_32 != row["user_data_32"]:
        return Status.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if item["ledger"] != 0 and item["ledger"] != row["ledger"]:
        return Status.EXISTS_WITH_DIFFERENT_LEDGER
    if item["code"] != 0 and item["code"] != row["code"]:
        return Status.EXISTS_WITH_DIFFERENT_CODE
    return Status.EXISTS
