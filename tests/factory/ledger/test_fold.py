"""Folding a journal and taking over a snapshot give the same state, and damage is noticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import ProgrammingError
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    CreateTransferStatus,
    Ledger,
    Transfer,
    TransferFlags,
)
from tests.factory.ledger.kit import SECOND, START, journal
from tests.factory.ledger.refold import fold, go_on, restore, worked

S, F = CreateTransferStatus, TransferFlags
WORDS = TRANSFER_ROW.itemsize // 8


@pytest.mark.parametrize(("block", "generation_rows"), [(1, 1 << 20), (7, 64), (1_000, 64), (100_000, 300)])
@pytest.mark.parametrize("world", [1, 2, 4])
def test_a_folded_journal_is_the_same_state(world: int, block: int, generation_rows: int) -> None:
    """Whatever the blocks and tiers: the same hash, the same accounts; and it goes on the same."""
    clock = SimulatedClock(0)
    ledger, workload = worked(world, clock, generation_rows=64)
    folded = fold(ledger, clock, block=block, generation_rows=generation_rows)
    assert folded.state_hash == ledger.state_hash
    assert _summary(folded) == _summary(ledger)
    for _ in range(30):
        go_on(workload, clock, ledger, folded)
    assert journal(folded) == journal(ledger)
    assert folded.state_hash == ledger.state_hash


@pytest.mark.parametrize("room", [0, 1, 5_000])
@pytest.mark.parametrize("world", [1, 2, 4])
def test_a_restored_snapshot_is_the_same_state(world: int, room: int) -> None:
    """A snapshot taken over, its rows copied or as they lie, is the same state, and goes on the same."""
    clock = SimulatedClock(0)
    ledger, workload = worked(world, clock, generation_rows=64)
    restored = restore(ledger, clock, generation_rows=64, room=room)
    assert _summary(restored) == _summary(ledger)
    for _ in range(30):
        go_on(workload, clock, ledger, restored)
    assert journal(restored) == journal(ledger)
    assert restored.state_hash == ledger.state_hash


def test_only_a_new_machine_takes_over_a_snapshot() -> None:
    """Two states cannot be mixed."""
    ledger = _small()
    with pytest.raises(ProgrammingError):
        ledger._machine.restore(ledger._machine.sections())


@pytest.mark.parametrize("word", range(WORDS))
@pytest.mark.parametrize("row", range(6))
def test_every_word_of_every_kind_of_row_counts(row: int, word: int) -> None:
    """One flipped bit anywhere in a row is refused, or shows in the state hash."""
    ledger = _small()
    rows = ledger.rows.copy()
    rows.view(np.uint64).reshape(len(rows), WORDS)[row, word] ^= np.uint64(1)
    machine = Ledger(SimulatedClock(START))._machine
    refused = machine.fold(ledger.account_rows, rows, until=ledger._machine.position)
    assert refused is not None or machine.state_hash != ledger.state_hash


@pytest.mark.parametrize("field", [name for name in ACCOUNT_ROW.names or () if name != "request"])
def test_every_field_of_an_account_counts(field: str) -> None:
    """The same for accounts: a damaged type, limit or currency does not go unnoticed."""
    ledger = _small()
    accounts = ledger.account_rows.copy()
    accounts[field][1] ^= 1
    machine = Ledger(SimulatedClock(START))._machine
    refused = machine.fold(accounts, ledger.rows, until=ledger._machine.position)
    assert refused is not None or machine.state_hash != ledger.state_hash


TOTALS_AND_LINKS = [
    name
    for name in TRANSFER_ROW.names or ()
    if name.startswith(("previous_", "debit_debits", "debit_credits", "credit_debits", "credit_credits"))
]


@pytest.mark.parametrize("field", TOTALS_AND_LINKS)
def test_a_wrong_total_or_link_is_refused_at_its_row(field: str) -> None:
    """What a row says of its effect is compared with its effect: the fold ends there."""
    ledger = _small()
    rows = ledger.rows.copy()
    rows[field][2] += 1
    machine = Ledger(SimulatedClock(START))._machine
    assert machine.fold(ledger.account_rows, rows, until=0) == rows["position"][2]


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"debit_account_id_low": 77}, 0),
        ({"credit_account_id_low": 77}, 0),
        ({"pending_id_low": 77}, 3),
        ({"pending_id_low": 77}, 5),
        ({"pending_id_low": 12}, 5),
    ],
)
def test_a_row_that_refers_to_nothing_is_refused(changes: dict[str, int], row: int) -> None:
    """An account that is not there, or a hold that is not or no longer open, ends the fold."""
    ledger = _small()
    rows = ledger.rows.copy()
    for name, value in changes.items():
        rows[name][row] = value
    machine = Ledger(SimulatedClock(START))._machine
    assert machine.fold(ledger.account_rows, rows, until=0) == rows["position"][row]


def test_a_hold_of_nothing_ends_once() -> None:
    """A second end that moves no money is refused for itself, not for its totals."""
    ledger = Ledger(SimulatedClock(START))
    ledger.create_accounts(Account(id=number, ledger=1, code=1) for number in (1, 2))
    common = {"debit_account_id": 1, "credit_account_id": 2, "ledger": 1, "code": 1, "amount": 0}
    holds = [Transfer(id=number, flags=int(F.PENDING), **common) for number in (10, 11)]
    voids = [
        Transfer(id=10 + number, pending_id=number, flags=int(F.VOID_PENDING_TRANSFER)) for number in (10, 11)
    ]
    assert not ledger.create_transfers([*holds, *voids])["status"].any()
    rows = ledger.rows.copy()
    rows["pending_id_low"][3] = 10
    machine = Ledger(SimulatedClock(START))._machine
    assert machine.fold(ledger.account_rows, rows, until=0) == rows["position"][3]


def test_an_account_that_is_there_twice_is_refused() -> None:
    """The journal has an account once."""
    ledger = _small()
    machine = Ledger(SimulatedClock(START))._machine
    twice = np.concatenate([ledger.account_rows, ledger.account_rows[:1]])
    assert machine.fold(twice, ledger.rows[:0], until=9) == 1


def test_rows_of_others_take_positions() -> None:
    """The journal's positions go on where the fold ended, also after rows that are not the ledger's."""
    ledger = _small()
    clock = SimulatedClock(START + 100 * SECOND)
    folded = Ledger(clock)
    last = ledger._machine.position
    assert folded._machine.fold(ledger.account_rows, ledger.rows, until=last + 5) is None
    folded.create_accounts([Account(id=50, ledger=1, code=1)])
    assert folded.account_rows["position"].tolist() == [last + 6]


def test_a_folded_journal_refuses_stamps_of_the_past() -> None:
    """After the fold of accounts alone, or of transfers too, the next stamp is after all of them."""
    ledger = _small()
    for rows in (ledger.rows[:0], ledger.rows):
        folded = Ledger(SimulatedClock(1))
        folded._machine.fold(ledger.account_rows, rows, until=len(rows) + 3)
        (answer,) = folded.create_accounts([Account(id=50, ledger=1, code=1)])
        latest = max(*ledger.account_rows["timestamp"].tolist(), *rows["timestamp"].tolist())
        assert answer["timestamp"] == latest + 1


def _small() -> Ledger:
    """Return a ledger with a row of each kind: plain, burnt, hold, post, hold, expiry."""
    clock = SimulatedClock(START)
    ledger = Ledger(clock)
    ledger.create_accounts(Account(id=number, ledger=1, code=1) for number in (1, 2, 3))
    pending = int(F.PENDING)
    common = {"debit_account_id": 1, "credit_account_id": 2, "ledger": 1, "code": 1}
    ledger.create_transfers(
        [
            Transfer(id=10, amount=5, user_data_64=3, **common),
            Transfer(id=11, debit_account_id=98, credit_account_id=2, amount=5, ledger=1, code=1),
            Transfer(id=12, amount=7, flags=pending, **common),
            Transfer(id=13, pending_id=12, amount=AMOUNT_MAX, flags=int(F.POST_PENDING_TRANSFER)),
            Transfer(id=14, amount=9, flags=pending, timeout=1, **common),
        ]
    )
    clock.advance(5 * SECOND)
    ledger.tick()
    assert [row["status"] for row in ledger.rows] == [0, S.DEBIT_ACCOUNT_NOT_FOUND, 0, 0, 0, S.EXPIRED]
    return ledger


def _summary(ledger: Ledger) -> list[Any]:
    machine = ledger._machine
    numbers = [
        machine.scalar(name) for name in ("position", "timestamp", "account_timestamp", "transfer_timestamp")
    ]
    return [
        machine.accounts.tolist(),
        machine.open_holds,
        machine.due is None or machine.open_holds,
        *numbers,
    ]
