"""Many timers of products that fall due together: few batches, and the same rows however memory is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.ledger import Account, account_array
from tests.factory.engine.example_product import CURRENCY, ESCROW_PRODUCT, SECOND, OpenEscrow
from tests.factory.engine.null_journal import NullJournal

BUYER, SELLER = 11, 12
ESCROWS, TIMERS_PER_STEP = 12, 8


def rows_of(folder: Path, generation_rows: int) -> tuple[list[Any], int]:
    """Open many escrows that lapse in the same second; return the rows, and the batches of the timers."""
    folder.mkdir()
    journal, clock = NullJournal(), SimulatedClock(10**18)

    def new_state() -> FactoryState:
        return FactoryState(folder, [ESCROW_PRODUCT], generation_rows=generation_rows)

    engine = Engine(journal, new_state, clock)
    engine.recover()
    accounts = [Account(id=number, ledger=CURRENCY, code=1) for number in (BUYER, SELLER)]
    engine.execute([LedgerRequest(account_array(accounts))])
    for number in range(ESCROWS):
        opening = OpenEscrow(subject=100 + number, buyer=BUYER, seller=SELLER, amount=1 + number, seconds=10)
        engine.execute([command_request("escrow", opening, principal="test", key=str(number))])
    before = len(journal.batches)
    clock.advance(100 * SECOND)
    engine.execute([])
    rows = np.concatenate([batch.transfers for batch in journal.batches])
    return [rows.tobytes(), engine.state.state_hash], len(journal.batches) - before


@pytest.mark.parametrize("generation_rows", [1, 100])
def test_many_timers_are_few_batches(
    tmp_path: Path, generation_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A jump over many timers commits a few times, and generations change nothing."""
    monkeypatch.setattr("formicary.factory.engine.core.PRODUCT_TIMERS_PER_STEP_MAX", TIMERS_PER_STEP)
    expected, batches = rows_of(tmp_path / "large", 1 << 20)
    # Each escrow has three reminders and lapses.
    assert batches == 4 * ESCROWS // TIMERS_PER_STEP
    assert rows_of(tmp_path / "small", generation_rows)[0] == expected
