"""Room for holds: those that ended give theirs back."""

from __future__ import annotations

from formicary.base.clock import SimulatedClock
from formicary.factory.ledger import (
    AMOUNT_MAX,
    Account,
    CreateTransferStatus,
    Ledger,
    Transfer,
    TransferFlags,
)
from formicary.factory.ledger.room import FIRST_ROOM

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
