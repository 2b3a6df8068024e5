"""What a decider is told of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.context import DecidingContext
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.ledger import Account, AccountFlags, Transfer, account_array, transfer_array
from tests.factory.engine.null_journal import NullJournal

FLOORED = 3


@pytest.mark.parametrize("generation_rows", [1, 1 << 20])
def test_a_transfer_is_found_however_long_ago(tmp_path: Path, generation_rows: int) -> None:
    """In memory or sealed, a transfer that was made is found; an id that is burnt or unknown is not."""
    journal, clock = NullJournal(), SimulatedClock(10**18)
    engine = Engine(journal, lambda: FactoryState(tmp_path, generation_rows=generation_rows), clock)
    engine.recover()
    accounts = [Account(id=number, ledger=1, code=1) for number in (1, 2)]
    floor = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    accounts.append(Account(id=FLOORED, ledger=1, code=1, flags=floor))
    engine.execute([LedgerRequest(account_array(accounts))])
    for number in range(1, 6):
        engine.execute([pays(number, 1 if number != 3 else FLOORED)])
    context = DecidingContext(10**18, 7, engine.state, journal)
    assert len(engine.state.machine.sealed) == (3 if generation_rows == 1 else 0)
    assert [found(context, number) for number in range(7)] == [None, 11, 12, None, 14, 15, None]


def test_an_account_is_found_and_ids_are_derived(tmp_path: Path) -> None:
    """Accounts are as they are now; ids follow from the command's id."""
    context = DecidingContext(10**18, 7, FactoryState(tmp_path), NullJournal())
    assert context.account(1) is None
    assert context.derive_id(0) != context.derive_id(1)


def pays(number: int, debit: int) -> LedgerRequest:
    """Return the request of one transfer, whose amount is ten more than its id."""
    transfer = Transfer(
        id=number, debit_account_id=debit, credit_account_id=2, amount=10 + number, ledger=1, code=1
    )
    return LedgerRequest(transfer_array([transfer]))


def found(context: DecidingContext, number: int) -> Any:
    """Return the amount of a transfer, or None."""
    transfer = context.transfer(number)
    return None if transfer is None else int(transfer["amount"])
