"""Answers made of journal rows and account states: what callers see of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.base.limits import QUERY_LIMIT_MAX
from formicary.factory.journal.rows import TOTALS
from formicary.factory.ledger._layout import Records
from formicary.factory.ledger.filters import AccountFilter, QueryFilter
from formicary.factory.ledger.records import ACCOUNT, TRANSFER
from formicary.factory.ledger.statuses import CreateTransferStatus

__all__ = [
    "ACCOUNT_BALANCE",
    "accounts_view",
    "balances_view",
    "cut",
    "entries_of",
    "is_created",
    "is_entry",
    "matches",
    "transfers_view",
    "trial_balance",
]

ACCOUNT_BALANCE: Final = np.dtype([("timestamp", "<i8"), *((total, "<i8") for total in TOTALS)])
"""The totals of one account from a timestamp on."""

_WORD: Final = 2**64 - 1


def accounts_view(accounts: Records) -> Records:
    """Return account states (n,) as callers see them, (n,) of ``ACCOUNT``."""
    return _copy_fields(accounts, ACCOUNT)


def transfers_view(rows: Records) -> Records:
    """Return journal rows (n,) as callers see them, (n,) of ``TRANSFER``."""
    return _copy_fields(rows, TRANSFER)


def _copy_fields(records: Records, dtype: np.dtype[np.void]) -> Records:
    view = np.zeros(len(records), dtype)
    for name in set(dtype.names or ()) - {"reserved"}:
        view[name] = records[name]
    return view


def is_created(rows: Records) -> Records:
    """Tell which rows (n,) are transfers: not burnt ids, not expiries."""
    return np.asarray(rows["status"] == CreateTransferStatus.CREATED)


def is_entry(rows: Records) -> Records:
    """Tell which rows (n,) changed totals: transfers and expiries."""
    return np.asarray(is_created(rows) | (rows["status"] == CreateTransferStatus.EXPIRED))


def _is_id(records: Records, name: str, wanted: int) -> Records:
    same_high = records[f"{name}_high"] == np.uint64(wanted >> 64)
    return np.asarray(same_high & (records[f"{name}_low"] == np.uint64(wanted & _WORD)))


def entries_of(rows: Records, account_id: int, *, debits: bool = True, credits_: bool = True) -> Records:
    """Tell which rows (n,) changed totals of an account, on the sides asked for."""
    sides = np.zeros(len(rows), bool)
    if debits:
        sides |= _is_id(rows, "debit_account_id", account_id)
    if credits_:
        sides |= _is_id(rows, "credit_account_id", account_id)
    return np.asarray(sides & is_entry(rows))


def matches(records: Records, wanted: QueryFilter | AccountFilter) -> Records:
    """Tell which records (n,) have every field that a filter names."""
    found = np.ones(len(records), bool)
    if wanted.user_data_128:
        found &= _is_id(records, "user_data_128", wanted.user_data_128)
    for name in ("user_data_64", "user_data_32", "ledger", "code"):
        value = getattr(wanted, name, 0)
        if value:
            found &= records[name] == value
    if wanted.timestamp_min:
        found &= records["timestamp"] >= wanted.timestamp_min
    if wanted.timestamp_max:
        found &= records["timestamp"] <= wanted.timestamp_max
    return found


def cut(records: Records, wanted: QueryFilter | AccountFilter) -> Records:
    """Order matching records as asked, and keep as many as were asked for."""
    ordered = records[::-1] if wanted.reversed else records
    return ordered[: min(wanted.limit, QUERY_LIMIT_MAX)]


def balances_view(rows: Records, account_id: int) -> Records:
    """Return the totals of an account after each of its rows (n,), (n,) of ``ACCOUNT_BALANCE``."""
    view = np.zeros(len(rows), ACCOUNT_BALANCE)
    view["timestamp"] = rows["timestamp"]
    debited = _is_id(rows, "debit_account_id", account_id)
    for total in TOTALS:
        view[total] = np.where(debited, rows[f"debit_{total}"], rows[f"credit_{total}"])
    return view


def trial_balance(accounts: Records) -> dict[int, tuple[int, int, int, int]]:
    """Sum the four totals of account states (n,) per ledger, as Python integers.

    In each ledger debits equal credits, pending and posted apart: money is neither made nor lost.
    """
    sums: dict[int, tuple[int, int, int, int]] = {}
    for ledger in np.unique(accounts["ledger"]).tolist():
        of_ledger = accounts[accounts["ledger"] == ledger]
        pending, posted, to_come, received = (sum(of_ledger[total].tolist()) for total in TOTALS)
        sums[ledger] = (pending, posted, to_come, received)
    return sums
