"""Features in the engine's step: what is decided is known to the next decision, and after every recovery."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.purposes import Purpose
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.feature_reads import FeatureReading, UnknownFeatureSet, read_features
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
)
from formicary.factory.engine.requests import LedgerRequest, ReadRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.features.aggregates import count, last, total
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import MeaningChanged
from formicary.factory.features.kinds import EventKind, Facts, Transfers, amount, number, party, real
from formicary.factory.features.live import FEATURES_ACTIVATED
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent, RevokeConsent
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.ledger import Account, Transfer, TransferFlags, account_array, transfer_array
from tests.factory.engine.null_journal import NullJournal

START = 1_700_000_000 * 10**9
ALICE, SHOP = 2**100 + 11, 2**100 + 12
PAYMENT = EventKind(
    "payment", Transfers(codes=(7,)), payer=party("debit_party"), payee=party("credit_party"), amount=amount()
)
LABEL = EventKind("label", Facts("label"), payee=party(), fraud=number(), score=real())


def spending(**changes: Any) -> FeatureSet:
    """Return the set of these tests; changes replace what a feature is."""
    values = {
        "count": count(PAYMENT, by="payer", over="7d"),
        "spent": total(PAYMENT["amount"], by="payer", over="7d"),
        "frauds": total(LABEL["fraud"], by="payee", over="7d"),
        "score": last(LABEL["score"], by="payee"),
    } | changes
    features = [
        Feature(name=name, value=value, unit="units", meaning=f"The {name} of the last week.")
        for name, value in values.items()
    ]
    return FeatureSet(name="spending", on=PAYMENT, owner="tests", features=features)


class Ask(Command, frozen=True):
    """Ask what is known of a payer, in the middle of a group."""


class Asked(DomainEvent, frozen=True):
    """What was known."""

    count: int
    withheld: bool


def decide(command: Any, _: Any, context: Context) -> Decision:
    """Write down what is known of the subject."""
    told = context.features("spending", purpose=Purpose.CREDIT, asking={"payer": command.subject})
    known = told.values["count"]
    return Decision(events=[Asked(count=-1 if known is None else int(known), withheld=bool(told.withheld))])


def evolve(kind: str, aggregates: Any, events: Sequence[Any]) -> None:
    """Keep nothing."""


def products(one: FeatureSet) -> tuple[Product, ...]:
    """Return what the engine of these tests runs."""
    asking = Product(
        name="asking",
        aggregate=np.dtype(AGGREGATE_HEADER),
        commands=(Ask,),
        events=(Asked,),
        decide=decide,
        evolve=evolve,
        features=(one,),
    )
    return (PARTY_PRODUCT, CONSENT_PRODUCT, FACTS_PRODUCT, asking)


class House:
    """An engine over a journal in memory, with two parties and an account each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = self.recovered(spending())
        self.commands = 0
        accounts = [
            Account(id=number, ledger=826, code=1, user_data_128=holder)
            for number, holder in ((1, ALICE), (2, SHOP))
        ]
        self.engine.execute([LedgerRequest(account_array(accounts))])
        self.tell("party", RegisterParty(subject=ALICE, kind=PartyKind.PERSON))

    def recovered(self, one: FeatureSet) -> Engine:
        """Return an engine that folded the journal from its first row."""
        engine = Engine(self.journal, lambda: FactoryState(self.folder, products(one)), self.clock)
        engine.recover()
        return engine

    def tell(self, product: str, command: Command) -> Any:
        """Carry out a command."""
        self.commands += 1
        self.clock.advance(10**9)
        request = command_request(product, command, principal="test", key=str(self.commands))
        return self.engine.execute([request])[0]

    def pay(self, *amounts: int, flags: int = 0, code: int = 7) -> Any:
        """Pay the shop."""
        self.commands += 1
        items = [
            Transfer(id=self.commands * 1_000 + place, debit_account_id=1, credit_account_id=2, amount=each,
                     ledger=826, code=code, flags=flags)
            for place, each in enumerate(amounts)
        ]  # fmt: skip
        return self.engine.execute([LedgerRequest(transfer_array(items))])[0]

    def read(self, purpose: Purpose = Purpose.FRAUD, engine: Engine | None = None) -> FeatureReading:
        """Return what is known of Alice and the shop now."""
        asking = {"payer": ALICE, "payee": SHOP, "amount": 1}
        read = read_features("spending", purpose=purpose, at=self.clock.now(), asking=asking)
        answer = (engine or self.engine).execute([ReadRequest(read)])[0]
        assert isinstance(answer, FeatureReading)
        return answer


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return a new house."""
    return House(tmp_path)


def test_what_is_paid_is_known(house: House) -> None:
    """Transfers of the kind's codes count, by the parties that hold the accounts."""
    assert house.read().values == {"count": 0.0, "spent": 0.0, "frauds": 0.0, "score": None}
    house.pay(500, 250)
    house.pay(9, code=8)
    assert house.read().values == {"count": 2.0, "spent": 750.0, "frauds": 0.0, "score": None}


