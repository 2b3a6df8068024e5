"""Decisions as packed records: whatever number comes, it ends in an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.errors import Refusal
from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.packing import NumberOutOfRange, pack_decision
from formicary.factory.engine.products import Decision, Timer
from formicary.factory.engine.requests import MalformedCommand, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.ledger import (
    ACCOUNT,
    TRANSFER,
    Account,
    MalformedRequest,
    RequestTooLarge,
    Transfer,
    id_column,
    transfer_array,
)
from tests.factory.engine.example_product import ESCROW_PRODUCT, OpenEscrow, RateEscrow
from tests.factory.engine.null_journal import NullJournal


def numbered(ordinal: int) -> int:
    """Return an id for an ordinal, the last one just below the end of a word."""
    return (7 << 64) | (2**64 - 2 if ordinal == 2**64 - 1 else ordinal + 1)


def test_a_decision_is_packed() -> None:
    """Accounts and transfers become records, none of them no records."""
    accounts, transfers = pack_decision(
        Decision(
            accounts=[Account(id=2**127, ledger=1, code=1)], transfers=[Transfer(id=1, amount=2**63 - 1)]
        ),
        numbered,
    )
    assert (int(accounts[0]["id_high"]), int(transfers[0]["amount"])) == (2**63, 2**63 - 1)
    assert [len(records) for records in pack_decision(Decision(), numbered)] == [0, 0]


@pytest.mark.parametrize(
    "decision",
    [
        Decision(transfers=[Transfer(id=1, amount=2**63)]),
        Decision(transfers=[Transfer(id=1, debit_account_id=-1)]),
        Decision(transfers=[Transfer(id=2**128)]),
        Decision(accounts=[Account(id=1, ledger=2**32, code=1)]),
        Decision(timers=[Timer(name="lapse", due=2**63)]),
        Decision(timers=[Timer(name="lapse", due=-1)]),
    ],
)
def test_what_does_not_fit_is_refused(decision: Decision) -> None:
    """A number that no record can hold is a refusal, not a crash."""
    with pytest.raises(NumberOutOfRange):
        pack_decision(decision, numbered)


def test_transfers_without_an_id_get_one() -> None:
    """It follows from the ordinal, one by one or counted on in an array; ids that are given stay."""
    listed = [Transfer(id=number, amount=9) for number in (0, 5, 0, 0)]
    _, transfers = pack_decision(Decision(transfers=listed), numbered)
    assert id_column(transfers) == [numbered(0), 5, numbered(2), numbered(3)]
    given = transfer_array(listed)
    _, packed = pack_decision(Decision(transfers=given), numbered)
    # The words wrap around, as words do.
    assert id_column(packed) == [(7 << 64) | (2**64 - 2), 5, 7 << 64, (7 << 64) | 1]
    assert packed["amount"].tolist() == [9] * 4
    # What the decider made stays as it was.
    assert id_column(given) == [0, 5, 0, 0]
    named = transfer_array([Transfer(id=3)])
    assert id_column(pack_decision(Decision(transfers=named), numbered)[1]) == [3]


@pytest.mark.parametrize(
    ("refusal", "decision"),
    [
        (MalformedRequest, Decision(transfers=np.zeros(1, ACCOUNT))),
        (MalformedRequest, Decision(transfers=np.zeros((1, 1), TRANSFER))),
        (RequestTooLarge, Decision(transfers=np.zeros(REQUEST_ITEMS_MAX + 1, TRANSFER))),
        (RequestTooLarge, Decision(accounts=[Account(id=1, ledger=1, code=1)] * (REQUEST_ITEMS_MAX + 1))),
    ],
)
def test_what_is_no_chain_is_refused(refusal: type[Refusal], decision: Decision) -> None:
    """More than a chain holds could not be undone, and what is no array of transfers is no chain."""
    with pytest.raises(refusal):
        pack_decision(decision, numbered)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return an engine with the escrow product and nothing in it."""
    engine = Engine(NullJournal(), lambda: FactoryState(tmp_path, [ESCROW_PRODUCT]), SimulatedClock(1))
    engine.recover()
    return engine


def test_an_overflowing_command_gets_an_answer(engine: Engine) -> None:
    """The engine goes on, and the same key gets the same answer."""
    command = OpenEscrow(subject=1, buyer=1, seller=2, amount=1, seconds=2**70)
    request = command_request("escrow", command, principal="anyone", key="once")
    for _ in range(2):
        (receipt,) = engine.execute([request])
        assert isinstance(receipt, Receipt)
        assert receipt.code == "number_out_of_range"
    assert not len(engine.state.machine.accounts)


@pytest.mark.parametrize("subject", [-1, 2**128])
def test_a_subject_that_is_no_id_is_refused(engine: Engine, subject: int) -> None:
    """It could not be journaled, so nothing is."""
    position = engine.state.position
    request = command_request("escrow", RateEscrow(subject=subject, stars=1), principal="anyone", key="once")
    (answer,) = engine.execute([request])
    assert isinstance(answer, MalformedCommand)
    assert engine.state.position == position
