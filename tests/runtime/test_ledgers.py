"""The ledger as callers outside of the engine reach it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from formicary.base.clock import LiveClock
from formicary.factory.engine.client import EngineUnreachable
from formicary.factory.engine.server import EngineServer
from formicary.factory.ledger import (
    TRANSFER,
    Account,
    AccountFilter,
    CreateTransferStatus,
    MalformedRequest,
    QueryFilter,
    Transfer,
    account_array,
    transfer_array,
)
from formicary.runtime.engine_process import warm_up
from formicary.runtime.ledgers import InProcessLedger, RunningLedger, open_ledger
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import open_factory

ACCOUNTS = [Account(id=number, ledger=826, code=number) for number in (1, 2)]
TRANSFER_OF_FIVE = Transfer(id=7, debit_account_id=1, credit_account_id=2, amount=5, ledger=826, code=1)


@contextmanager
def running_engine(settings: Settings) -> Iterator[None]:
    """Serve an engine on its socket in a thread; nobody waits for its kernels."""
    warm_up()
    with open_factory(settings, clock=LiveClock(), products=PRODUCTS) as factory:
        server = EngineServer(factory.engine, settings.engine_socket, factory.journal.begin)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield
        finally:
            server.stop()
            thread.join()
            server.close()


def check(ledger: InProcessLedger | RunningLedger) -> None:
    """Open accounts, move money and look at all of it."""
    assert ledger.create_accounts(ACCOUNTS)["status"].tolist() == [0, 0]
    assert ledger.create_transfers([TRANSFER_OF_FIVE])["status"].tolist() == [0]
    again = ledger.create_transfers(transfer_array([TRANSFER_OF_FIVE]))
    assert again["status"].tolist() == [CreateTransferStatus.EXISTS]
    assert len(ledger.create_accounts(account_array(ACCOUNTS))) == 2
    opened = int(ledger.lookup_accounts([2])[0]["timestamp"])
    assert ledger.lookup_accounts([1, 3])["debits_posted"].tolist() == [5]
    assert ledger.query_accounts(QueryFilter(code=2))["credits_posted"].tolist() == [5]
    assert ledger.query_transfers(QueryFilter())["amount"].tolist() == [5]
    assert ledger.get_account_transfers(AccountFilter(account_id=1))["amount"].tolist() == [5]
    assert ledger.get_account_balances(AccountFilter(account_id=2))["credits_posted"].tolist() == [5]
    balance = ledger.balance_as_of(2, opened)
    assert balance is not None
    assert balance["credits_posted"] == 0
    assert ledger.balance_as_of(2, opened - 1) is None
    assert ledger.trial_balance() == {826: (0, 5, 0, 5)}


def test_in_this_process(hosted_home: Settings) -> None:
    """Where no engine answers, one is opened in this process."""
    with open_ledger(hosted_home) as ledger:
        assert isinstance(ledger, InProcessLedger)
        check(ledger)


def test_of_a_running_engine(hosted_home: Settings) -> None:
    """A running engine decides; what was is read from the journal, and the engine stays the writer."""
    with running_engine(hosted_home):
        with open_ledger(hosted_home) as ledger:
            assert isinstance(ledger, RunningLedger)
            check(ledger)
        with open_ledger(hosted_home) as ledger:
            assert len(ledger.query_transfers(QueryFilter())) == 1


def test_a_malformed_request_is_refused(hosted_home: Settings) -> None:
    """A refusal of a whole request is raised, not returned."""
    with open_ledger(hosted_home) as ledger, pytest.raises(MalformedRequest):
        ledger.create_transfers(transfer_array([TRANSFER_OF_FIVE]).view(TRANSFER).reshape(1, 1))


@pytest.mark.parametrize(
    ("processes", "deposes"),
    [(f"engine 0\nfollower {os.getpid()}\n", False), (f"engine 0\npostgres {os.getpid()}\n", True)],
    ids=["follower", "postgres"],
)
def test_an_engine_that_is_being_started_is_not_deposed(
    hosted_home: Settings, processes: str, *, deposes: bool
) -> None:
    """While processes of ``up`` are alive their journal is not taken over; the server alone is no sign."""
    hosted_home.processes_file.write_text(processes)
    if deposes:
        with open_ledger(hosted_home) as ledger:
            assert isinstance(ledger, InProcessLedger)
    else:
        with pytest.raises(EngineUnreachable), open_ledger(hosted_home):
            pass
