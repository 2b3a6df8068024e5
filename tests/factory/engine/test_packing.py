"""Decisions as packed records: whatever number comes, it ends in an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.packing import NumberOutOfRange, pack_decision
from formicary.factory.engine.products import Decision, Timer
from formicary.factory.engine.requests import MalformedCommand, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.ledger import Account, Transfer
from tests.factory.engine.example_product import ESCROW_PRODUCT, OpenEscrow, RateEscrow
from tests.factory.engine.null_journal import NullJournal


def test_a_decision_is_packed() -> None:
    """Accounts and transfers become records, none of them no records."""
    accounts, transfers = pack_decision(
        Decision(
            accounts=[Account(id=2**127, ledger=1, code=1)], transfers=[Transfer(id=1, amount=2**63 - 1)]
        )
    )
    assert (int(accounts[0]["id_high"]), int(transfers[0]["amount"])) == (2**63, 2**63 - 1)
    assert [len(records) for records in pack_decision(Decision())] == [0, 0]


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
        pack_decision(decision)


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
