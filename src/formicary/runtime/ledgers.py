"""The ledger as callers outside of the engine reach it: a running one's, or one in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.client import EngineClient, EngineUnreachable
from formicary.factory.history import History
from formicary.factory.ledger import (
    Account,
    AccountFilter,
    QueryFilter,
    Transfer,
    account_array,
    transfer_array,
)
from formicary.runtime.api_process import clock_of
from formicary.runtime.database import open_database
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import Factory, open_factory

__all__ = ["InProcessLedger", "RunningLedger", "is_up", "open_ledger"]

Records = npt.NDArray[Any]


class _Remembered:
    """What a ledger's history answers, whoever decides; ``history`` returns it when it is first needed."""

    def __init__(self, history: Callable[[], History]) -> None:
        self._history = history

    def query_accounts(self, wanted: QueryFilter) -> Records:
        """Return the accounts that match, in order of opening, (n,) of ``ACCOUNT``."""
        return self._history().query_accounts(wanted)

    def query_transfers(self, wanted: QueryFilter) -> Records:
        """Return the transfers that match, in order, (n,) of ``TRANSFER``."""
        return self._history().query_transfers(wanted)

    def get_account_transfers(self, wanted: AccountFilter) -> Records:
        """Return the transfers of an account, (n,) of ``TRANSFER``."""
        return self._history().get_account_transfers(wanted)

    def get_account_balances(self, wanted: AccountFilter) -> Records:
        """Return an account's totals after each of its entries, (n,) of ``ACCOUNT_BALANCE``."""
        return self._history().get_account_balances(wanted)

    def recorded(self, ids: Sequence[int]) -> Records:
        """Return what the journal says of ids of transfers, burnt ones as well, (n,) of ``TRANSFER_ROW``."""
        return self._history().recorded(ids)

    def balance_as_of(self, account_id: int, timestamp: int) -> Any | None:
        """Return an account's totals as they were at a time in nanoseconds, or None before it was opened."""
        return self._history().balance_as_of(account_id, timestamp)


class InProcessLedger(_Remembered):
    """The ledger of a factory in this process."""

    def __init__(self, factory: Factory) -> None:
        super().__init__(lambda: factory.history)
        self._factory = factory
        self.command = factory.command
        self.aggregates = factory.aggregates

    def create_accounts(self, accounts: Records | Iterable[Account]) -> Records:
        """Open accounts; return one result each, (n,) of ``ACCOUNT_RESULT``."""
        request = accounts if isinstance(accounts, np.ndarray) else account_array(accounts)
        return self._factory.execute([request])[0]

    def create_transfers(self, transfers: Records | Iterable[Transfer]) -> Records:
        """Make transfers; return one result each, (n,) of ``TRANSFER_RESULT``."""
        request = transfers if isinstance(transfers, np.ndarray) else transfer_array(transfers)
        return self._factory.execute([request])[0]

    def lookup_accounts(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        return self._factory.history.lookup_accounts(ids)

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sums of the four totals by ledger."""
        return self._factory.engine.state.machine.trial_balance()


class RunningLedger(_Remembered):
    """The ledger of an engine that runs elsewhere on this machine.

    What it decides and what it holds now is asked over its socket. What was is read from the journal, with
    looks at the engine's memory for what is not there yet.
    """

    def __init__(self, client: EngineClient, settings: Settings, stack: ExitStack) -> None:
        self.create_accounts = client.create_accounts
        self.create_transfers = client.create_transfers
        self.command = client.command
        self.aggregates = client.aggregates
        self.lookup_accounts = client.lookup_accounts
        self.trial_balance = client.trial_balance
        self._look = client.look
        self._settings = settings
        self._stack = stack
        super().__init__(lambda: self._own_history)

    @cached_property
    def _own_history(self) -> History:
        access = self._stack.enter_context(open_database(self._settings))
        return self._stack.enter_context(closing(History(access, self._look)))


@contextmanager
def open_ledger(settings: Settings) -> Iterator[InProcessLedger | RunningLedger]:
    """Yield the running engine's ledger; where no engine answers, one in this process.

    Raises
    ------
    EngineUnreachable
        ``formicary up`` runs here, but its engine does not answer just now.
    OperationalFault
        Neither is possible; see ``open_factory``.
    """
    with ExitStack() as stack:
        try:
            client = stack.enter_context(EngineClient(settings.engine_socket))
        except EngineUnreachable:
            if is_up(settings):
                # It is being started again: taking its journal over would only stop it once more.
                raise
            products = products_of(settings)
            factory = stack.enter_context(open_factory(settings, clock=clock_of(settings), products=products))
            yield InProcessLedger(factory)
        else:
            yield RunningLedger(client, settings, stack)


def is_up(settings: Settings) -> bool:
    """Tell whether processes that ``formicary up`` started for this home are alive."""
    try:
        processes = [line.split() for line in settings.processes_file.read_text().splitlines()]
    except FileNotFoundError:
        return False
    # The server outlives them on purpose, so it is no sign.
    return any(Path("/proc", pid).exists() for name, pid in processes if name != "postgres")
