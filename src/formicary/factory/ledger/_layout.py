"""The ledger's state: packed arrays in one named tuple, which every kernel takes first."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.factory.journal.rows import TOTALS
from formicary.factory.ledger.statuses import AccountFlags, TransferFlags

__all__ = ["ACCOUNT_STATE", "HOLD", "SCALARS", "Generation", "Records", "State"]

Records = npt.NDArray[Any]

SEMANTICS: Final = 1
"""The version of what the kernels mean; it grows with every change that would decide anything differently."""

# Kernels see flags as plain integers.
LINKED: Final = int(TransferFlags.LINKED)
PENDING: Final = int(TransferFlags.PENDING)
POST: Final = int(TransferFlags.POST_PENDING_TRANSFER)
VOID: Final = int(TransferFlags.VOID_PENDING_TRANSFER)
RESOLVES: Final = POST | VOID
BALANCING_DEBIT: Final = int(TransferFlags.BALANCING_DEBIT)
BALANCING_CREDIT: Final = int(TransferFlags.BALANCING_CREDIT)
BALANCING: Final = BALANCING_DEBIT | BALANCING_CREDIT
CLOSING_DEBIT: Final = int(TransferFlags.CLOSING_DEBIT)
CLOSING_CREDIT: Final = int(TransferFlags.CLOSING_CREDIT)
CLOSING: Final = CLOSING_DEBIT | CLOSING_CREDIT
IMPORTED: Final = int(TransferFlags.IMPORTED)
HELD: Final = int(TransferFlags.HELD)
MADE_PENDING: Final = PENDING | HELD
TRANSFER_FLAGS_KNOWN: Final = sum(int(flag) for flag in TransferFlags) & ~HELD
"""What callers may ask for."""
ACCOUNT_LINKED: Final = int(AccountFlags.LINKED)
ACCOUNT_IMPORTED: Final = int(AccountFlags.IMPORTED)
ACCOUNT_CLOSED: Final = int(AccountFlags.CLOSED)
DEBITS_FLOORED: Final = int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
CREDITS_FLOORED: Final = int(AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS)
ACCOUNT_FLAGS_KNOWN: Final = sum(int(flag) for flag in AccountFlags)

AMOUNT_MAX: Final = 2**63 - 1
WORD_MAX: Final = np.uint64(2**64 - 1)
WORD_ZERO: Final = np.uint64(0)
NANOSECONDS_PER_SECOND: Final = 1_000_000_000

ACCOUNT_STATE: Final = np.dtype(
    [
        ("id_high", "<u8"),
        ("id_low", "<u8"),
        *((total, "<i8") for total in TOTALS),
        ("credit_limit", "<i8"),
        # Position of the account's latest entry: the head of its linked list through the journal.
        ("last_entry", "<i8"),
        ("hash", "<u8"),
        ("timestamp", "<i8"),
        ("position", "<i8"),
        ("user_data_128_high", "<u8"),
        ("user_data_128_low", "<u8"),
        ("user_data_64", "<u8"),
        ("user_data_32", "<u4"),
        ("ledger", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
        ("reserved", "<u4"),
    ]
)
"""One account in memory: 128 bytes, two cache lines."""

HOLD_OPEN: Final = 1
HOLD_POSTED: Final = 2
HOLD_VOIDED: Final = 3
HOLD_EXPIRED: Final = 4

TIMER_OF_HOLD: Final = 0
"""The kind of the ledger's own timers; their reference is the number of the hold."""

TIMER_OF_OTHERS: Final = 1

HOLD: Final = np.dtype(
    [("due", "<i8"), ("debit", "<u4"), ("credit", "<u4"), ("state", "<u4"), ("reserved", "<u4")]
)
"""What is kept of a pending transfer besides its row; ``due`` is 0 for one that never expires."""

SCALARS: Final = np.dtype(
    [
        ("position", "<i8"),
        ("timestamp", "<i8"),
        ("account_timestamp", "<i8"),
        ("transfer_timestamp", "<i8"),
        ("accounts", "<i8"),
        ("recent", "<i8"),
        ("older", "<i8"),
        ("fetched", "<i8"),
        ("holds", "<i8"),
        ("holds_open", "<i8"),
        ("timers", "<i8"),
        ("undo_accounts", "<i8"),
        ("undo_holds", "<i8"),
        # Decisions about rows of the group in progress, which lie with whoever decides.
        ("decisions", "<i8"),
        ("accounts_hash", "<u8"),
        ("holds_hash", "<u8"),
        ("rows_hash", "<u8"),
    ]
)
"""Everything of the state that is one number."""


class Generation(NamedTuple):
    """Transfer rows with an open-addressing index over their ids and the holds they resolved."""

    rows: Records
    words: Records
    """The same memory as ``rows``, as unsigned words, shape (rows, 27), for hashing."""
    slots: Records


class State(NamedTuple):
    """All the ledger knows. Arrays have room to spare; ``scalars`` says how much is in use."""

    scalars: Records
    accounts: Records
    account_slots: Records
    recent: Generation
    older: Generation
    fetched: Generation
    hold_rows: Records
    holds: Records
    hold_slots: Records
    timers: Records
    chain_start: Records
    """The scalars as they were when the chain in progress began, shape (1,)."""
    undo_accounts: Records
    undo_account_indexes: Records
    undo_hold_indexes: Records
