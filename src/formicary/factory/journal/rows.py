"""The fixed layouts of the journal's hot rows.

One layout serves from end to end: the kernel writes it, the journal copies it to PostgreSQL,
the fold reads it back. A 128-bit id is two unsigned words, high then low, so that
compiled kernels can compare it without allocating. Absent values are zero, never NULL:
fixed-width rows are what makes binary COPY and packed reads cheap.

Amounts and totals are minor units; timestamps are nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = [
    "ACCOUNT_ROW",
    "DECISION_ROW",
    "REASONS",
    "SCORES",
    "SIDES",
    "TOTALS",
    "TRANSFER_ROW",
    "VALUES",
    "WORD_PAIRS",
]

TOTALS: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
SIDES: Final = ("debit", "credit")

TRANSFER_ROW: Final = np.dtype(
    [
        ("position", "<i8"),
        ("timestamp", "<i8"),
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
        ("user_data_32", "<u4"),
        ("timeout", "<u4"),
        ("ledger", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
        ("request", "<u4"),
        ("status", "<u2"),
        ("reserved", "<u2"),
        # The position of the previous entry of each account: a linked list through the journal.
        ("previous_debit", "<i8"),
        ("previous_credit", "<i8"),
        # The totals of both accounts after this row.
        *((f"{side}_{total}", "<i8") for side in SIDES for total in TOTALS),
    ]
)
"""One transfer, expiry or burnt id: 216 bytes."""

ACCOUNT_ROW: Final = np.dtype(
    [
        ("position", "<i8"),
        ("timestamp", "<i8"),
        ("id_high", "<u8"),
        ("id_low", "<u8"),
        ("user_data_128_high", "<u8"),
        ("user_data_128_low", "<u8"),
        ("user_data_64", "<u8"),
        ("credit_limit", "<i8"),
        ("user_data_32", "<u4"),
        ("ledger", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
        ("request", "<u4"),
    ]
)
"""One account opened: 80 bytes."""

SCORES: Final = 4
"""Scores that one decision records at most, those that only look on included."""
REASONS: Final = 4
"""Reasons that one decision gives at most."""
VALUES: Final = 64
"""Values of features that one decision records at most."""

DECISION_ROW: Final = np.dtype(
    [
        ("position", "<i8"),
        ("timestamp", "<i8"),
        # The decision point, and models by the first words of their hashes, 0 for none.
        ("point", "<u8"),
        *((f"model_{place}", "<u8") for place in range(SCORES)),
        # The rules that held and those that could not be told, a bit each.
        ("rules_true", "<u8"),
        ("rules_unknown", "<u8"),
        ("propensity", "<f8"),
        *((f"score_{place}", "<f8") for place in range(SCORES)),
        ("policy", "<u4"),
        ("withheld", "<u4"),
        ("outcome", "<u2"),
        ("effect", "<u2"),
        ("path", "<u2"),
        ("cap", "<u2"),
        ("features", "<u2"),
        *((f"reason_{place}", "<u2") for place in range(REASONS)),
        ("reserved", "<u2"),
        ("also_reserved", "<u4"),
        # What was read, NaN where missing; beyond ``features`` of them all are 0.
        *((f"value_{place:02}", "<f8") for place in range(VALUES)),
    ]
)
"""One decision about the transfer that stands at the next position: 656 bytes."""

WORD_PAIRS: Final = ("id", "debit_account_id", "credit_account_id", "pending_id", "user_data_128")
"""Fields that are stored as ``<name>_high`` and ``<name>_low``."""
