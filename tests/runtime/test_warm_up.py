"""After the warm-up nobody waits for a kernel."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

import numba
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.history.chain import Allowance, Chain
from formicary.factory.history.memory import compiled_filter
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import (
    ACCOUNT,
    TRANSFER,
    Account,
    AccountFilter,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from formicary.runtime.engine_process import warm_up
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import Factory, open_factory

# A numba setting that its type stubs do not know.
COMPILED: Any = numba.config


def compiled() -> dict[str, int]:
    """Return for how many types each kernel of the engine's was compiled or loaded."""
    names = ("ledger", "history", "features", "decisions", "engine")
    folders = tuple(f"formicary.factory.{name}." for name in names)
    modules = [module for name, module in sys.modules.items() if name.startswith(folders)]
    found = [value for module in modules for value in vars(module).values() if hasattr(value, "signatures")]
    return {kernel.__name__: len(kernel.signatures) for kernel in found}


def as_received(items: np.ndarray[Any, Any], dtype: np.dtype[np.void]) -> np.ndarray[Any, Any]:
    """Return records as they come over a socket: in memory that cannot be written."""
    return np.frombuffer(items.tobytes(), dtype)


def look_back(factory: Factory) -> None:
    """Ask for what was: from memory, and as though it had left memory."""
    wanted = AccountFilter(account_id=1)
    assert len(factory.history.get_account_transfers(wanted)) == 2
    assert len(factory.history.lookup_transfers([7, 9])) == 1
    last_entry = int(factory.engine.state.machine.last_entries([1])[0])
    with closing(JournalReader(factory.access)) as reader:
        steps = Chain(reader, lambda read: read(factory.engine.state.machine)).back(
            1,
            compiled_filter(wanted, expiries=True),
            position=last_entry,
            floor=0,
            limit=9,
            page=9,
            allowance=Allowance(),
            in_memory=False,
        )
        assert sum(len(step.rows) for step in steps) == 3


@pytest.mark.skipif(bool(COMPILED.DISABLE_JIT), reason="kernels run as plain Python")
def test_the_first_requests_compile_nothing(hosted_home: Settings) -> None:
    """Requests from a socket, recovery and reads of what was find every kernel ready for their types."""
    warm_up()
    clock = SimulatedClock(10**18)
    accounts = account_array([Account(id=number, ledger=826, code=1) for number in (1, 2)])
    moved = Transfer(id=7, debit_account_id=1, credit_account_id=2, amount=5, ledger=826, code=1)
    held = Transfer(
        id=8,
        debit_account_id=1,
        credit_account_id=2,
        amount=5,
        ledger=826,
        code=1,
        timeout=1,
        flags=TransferFlags.PENDING,
    )
    before = compiled()
    with open_factory(hosted_home, clock=clock) as factory:
        factory.execute([as_received(accounts, ACCOUNT)])
        factory.execute([as_received(transfer_array([moved, held]), TRANSFER)])
        clock.advance(2_000_000_000)
        factory.execute([as_received(transfer_array([moved]), TRANSFER)])
        factory.engine.recover()
        look_back(factory)
    assert compiled() == before
    assert sum(before.values()) > 0
