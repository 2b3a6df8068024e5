"""Ledger machines with a bug planted in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from formicary.base.kernels import kernel
from formicary.factory.ledger import AccountFlags, LedgerMachine
from formicary.factory.ledger._apply import account_hash
from formicary.factory.ledger._index import enter_rows

__all__ = ["FloorlessMachine", "StaleIdsMachine"]

_FLOORS = np.uint16(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS)


@kernel
def _hash_again(state: Any) -> None:
    """Bring the hashes of all accounts up to date, as flags were changed behind the ledger's back."""
    scalars = state.scalars[0]
    for index in range(scalars["accounts"]):
        account = state.accounts[index]
        fresh = account_hash(account)
        scalars["accounts_hash"] += fresh - account["hash"]
        account["hash"] = fresh


class FloorlessMachine(LedgerMachine):
    """Checks no floor when it decides transfers."""

    def decide_transfers(self, *arguments: Any, **options: Any) -> int:
        """Decide with every account's floor taken away meanwhile."""
        accounts = self.accounts
        floors = accounts["flags"] & _FLOORS
        accounts["flags"] &= ~_FLOORS
        decided = super().decide_transfers(*arguments, **options)
        accounts["flags"] |= floors
        _hash_again(self.state)
        return decided


class StaleIdsMachine(LedgerMachine):
    """Looks ids up in an index that does not have those of the batch before."""

    _stale: Any = None
    _indexed_rows: Any = None

    def decide_transfers(self, *arguments: Any, **options: Any) -> int:
        """Decide with the ids of the latest transfers hidden."""
        recent = self.state.recent
        if self._stale is None or self._indexed_rows is not recent.rows:
            self._stale = recent.slots.copy()
        next_stale = recent.slots.copy()
        self.state = self.state._replace(recent=recent._replace(slots=self._stale))
        decided = super().decide_transfers(*arguments, **options)
        recent.slots[:] = 0
        enter_rows(recent, self.scalar("recent"))
        self.state = self.state._replace(recent=recent)
        self._stale, self._indexed_rows = next_stale, recent.rows
        return decided
