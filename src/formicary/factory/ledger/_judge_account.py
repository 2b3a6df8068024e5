"""Judgement of an account to open. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._fields import is_max, is_zero
from formicary.factory.ledger._index import find_account
from formicary.factory.ledger._layout import (
    ACCOUNT_FLAGS_KNOWN,
    ACCOUNT_IMPORTED,
    CREDITS_FLOORED,
    DEBITS_FLOORED,
    State,
)
from formicary.factory.ledger.statuses import CreateAccountStatus as Opening

__all__ = ["judge_account"]


@kernel_part
def judge_account(state: State, item: Any, stamp: int, import_mode: bool) -> tuple[int, int]:
    """Judge the opening of an account: (status, number of the account that has the id or -1)."""
    status = _judge_account_envelope(item, stamp, import_mode)
    if status != Opening.CREATED:
        return status, -1
    existing = find_account(state, item["id_high"], item["id_low"])
    if existing >= 0:
        return _judge_existing_account(item, state.accounts[existing]), existing
    if item["flags"] & DEBITS_FLOORED != 0 and item["flags"] & CREDITS_FLOORED != 0:
        return Opening.FLAGS_ARE_MUTUALLY_EXCLUSIVE, -1
    if item["credit_limit"] < 0:
        return Opening.CREDIT_LIMIT_MUST_NOT_BE_NEGATIVE, -1
    if item["credit_limit"] != 0 and item["flags"] & DEBITS_FLOORED == 0:
        return Opening.CREDIT_LIMIT_MUST_BE_ZERO, -1
    status = _judge_account_fields(item)
    if status == Opening.CREATED and item["flags"] & ACCOUNT_IMPORTED != 0:
        scalars = state.scalars[0]
        latest = max(scalars["account_timestamp"], scalars["transfer_timestamp"])
        if item["timestamp"] <= latest:
            return Opening.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS, -1
    return status, -1


@kernel_part
def _judge_account_envelope(item: Any, stamp: int, import_mode: bool) -> int:
    imported = item["flags"] & ACCOUNT_IMPORTED != 0
    if imported != import_mode:
        return Opening.IMPORTED_EVENT_EXPECTED if import_mode else Opening.IMPORTED_EVENT_NOT_EXPECTED
    if imported:
        if item["timestamp"] < 1:
            return Opening.IMPORTED_EVENT_TIMESTAMP_OUT_OF_RANGE
        if item["timestamp"] >= stamp:
            return Opening.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE
    elif item["timestamp"] != 0:
        return Opening.TIMESTAMP_MUST_BE_ZERO
    if item["reserved"] != 0:
        return Opening.RESERVED_FIELD
    if item["flags"] & (0xFFFF ^ ACCOUNT_FLAGS_KNOWN) != 0:
        return Opening.RESERVED_FLAG
    if is_zero(item["id_high"], item["id_low"]):
        return Opening.ID_MUST_NOT_BE_ZERO
    if is_max(item["id_high"], item["id_low"]):
        return Opening.ID_MUST_NOT_BE_INT_MAX
    return Opening.CREATED


@kernel_part
def _judge_existing_account(item: Any, account: Any) -> int:
    if item["flags"] != account["flags"]:
        return Opening.EXISTS_WITH_DIFFERENT_FLAGS
    if (
        item["user_data_128_high"] != account["user_data_128_high"]
        or item["user_data_128_low"] != account["user_data_128_low"]
    ):
        return Opening.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if item["user_data_64"] != account["user_data_64"]:
        return Opening.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if item["user_data_32"] != account["user_data_32"]:
        return Opening.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if item["ledger"] != account["ledger"]:
        return Opening.EXISTS_WITH_DIFFERENT_LEDGER
    if item["code"] != account["code"]:
        return Opening.EXISTS_WITH_DIFFERENT_CODE
    if item["credit_limit"] != account["credit_limit"]:
        return Opening.EXISTS_WITH_DIFFERENT_CREDIT_LIMIT
    return Opening.EXISTS


@kernel_part
def _judge_account_fields(item: Any) -> int:
    if item["debits_pending"] != 0:
        return Opening.DEBITS_PENDING_MUST_BE_ZERO
    if item["debits_posted"] != 0:
        return Opening.DEBITS_POSTED_MUST_BE_ZERO
    if item["credits_pending"] != 0:
        return Opening.CREDITS_PENDING_MUST_BE_ZERO
    if item["credits_posted"] != 0:
        return Opening.CREDITS_POSTED_MUST_BE_ZERO
    if item["ledger"] == 0:
        return Opening.LEDGER_MUST_NOT_BE_ZERO
    if item["code"] == 0:
        return Opening.CODE_MUST_NOT_BE_ZERO
    return Opening.CREATED
