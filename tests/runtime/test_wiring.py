"""The whole factory in one process."""

from __future__ import annotations

import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.requests import KeyReused, LedgerRequest, UnknownProduct
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.party import PartyKind, RegisterParty
from formicary.factory.journal.errors import Fenced
from formicary.factory.ledger import Account, AccountFilter, Transfer, account_array, transfer_array
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import Factory, open_factory, recovered_state

START = 10**18
ACCOUNTS = LedgerRequest(account_array([Account(id=number, ledger=826, code=1) for number in (1, 2)]))


def transfer(number: int) -> LedgerRequest:
    """Return a request for one transfer of five."""
    made = Transfer(id=number, debit_account_id=1, credit_account_id=2, amount=5, ledger=826, code=1)
    return LedgerRequest(transfer_array([made]))


def credits_posted(factory: Factory) -> int:
    """Return what the second account was credited with."""
    return int(factory.history.lookup_accounts([2])[0]["credits_posted"])


def test_what_was_committed_is_there_again(hosted_home: Settings) -> None:
    """A factory that is opened again recovers from the journal alone."""
    clock = SimulatedClock(START)
    with open_factory(hosted_home, clock=clock) as factory:
        factory.engine.execute([ACCOUNTS, transfer(7)])
        state_hash = factory.engine.state.state_hash
    with open_factory(hosted_home, clock=clock) as factory:
        assert factory.engine.state.state_hash == state_hash
        assert credits_posted(factory) == 5
        assert len(factory.history.get_account_transfers(AccountFilter(account_id=2))) == 1


def test_recovery_begins_at_the_followers_snapshot(hosted_home: Settings) -> None:
    """What the follower wrote is where the next engine starts; the rest is the journal's tail."""
    clock = SimulatedClock(START)
    with open_factory(hosted_home, clock=clock) as factory:
        factory.engine.execute([ACCOUNTS, transfer(7)])
        factory.follower.open()
        factory.follower.catch_up()
        factory.follower.write_snapshot()
        snapshot = factory.engine.state.position
        factory.engine.execute([transfer(8)])
    with open_factory(hosted_home, clock=clock) as factory:
        assert recovered_state(hosted_home, factory.access).position == snapshot
        assert factory.engine.state.position > snapshot
        assert credits_posted(factory) == 10


def test_a_second_factory_deposes_the_first(hosted_home: Settings) -> None:
    """There is one writer: the first one's next commit is refused, and nothing of it is written."""
    clock = SimulatedClock(START)
    with open_factory(hosted_home, clock=clock) as first:
        first.engine.execute([ACCOUNTS])
        with open_factory(hosted_home, clock=clock) as second:
            with pytest.raises(Fenced):
                first.engine.execute([transfer(7)])
            second.engine.execute([transfer(8)])
            assert credits_posted(second) == 5


def test_commands_and_aggregates(hosted_home: Settings) -> None:
    """A product's command is answered once, and what it did is there after the next start."""
    clock = SimulatedClock(START)
    command = RegisterParty(subject=7, kind=PartyKind.PERSON)
    with open_factory(hosted_home, clock=clock, products=IDENTITY) as factory:
        receipt = factory.command("party", command, principal="p", key="k")
        assert receipt.code == ""
        assert factory.command("party", command, principal="p", key="k") == receipt
        with pytest.raises(KeyReused):
            factory.command("party", RegisterParty(subject=8, kind=PartyKind.PERSON), principal="p", key="k")
        with pytest.raises(UnknownProduct):
            factory.aggregates("bakery", [7])
        there = factory.aggregates("party", [7, 8])
        assert [party and party["kind"] for party in there] == [PartyKind.PERSON, None]
    with open_factory(hosted_home, clock=clock, products=IDENTITY) as factory:
        assert factory.aggregates("party", [7, 8]) == there


def test_facts_come_back_to_the_last_bit(hosted_home: Settings) -> None:
    """The hash covers the bodies of events: a number that the database spells otherwise would change it."""
    awkward: dict[str, list[float | None]]
    awkward = {"share": [1e300, -0.0, 5e-324, 0.1], "ratio": [1.0, 1e16, -1e-7, None]}
    told = RecordFacts(subject=7, kind="ratio", at=[1, 2, 3, 4], reals=awkward)
    with open_factory(hosted_home, clock=SimulatedClock(START), products=[FACTS_PRODUCT]) as factory:
        assert factory.command("facts", told, principal="p", key="k").code == ""
        state_hash = factory.engine.state.state_hash
    with open_factory(hosted_home, clock=SimulatedClock(START), products=[FACTS_PRODUCT]) as factory:
        assert factory.engine.state.state_hash == state_hash
        assert [source and source["facts"] for source in factory.aggregates("facts", [7, 8])] == [4, None]
