"""Judgement of a transfer that resolves no hold. Nothing here changes anything.

The order of the checks *is* the order of precedence; ``docs/ledger.md`` lists it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._fields import is_max, is_zero, no_credit, no_debit
from formicary.factory.ledger._find import is_account_timestamp
from formicary.factory.ledger._layout import (
    ACCOUNT_CLOSED,
    AMOUNT_MAX,
    BALANCING_CREDIT,
    BALANCING_DEBIT,
    CLOSING,
    CREDITS_FLOORED,
    DEBITS_FLOORED,
    IMPORTED,
    NANOSECONDS_PER_SECOND,
    PENDING,
    TRANSFER_FLAGS_KNOWN,
    State,
)
from formicary.factory.ledger.statuses import CreateTransferStatus as Status

__all__ = ["clamp", "is_transient", "judge_envelope", "judge_plain"]


@kernel_part
def is_transient(status: int) -> bool:
    """Tell whether a refusal depends on state, so that it burns the transfer's id."""
    return status in (
        Status.DEBIT_ACCOUNT_NOT_FOUND,
        Status.CREDIT_ACCOUNT_NOT_FOUND,
        Status.PENDING_TRANSFER_NOT_FOUND,
        Status.EXCEEDS_CREDITS,
        Status.EXCEEDS_DEBITS,
        Status.DEBIT_ACCOUNT_ALREADY_CLOSED,
        Status.CREDIT_ACCOUNT_ALREADY_CLOSED,
        Status.STEP_UP_REQUIRED,
        Status.DECLINED,
    )


@kernel_part
def judge_envelope(item: Any, stamp: int, import_mode: bool) -> int:
    """Judge what needs no state: import mode, timestamp, reserved flags, id, sign."""
    imported = item["flags"] & IMPORTED != 0
    if imported != import_mode:
        return Status.IMPORTED_EVENT_EXPECTED if import_mode else Status.IMPORTED_EVENT_NOT_EXPECTED
    if imported:
        if item["timestamp"] < 1:
            return Status.IMPORTED_EVENT_TIMESTAMP_OUT_OF_RANGE
        if item["timestamp"] >= stamp:
            return Status.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_ADVANCE
    elif item["timestamp"] != 0:
        return Status.TIMESTAMP_MUST_BE_ZERO
    if item["flags"] & (0xFFFF ^ TRANSFER_FLAGS_KNOWN) != 0:
        return Status.RESERVED_FLAG
    if is_zero(item["id_high"], item["id_low"]):
        return Status.ID_MUST_NOT_BE_ZERO
    if is_max(item["id_high"], item["id_low"]):
        return Status.ID_MUST_NOT_BE_INT_MAX
    if item["amount"] < 0:
        return Status.AMOUNT_MUST_NOT_BE_NEGATIVE
    return Status.CREATED


@kernel_part
def _judge_plain_fields(item: Any) -> int:
    if no_debit(item):
        return Status.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    if is_max(item["debit_account_id_high"], item["debit_account_id_low"]):
        return Status.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    if no_credit(item):
        return Status.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    if is_max(item["credit_account_id_high"], item["credit_account_id_low"]):
        return Status.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    if (
        item["debit_account_id_high"] == item["credit_account_id_high"]
        and item["debit_account_id_low"] == item["credit_account_id_low"]
    ):
        return Status.ACCOUNTS_MUST_BE_DIFFERENT
    if not is_zero(item["pending_id_high"], item["pending_id_low"]):
        return Status.PENDING_ID_MUST_BE_ZERO
    if item["flags"] & PENDING == 0:
        if item["timeout"] != 0:
            return Status.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
        if item["flags"] & CLOSING != 0:
            return Status.CLOSING_TRANSFER_MUST_BE_PENDING
    if item["ledger"] == 0:
        return Status.LEDGER_MUST_NOT_BE_ZERO
    if item["code"] == 0:
        return Status.CODE_MUST_NOT_BE_ZERO
    return Status.CREATED


@kernel_part
def _judge_import(state: State, item: Any, debit: Any, credit: Any) -> int:
    timestamp = item["timestamp"]
    if timestamp <= state.scalars[0]["transfer_timestamp"] or is_account_timestamp(state, timestamp):
        return Status.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS
    if timestamp <= debit["timestamp"]:
        return Status.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_DEBIT_ACCOUNT
    if timestamp <= credit["timestamp"]:
        return Status.IMPORTED_EVENT_TIMESTAMP_MUST_POSTDATE_CREDIT_ACCOUNT
    if item["timeout"] != 0:
        return Status.IMPORTED_EVENT_TIMEOUT_MUST_BE_ZERO
    return Status.CREATED


