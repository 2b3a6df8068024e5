"""Comparisons of the fields of events and rows."""

from __future__ import annotations

from typing import Any

from formicary.base.kernels import kernel_part
from formicary.factory.ledger._layout import WORD_MAX, WORD_ZERO

__all__ = ["different_credit", "different_debit", "is_max", "is_zero", "no_credit", "no_debit"]


@kernel_part
def is_zero(high: Any, low: Any) -> bool:
    return bool(high == WORD_ZERO and low == WORD_ZERO)


@kernel_part
def is_max(high: Any, low: Any) -> bool:
    return bool(high == WORD_MAX and low == WORD_MAX)


@kernel_part
def different_debit(item: Any, row: Any) -> bool:
    return bool(
        item["debit_account_id_high"] != row["debit_account_id_high"]
        or item["debit_account_id_low"] != row["debit_account_id_low"]
    )


@kernel_part
def different_credit(item: Any, row: Any) -> bool:
    return bool(
        item["credit_account_id_high"] != row["credit_account_id_high"]
        or item["credit_account_id_low"] != row["credit_account_id_low"]
    )


@kernel_part
def no_debit(item: Any) -> bool:
    return is_zero(item["debit_account_id_high"], item["debit_account_id_low"])


@kernel_part
def no_credit(item: Any) -> bool:
    return is_zero(item["credit_account_id_high"], item["credit_account_id_low"])
