"""After the warm-up nobody waits for a kernel."""

from __future__ import annotations

import sys
from typing import Any

import numba
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.ledger import (
    ACCOUNT,
    TRANSFER,
    Account,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from formicary.runtime.engine_process import warm_up
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import open_factory

# A numba setting that its type stubs do not know.
COMPILED: Any = numba.config


def compiled() -> dict[str, int]:
    """Return for how many types each kernel of the ledger was compiled or loaded."""
    modules = [module for name, module in sys.modules.items() if name.startswith("formicary.factory.ledger.")]
    found = [value for module in modules for value in vars(module).values() if hasattr(value, "signatures")]
    return {kernel.__name__: len(kernel.signatures) for kernel in found}


def as_received(items: np.ndarray[Any, Any], dtype: np.dtype[np.void]) -> np.ndarray[Any, Any]:
    """Return records as they come over a socket: in memory that cannot be written."""
    return np.frombuffer(items.tobytes(), dtype)


@pytest.mark.skipif(bool(COMPILED.DISABLE_JIT), reason="kernels run as plain Python")
def test_the_first_requests_compile_nothing(hosted_home: Settings) -> None:
    """Requests from a socket, and recovery, find every kernel ready for their types."""
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
    assert compiled() == before
    assert sum(before.values()) > 0
