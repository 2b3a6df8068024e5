"""Asking an engine for moments, and counting how it answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.economy.moments import Moment, ReplayRefused, Tally, replay
from formicary.factory.ledger import (
    TRANSFER_RESULT,
    Account,
    AccountFlags,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from tests.economy.kit import START, World

ACCOUNTS = account_array(
    [
        Account(id=1, ledger=826, code=1),
        Account(id=2, ledger=826, code=1, flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS),
        Account(id=3, ledger=826, code=1),
    ]
)


def transfers(*wanted: tuple[int, int, int, int, int]) -> Moment:
    """Return a moment of transfers (id, debit, credit, amount, flags)."""
    made = [
        Transfer(
            id=i,
            debit_account_id=debit,
            credit_account_id=credit,
            amount=amount,
            ledger=826,
            code=1,
            flags=flags,
        )
        for i, debit, credit, amount, flags in wanted
    ]
    return Moment(START, (transfer_array(made),))


FUNDED = transfers((1, 1, 2, 50, TransferFlags.LINKED), (2, 2, 3, 50, 0))


def test_created_events_are_counted() -> None:
    """Accounts and transfers are counted apart."""
    tally = World().replay([Moment(START, (ACCOUNTS,)), FUNDED])
    assert (tally.accounts, tally.transfers, tally.existing) == (3, 2, 0)


def test_a_repeated_replay_exists() -> None:
    """Everything is there the second time, the later members of a chain included."""
    world = World()
    moments = [Moment(START, (ACCOUNTS,)), FUNDED, transfers((3, 1, 3, 7, 0))]
    world.replay(moments)
    tally = world.replay(moments)
    assert (tally.accounts, tally.transfers, tally.existing) == (0, 0, 6)


def test_a_refusal_ends_the_replay() -> None:
    """What comes after a refusal is not asked for, and the statuses are told."""
    world = World()
    moments = [Moment(START, (ACCOUNTS,)), transfers((5, 2, 3, 1, 0)), FUNDED]
    with pytest.raises(ReplayRefused, match=r"exceeds_credits \(1\)"):
        world.replay(moments)
    assert len(world.ledger.lookup_transfers([1])) == 0


def test_a_refused_account_ends_the_replay() -> None:
    """An account that exists with another content is a refusal as well."""
    world = World()
    other = account_array([Account(id=1, ledger=978, code=1)])
    with pytest.raises(ReplayRefused, match="exists_with_different_ledger"):
        world.replay([Moment(START, (ACCOUNTS,)), Moment(START, (other,))])


def test_a_broken_chain_is_no_existing_one() -> None:
    """Only a chain that broke because its first member exists counts as there already."""
    request = FUNDED.requests[0]
    results = np.zeros(2, TRANSFER_RESULT)
    results["status"] = [CreateTransferStatus.LINKED_EVENT_FAILED, CreateTransferStatus.EXCEEDS_CREDITS]
    tally = Tally()
    tally.count(request, results)
    assert tally.existing == 0
    assert tally.refused == {"linked_event_failed": 1, "exceeds_credits": 1}


def test_progress_and_time_are_told() -> None:
    """Each moment sets the time before it is decided and is counted after it."""
    world = World()
    told: list[int] = []
    moment = Moment(START, (ACCOUNTS, *FUNDED.requests))
    execute: Any = world.ledger.execute
    replay([moment], execute, set_time=world.clock.set, done=told.append)
    assert told == [5]
    assert world.clock.now() == START