def test_what_moves_no_money_does_not_count(house: House) -> None:
    """Refused, pending and voided transfers are no payments; a posted one is."""
    house.pay(0 - 1)
    house.pay(10, flags=TransferFlags.PENDING)
    pending = house.commands * 1_000
    assert house.read().values["count"] == 0.0
    post = Transfer(id=77, pending_id=pending, amount=2**63 - 1, flags=TransferFlags.POST_PENDING_TRANSFER)
    assert house.engine.execute([LedgerRequest(transfer_array([post]))])[0]["status"][0] == 0
    assert house.read().values["spent"] == 10.0


def test_facts_are_known_from_when_they_are_recorded(house: House) -> None:
    """Labels and slow features are facts: read like anything else once they are journaled."""
    named = f"{SHOP:032x}"
    facts = RecordFacts(
        subject=5,
        kind="label",
        at=[START, START - 10**9],
        ids={"payee": [named, named]},
        numbers={"fraud": [1, 1]},
        reals={"score": [0.25, 0.5]},
    )
    house.tell("facts", facts)
    told = house.read().values
    assert (told["frauds"], told["score"]) == (2.0, 0.25)


def test_a_decider_knows_the_items_before_it_in_its_own_group(house: House) -> None:
    """A group of payment, question, payment: the question sees the first payment only."""
    house.tell(
        "consent",
        GrantConsent(subject=ALICE, purpose=Purpose.CREDIT, wording="ab" * 16, act=ConsentAct.WRITTEN),
    )
    paid = [
        LedgerRequest(
            transfer_array(
                [
                    Transfer(
                        id=9_000 + n, debit_account_id=1, credit_account_id=2, amount=5, ledger=826, code=7
                    )
                ]
            )
        )
        for n in range(2)
    ]
    asks = [command_request("asking", Ask(subject=ALICE), principal="test", key=f"ask {n}") for n in range(2)]
    house.engine.execute([paid[0], asks[0], paid[1], asks[1]])
    bodies = [
        msgspec.json.decode(event.body)
        for event in house.journal.batches[-1].events
        if event.kind == "asking.Asked"
    ]
    assert [body["count"] for body in bodies] == [1, 2]
    assert not any(body["withheld"] for body in bodies)


def test_without_consent_what_is_told_of_a_party_is_missing(house: House) -> None:
    """Consent counts from the next read on, its revocation as well; fraud is looked for without."""
    house.pay(500)
    withheld = house.read(Purpose.CREDIT)
    assert withheld.withheld == ("payer", "payee")
    assert withheld.values["spent"] is None
    grant = GrantConsent(subject=ALICE, purpose=Purpose.CREDIT, wording="ab" * 16, act=ConsentAct.WRITTEN)
    house.tell("consent", grant)
    granted = house.read(Purpose.CREDIT)
    assert (granted.withheld, granted.values["spent"]) == (("payee",), 500.0)
    assert house.read(Purpose.INSURANCE).values["spent"] is None
    house.tell("consent", RevokeConsent(subject=ALICE, purpose=Purpose.CREDIT))
    assert house.read(Purpose.CREDIT).values["spent"] is None
    assert house.read(Purpose.FRAUD).values["spent"] == 500.0


def test_a_recovery_knows_the_same(house: House) -> None:
    """Folding the journal gives the same values and the same rows, hash for hash."""
    house.pay(*range(1, 40))
    house.tell(
        "consent",
        GrantConsent(subject=ALICE, purpose=Purpose.CREDIT, wording="ab" * 16, act=ConsentAct.SPOKEN),
    )
    house.pay(7)
    known = house.engine.state.features
    assert known is not None
    before, told = known.state_hash, house.read(Purpose.CREDIT)
    again = house.recovered(spending()).state.features
    assert again is not None
    assert (again.state_hash, again.position) == (before, known.position)
    assert house.read(Purpose.CREDIT, house.recovered(spending())).values == told.values


def test_a_snapshot_holds_what_is_known(house: House, tmp_path: Path) -> None:
    """Sections restore to the same rows; those of other features are left out."""
    house.pay(1, 2, 3)
    sections = {name: np.array(array) for name, array in house.engine.state.sections().items()}
    restored = FactoryState(tmp_path / "a", products(spending()))
    restored.restore(sections)
    assert restored.features is not None
    assert house.engine.state.features is not None
    assert restored.features.state_hash == house.engine.state.features.state_hash
    other = FactoryState(tmp_path / "b", products(spending(count=count(PAYMENT, by="payee", over="7d"))))
    other.restore(sections)
    assert other.features is not None
    assert other.features.position == 0


def test_going_live_is_written_down_once(house: House) -> None:
    """The journal says when features went live; a meaning cannot change under the same version."""
    kinds = [event.kind for batch in house.journal.batches for event in batch.events]
    assert kinds.count(FEATURES_ACTIVATED) == 1
    house.recovered(spending())
    kinds = [event.kind for batch in house.journal.batches for event in batch.events]
    assert kinds.count(FEATURES_ACTIVATED) == 1
    with pytest.raises(MeaningChanged, match=r"test_features\.py:\d+: count: version 1"):
        house.recovered(spending(count=count(PAYMENT, by="payee", over="7d")))


def test_a_set_that_is_not_there_is_refused(house: House) -> None:
    """A read of an unknown set is an answer, not a crash."""
    read = read_features("no_such", purpose=Purpose.FRAUD, at=START, asking={})
    assert isinstance(house.engine.execute([ReadRequest(read)])[0], UnknownFeatureSet)
