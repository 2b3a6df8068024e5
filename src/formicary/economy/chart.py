"""The chart of accounts of the invented and replayed worlds: codes of accounts and transfers."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["AccountCode", "TransferCode"]


class AccountCode(IntEnum):
    """What an account is."""

    BANK_CLEARING = 1
    CUSTOMER_WALLET = 2
    TERMINAL = 6


class TransferCode(IntEnum):
    """Why money moves."""

    DEPOSIT = 1
    PAYMENT = 2
    REFUND = 3
    GOODWILL_REFUND = 4
    ADJUSTMENT = 5
