"""What callers send and receive: packed arrays, with dataclasses for the hand-written case.

Every array field means the same as the dataclass field of that name; a 128-bit id is
two words, ``<name>_high`` and ``<name>_low``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.rows import SIDES, TOTALS
from formicary.factory.ledger.statuses import AccountFlags, TransferFlags

__all__ = [
    "ACCOUNT",
    "ACCOUNT_RESULT",
    "AMOUNT_MAX",
    "ID_MAX",
    "TRANSFER",
    "TRANSFER_RESULT",
    "Account",
    "Transfer",
    "account_array",
    "id_column",
    "transfer_array",
]

AMOUNT_MAX: Final = 2**63 - 1
"""The largest amount; on a post it means "all of the hold", as on a balancing transfer "all there is"."""
ID_MAX: Final = 2**128 - 1
_WORD_MASK: Final = 2**64 - 1

ACCOUNT: Final = np.dtype(
    [
        ("id_high", "<u8"),
        ("id_low", "<u8"),
        ("user_data_128_high", "<u8"),
        ("user_data_128_low", "<u8"),
        ("user_data_64", "<u8"),
        ("timestamp", "<i8"),
        ("credit_limit", "<i8"),
        *((total, "<i8") for total in TOTALS),
        ("user_data_32", "<u4"),
        ("ledger", "<u4"),
        ("reserved", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
    ]
)
"""One account as created and as looked up: 104 bytes. The totals must be zero at creation."""

TRANSFER: Final = np.dtype(
    [
        ("id_high", "<u8"),
        ("id_low", "<u8"),
        ("debit_account_id_high", "<u8"),
        ("debit_account_id_low", "<u8"),
        ("credit_account_id_high", "<u8"),
        ("credit_account_id_low", "<u8"),
        ("amount", "<i8"),
        ("pending_id_high", "<u8"),
        ("pending_id_low", "<u8"),
        ("user_data_128_high", "<u8"),
        ("user_data_128_low", "<u8"),
        ("user_data_64", "<u8"),
        ("timestamp", "<i8"),
        ("user_data_32", "<u4"),
        ("timeout", "<u4"),
        ("ledger", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
    ]
)
"""One transfer as a caller sends it: 120 bytes."""

ACCOUNT_RESULT: Final = np.dtype([("timestamp", "<i8"), ("status", "<u4"), ("reserved", "<u4")])
"""The answer to one account: its status and its timestamp in nanoseconds."""

TRANSFER_RESULT: Final = np.dtype(
    [
        ("timestamp", "<i8"),
        ("status", "<u4"),
        ("reserved", "<u4"),
        *((f"{side}_{total}", "<i8") for side in SIDES for total in TOTALS),
    ]
)
"""The answer to one transfer, with the totals of both accounts.

After ``created`` they are the totals it left; after ``exists`` those the original left; after a
refusal for funds or closure those that refused it; zero where no account was reached.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One account to open.

    ``credit_limit`` is the amount, in minor units, by which debits may exceed credits; it
    requires ``AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS``.
    """

    id: int
    ledger: int
    code: int
    flags: int = AccountFlags.NONE
    credit_limit: int = 0
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    timestamp: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    """One transfer to make: ``amount`` minor units from the debit to the credit account."""

    id: int
    debit_account_id: int = 0
    credit_account_id: int = 0
    amount: int = 0
    pending_id: int = 0
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    timeout: int = 0
    ledger: int = 0
    code: int = 0
    flags: int = TransferFlags.NONE
    timestamp: int = 0


def account_array(accounts: Iterable[Account]) -> npt.NDArray[Any]:
    """Pack accounts into an ``ACCOUNT`` array, shape (n,)."""
    return _pack(list(accounts), ACCOUNT, Account)


def transfer_array(transfers: Iterable[Transfer]) -> npt.NDArray[Any]:
    """Pack transfers into a ``TRANSFER`` array, shape (n,)."""
    return _pack(list(transfers), TRANSFER, Transfer)


def id_column(array: npt.NDArray[Any], name: str = "id") -> list[int]:
    """Return the 128-bit column ``name`` of a packed array as Python integers, shape (n,)."""
    high, low = array[f"{name}_high"].tolist(), array[f"{name}_low"].tolist()
    return [(h << 64) | w for h, w in zip(high, low, strict=True)]


def _pack(items: Sequence[Any], dtype: np.dtype[Any], kind: type) -> npt.NDArray[Any]:
    array = np.zeros(len(items), dtype)
    if not items:
        return array
    names = dtype.names or ()
    for field in fields(kind):
        column = [getattr(item, field.name) for item in items]
        if field.name in names:
            array[field.name] = column
        else:
            array[f"{field.name}_high"] = [value >> 64 for value in column]
            array[f"{field.name}_low"] = [value & _WORD_MASK for value in column]
    return array