@kernel_part
def clamp(item: Any, debit: Any, credit: Any) -> int:
    """Return the amount that a transfer moves: all that is asked, or what balancing leaves of it."""
    amount = item["amount"]
    if item["flags"] & BALANCING_DEBIT != 0:
        there = debit["credits_posted"] - debit["debits_posted"]
        there = there - debit["debits_pending"] if there > 0 else 0
        amount = min(amount, max(there, 0))
    if item["flags"] & BALANCING_CREDIT != 0:
        there = credit["debits_posted"] - credit["credits_posted"]
        there = there - credit["credits_pending"] if there > 0 else 0
        amount = min(amount, max(there, 0))
    return int(amount)


@kernel_part
def _judge_overflow(item: Any, debit: Any, credit: Any, amount: int, timestamp: int) -> int:
    room = AMOUNT_MAX - amount
    if item["flags"] & PENDING != 0:
        if debit["debits_pending"] > room:
            return Status.OVERFLOWS_DEBITS_PENDING
        if credit["credits_pending"] > room:
            return Status.OVERFLOWS_CREDITS_PENDING
    if debit["debits_posted"] > room:
        return Status.OVERFLOWS_DEBITS_POSTED
    if credit["credits_posted"] > room:
        return Status.OVERFLOWS_CREDITS_POSTED
    # Pending and posted together stay below the maximum, so neither sum nor difference can wrap.
    if debit["debits_pending"] + debit["debits_posted"] > room:
        return Status.OVERFLOWS_DEBITS
    if credit["credits_pending"] + credit["credits_posted"] > room:
        return Status.OVERFLOWS_CREDITS
    if np.int64(item["timeout"]) * NANOSECONDS_PER_SECOND > AMOUNT_MAX - timestamp:
        return Status.OVERFLOWS_TIMEOUT
    return Status.CREATED


@kernel_part
def _judge_floors(debit: Any, credit: Any, amount: int) -> int:
    if debit["flags"] & DEBITS_FLOORED != 0:
        debits = debit["debits_pending"] + debit["debits_posted"] + amount
        # The limit may lift the ceiling past the largest number: compare without adding to it.
        if debits > debit["credits_posted"] and debits - debit["credits_posted"] > debit["credit_limit"]:
            return Status.EXCEEDS_CREDITS
    if credit["flags"] & CREDITS_FLOORED != 0:
        credits_after = credit["credits_pending"] + credit["credits_posted"] + amount
        if credits_after > credit["debits_posted"]:
            return Status.EXCEEDS_DEBITS
    return Status.CREATED


@kernel_part
def judge_plain(
    state: State, item: Any, debit_index: int, credit_index: int, timestamp: int
) -> tuple[int, int, bool]:
    """Judge a transfer that resolves no hold: (status, amount moved, whether both accounts are known)."""
    status = _judge_plain_fields(item)
    if status != Status.CREATED:
        return status, 0, False
    if debit_index < 0:
        return Status.DEBIT_ACCOUNT_NOT_FOUND, 0, False
    if credit_index < 0:
        return Status.CREDIT_ACCOUNT_NOT_FOUND, 0, False
    debit, credit = state.accounts[debit_index], state.accounts[credit_index]
    if debit["ledger"] != credit["ledger"]:
        return Status.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER, 0, False
    if item["ledger"] != debit["ledger"]:
        return Status.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS, 0, False
    if item["flags"] & IMPORTED != 0:
        status = _judge_import(state, item, debit, credit)
        if status != Status.CREATED:
            return status, 0, False
    if debit["flags"] & ACCOUNT_CLOSED != 0:
        return Status.DEBIT_ACCOUNT_ALREADY_CLOSED, 0, True
    if credit["flags"] & ACCOUNT_CLOSED != 0:
        return Status.CREDIT_ACCOUNT_ALREADY_CLOSED, 0, True
    amount = clamp(item, debit, credit)
    status = _judge_overflow(item, debit, credit, amount, timestamp)
    if status == Status.CREATED:
        status = _judge_floors(debit, credit, amount)
    return status, amount, True
