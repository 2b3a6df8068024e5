"""Room for holds: those that ended give theirs back."""

from __future__ import annotations

from dataclasses import replace

from formicary.base.clock import SimulatedClock
from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    CreateTransferStatus,
    Ledger,
    LedgerMachine,
    Transfer,
    TransferFlags,
)
from formicary.factory.ledger.room import FIRST_ROOM
from tests.factory.ledger.kit import SECOND, Bench
from tests.factory.ledger.oracle import unpack
from tests.factory.ledger.test_state_hash import state_hash

HOLDS = FIRST_ROOM * 5 // 8


def held(number: int) -> Transfer:
    """Return a hold of one penny."""
    accounts = {"debit_account_id": 1, "credit_account_id": 2}
    return Transfer(
        id=number, amount=1, ledger=1, code=1, flags=TransferFlags.PENDING, timeout=60, **accounts
    )


def posted(number: int) -> Transfer:
    """Return the post of a hold."""
    flags = TransferFlags.POST_PENDING_TRANSFER
    return Transfer(id=10_000 + number, pending_id=number, amount=AMOUNT_MAX, flags=flags)


def test_holds_that_ended_make_room_for_others() -> None:
    """Twice five eighths of the room fit when the first are posted in between, and both stay known."""
    ledger = Ledger(SimulatedClock(1_000))
    ledger.create_accounts([Account(id=number, ledger=1, code=1) for number in (1, 2)])
    for first in (1, 1 + HOLDS, 1 + 2 * HOLDS):
        numbers = range(first, first + HOLDS)
        assert not ledger.create_transfers([held(number) for number in numbers])["status"].any()
        assert not ledger.create_transfers([posted(number) for number in numbers])["status"].any()
    again = ledger.create_transfers(
        [Transfer(id=99_999, pending_id=1, flags=TransferFlags.VOID_PENDING_TRANSFER)]
    )
    assert again["status"].tolist() == [CreateTransferStatus.PENDING_TRANSFER_ALREADY_POSTED]
    assert ledger.trial_balance() == {1: (0, 3 * HOLDS, 0, 3 * HOLDS)}


def test_open_holds_keep_their_timers_when_others_make_room() -> None:
    """What is open can be resolved and expires; what ended is still known; timers of others stay."""
    bench, machine = _bench_of_seven_holds()
    machine.set_timer(bench.clock.now() + 20 * SECOND, 77)
    assert (machine.scalar("holds"), machine.scalar("timers")) == (7, 6)
    machine.reserve(transfers=FIRST_ROOM)
    # Of 2, 4, 5 and 7; all but 5 have a timer.
    assert (machine.scalar("holds"), machine.scalar("timers"), machine.open_holds) == (4, 4, 4)
    void = TransferFlags.VOID_PENDING_TRANSFER
    again = [Transfer(id=200 + number, pending_id=number, flags=void) for number in (1, 3, 6, 4)]
    assert bench.transfers(*again) == [
        CreateTransferStatus.PENDING_TRANSFER_ALREADY_POSTED,
        CreateTransferStatus.PENDING_TRANSFER_ALREADY_VOIDED,
        CreateTransferStatus.PENDING_TRANSFER_EXPIRED,
        CreateTransferStatus.CREATED,
    ]
    bench.clock.advance(10 * SECOND)
    bench.tick()
    rows = unpack(bench.ledger.rows)
    expired = [row["pending_id"] for row in rows if row["status"] == CreateTransferStatus.EXPIRED]
    assert expired == [6, 7, 2]
    assert machine.open_holds == 1
    assert bench.ledger.state_hash == state_hash(bench.ledger)
    bench.check()
    bench.clock.advance(100 * SECOND)
    assert machine.take_timer(bench.clock.now()) == 77


def test_timers_stay_in_order_when_the_first_of_them_makes_room() -> None:
    """The rest still expires in the order in which it falls due."""
    bench = Bench()
    bench.accounts(*(Account(id=number, ledger=1, code=1) for number in (1, 2)))
    timeouts = {1: 3, 2: 2, 3: 1, 4: 4, 5: 5}
    bench.transfers(*(replace(held(number), timeout=timeout) for number, timeout in timeouts.items()))
    assert bench.transfers(posted(3)) == [CreateTransferStatus.CREATED]
    bench.ledger._machine.reserve(transfers=FIRST_ROOM)
    bench.clock.advance(10 * SECOND)
    bench.tick()
    rows = unpack(bench.ledger.rows)
    expired = [row["pending_id"] for row in rows if row["status"] == CreateTransferStatus.EXPIRED]
    assert expired == [2, 1, 4, 5]
    bench.check()


def test_nothing_that_is_open_is_lost_when_all_of_it_fits() -> None:
    """Making room again, with nothing that ended in between, changes nothing."""
    bench, machine = _bench_of_seven_holds()
    machine.reserve(transfers=FIRST_ROOM)
    before = machine.scalar("holds"), machine.scalar("timers"), machine.due
    machine.reserve(transfers=2 * FIRST_ROOM)
    assert (machine.scalar("holds"), machine.scalar("timers"), machine.due) == before
    bench.check()


def _bench_of_seven_holds() -> tuple[Bench, LedgerMachine]:
    """Return a bench on which 1 was posted, 3 voided, 6 expired; 5 never expires, the later the sooner."""
    bench = Bench()
    bench.accounts(*(Account(id=number, ledger=1, code=1) for number in (1, 2)))
    timeouts = {1: 9, 2: 8, 3: 7, 4: 6, 5: 0, 6: 1, 7: 4}
    bench.transfers(*(replace(held(number), timeout=timeout) for number, timeout in timeouts.items()))
    void = Transfer(id=103, pending_id=3, flags=TransferFlags.VOID_PENDING_TRANSFER)
    assert bench.transfers(posted(1), void) == [CreateTransferStatus.CREATED] * 2
    bench.clock.advance(2 * SECOND)
    bench.tick()
    return bench, bench.ledger._machine
