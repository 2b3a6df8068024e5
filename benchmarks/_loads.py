"""Transfers to make: random ids, accounts drawn uniformly, by Zipf's law, or one hot pair."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.factory.ledger import TRANSFER, Account, AccountFlags, account_array

__all__ = ["ACCOUNTS", "LEDGER", "SHAPES", "Load", "opening"]

ACCOUNTS: Final = 10_000
LEDGER: Final = 826
SHAPES: Final = ("uniform", "zipfian", "hot pair")
_ZIPF_EXPONENT: Final = 1.1
_POOL: Final = 1 << 20
# Nobody runs dry: the rule is checked on every transfer and refuses none.
_CREDIT_LIMIT: Final = 10**15


def opening() -> npt.NDArray[Any]:
    """Return the accounts to open: every one with a floor and a credit limit, so that every rule runs."""
    flags = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    return account_array(
        Account(id=number, ledger=LEDGER, code=1, flags=flags, credit_limit=_CREDIT_LIMIT)
        for number in range(1, ACCOUNTS + 1)
    )


class Load:
    """Makes requests of one shape; two loads with different seeds share no id."""

    def __init__(self, shape: str, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._debits, self._credits = self._draw(shape)
        self._at = 0

    def request(self, size: int) -> npt.NDArray[Any]:
        """Return a request of so many transfers, (size,) of ``TRANSFER``, with random 128-bit ids."""
        if self._at + size > _POOL:
            self._at = 0
        chosen = slice(self._at, self._at + size)
        self._at += size
        items = np.zeros(size, TRANSFER)
        words = self._random.integers(1, 2**63, 2 * size, np.uint64)
        items["id_high"], items["id_low"] = words[:size], words[size:]
        items["debit_account_id_low"] = self._debits[chosen]
        items["credit_account_id_low"] = self._credits[chosen]
        items["amount"] = 1 + (words[:size] & np.uint64(1023))
        items["ledger"] = LEDGER
        items["code"] = 1
        return items

    def _draw(self, shape: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        if shape == "hot pair":
            return np.full(_POOL, 1), np.full(_POOL, 2)
        if shape == "zipfian":
            weights = 1 / np.arange(1, ACCOUNTS + 1) ** _ZIPF_EXPONENT
            debits = self._random.choice(ACCOUNTS, _POOL, p=weights / weights.sum())
        else:
            debits = self._random.integers(0, ACCOUNTS, _POOL)
        # Never the same account on both sides.
        credits_ = (debits + self._random.integers(1, ACCOUNTS, _POOL)) % ACCOUNTS
        return debits + 1, credits_ + 1
