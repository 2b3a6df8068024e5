"""The ledger as callers outside of the engine reach it: a running one's, or one in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.clock import LiveClock
from formicary.factory.engine.client import EngineClient, EngineUnreachable
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState, known_events
from formicary.factory.follower import StateSnapshots, new_state
from formicary.factory.history import History
from formicary.factory.journal.access import Access
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import (
    Account,
    AccountFilter,
    QueryFilter,
    Transfer,
    account_array,
    transfer_array,
)
from formicary.runtime.database import open_database
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import Factory, open_factory

__all__ = ["InProcessLedger", "RunningLedger", "open_ledger"]

Records = npt.NDArray[Any]


class _Reads:
    """What a ledger remembers, answered by its history."""

    history: History

    def lookup_accounts(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist, in the order asked."""
        return self.history.lookup_accounts(ids)

    def query_accounts(self, wanted: QueryFilter) -> Records:
        """Return the accounts that match, in order of opening."""
        return self.history.query_accounts(wanted)

    def query_transfers(self, wanted: QueryFilter) -> Records:
        """Return the transfers that match, in order."""
        return self.history.query_transfers(wanted)

    def get_account_transfers(self, wanted: AccountFilter) -> Records:
        """Return the transfers of an account."""
        return self.history.get_account_transfers(wanted)

    def get_account_balances(self, wanted: AccountFilter) -> Records:
        """Return an account's totals after each of its entries."""
        return self.history.get_account_balances(wanted)

    def balance_as_of(self, account_id: int, timestamp: int) -> Any | None:
        """Return an account's totals as they were at a time in nanoseconds, or None before it was opened."""
        return self.history.balance_as_of(account_id, timestamp)
