"""Ids are found among many others, and only where they are."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from formicary.factory.ledger import (
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    Transfer,
)
from formicary.factory.ledger import TransferFlags as F
from tests.factory.ledger.kit import Bench

# So many that a third of the index's places are taken: hundreds of keys are not in their first place.
MANY: Final = 700
# Of these a few dozen are not.
SOME: Final = 200


@pytest.fixture(scope="module")
def crowd() -> Bench:
    """Return a bench with many accounts, whose ids differ in one word or the other."""
    bench = Bench()
    opened = bench.accounts(*(Account(id=_id(number), ledger=1, code=1) for number in range(MANY)))
    assert set(opened) == {CreateAccountStatus.CREATED}
    return bench


@pytest.fixture
def bench() -> Bench:
    """Return a bench with two accounts."""
    bench = Bench()
    bench.accounts(Account(id=1, ledger=1, code=1), Account(id=2, ledger=1, code=1))
    return bench


def _hold(number: int, *, flags: int = int(F.PENDING), ledger: int = 1) -> Transfer:
    return Transfer(
        id=_id(number),
        debit_account_id=1,
        credit_account_id=2,
        amount=1,
        ledger=ledger,
        code=1,
        flags=flags,
    )


def _id(number: int) -> int:
    return (number // 2 + 1) << (64 * (number % 2))


def test_every_account_of_many_is_found(crowd: Bench) -> None:
    """Also where others stand in its place of the index."""
    machine = crowd.ledger._machine
    assert [machine.account_number(_id(number)) for number in range(MANY)] == list(range(MANY))


def test_an_account_that_is_not_there_has_no_number(crowd: Bench) -> None:
    """Many other ids lead to places that are taken, by accounts with another id."""
    machine = crowd.ledger._machine
    assert {machine.account_number(_id(number)) for number in range(MANY, 3 * MANY)} == {-1}
    assert Bench().ledger._machine.account_number(1) == -1


def test_accounts_that_a_broken_chain_takes_back_are_not_found() -> None:
    """Their places in the index are free again, however they stood in each other's way."""
    bench = Bench()
    linked = int(AccountFlags.LINKED)
    chain = [Account(id=_id(number), ledger=1, code=1, flags=linked) for number in range(SOME)]
    bench.accounts(*chain, Account(id=1, ledger=0, code=1))
    assert np.count_nonzero(bench.ledger._machine.state.account_slots) == 0
    bench.accounts(*chain, Account(id=_id(SOME), ledger=1, code=1))
    assert [bench.ledger._machine.account_number(_id(number)) for number in range(SOME)] == list(range(SOME))


def test_holds_that_a_broken_chain_takes_back_are_not_found(bench: Bench) -> None:
    """Nor are their rows: the chain can be tried again."""
    chain = [_hold(number, flags=int(F.PENDING | F.LINKED)) for number in range(SOME)]
    state = bench.ledger._machine.state
    bench.transfers(*chain, _hold(SOME, ledger=0))
    assert np.count_nonzero(state.recent.slots) == np.count_nonzero(state.hold_slots) == 0
    assert set(bench.transfers(*chain, _hold(SOME))) == {CreateTransferStatus.CREATED}


def test_every_transfer_and_hold_of_many_is_found(bench: Bench) -> None:
    """Every id is known again, and every hold is resolved, once."""
    holds = [_hold(number) for number in range(SOME)]
    voids = [
        Transfer(id=_id(SOME + number), pending_id=_id(number), flags=int(F.VOID_PENDING_TRANSFER))
        for number in range(SOME)
    ]
    assert set(bench.transfers(*holds)) == {CreateTransferStatus.CREATED}
    assert set(bench.transfers(*voids)) == {CreateTransferStatus.CREATED}
    assert set(bench.transfers(*holds, *voids)) == {CreateTransferStatus.EXISTS}
    bench.check()
