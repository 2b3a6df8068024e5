"""A factory whose payments are looked at through features, and its rows as a source of training sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np

from formicary.base.arrays import joined
from formicary.base.clock import SimulatedClock
from formicary.base.purposes import Purpose, wording_of
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.feature_reads import tell_features
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.features.aggregates import age, count, last, mean, std, time_since, total
from formicary.factory.features.compiler import Compiled, compiled
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, Facts, Transfers, amount, number, party
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.consent import ConsentAct, GrantConsent, RevokeConsent
from formicary.factory.identity.party import PartyKind, RegisterParty
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import ACCOUNT_ROW, DECISION_ROW, TRANSFER_ROW
from formicary.factory.ledger import Transfer, account_array, transfer_array
from formicary.products.payments import PAYMENTS
from formicary.products.payments.postings import (
    AccountCode,
    TransferCode,
    account_id,
    house_account_id,
    house_accounts,
    wallet_account,
)
from tests.factory.engine.null_journal import NullJournal

GBP = 826
HOUR = 3_600 * 10**9
START = 1_700_000_000 * 10**9
PARTIES: Final = tuple(2**100 + number for number in range(1, 6))
SOURCE = 2**99

PAYMENT = EventKind(
    "payment",
    Transfers(codes=(TransferCode.PERSON_PAYMENT,)),
    payer=party("debit_party"),
    payee=party("credit_party"),
    amount=amount("amount"),
)
LABEL = EventKind("label", Facts("label"), payee=party(), fraud=number())
APPLICATION = EventKind("application", Facts("application"), applicant=party(), amount=amount())
AMOUNT = PAYMENT["amount"]


def _features(**values: Any) -> list[Feature]:
    return [Feature(name=name, value=value, unit="units", meaning="Asked.") for name, value in values.items()]


RISK = FeatureSet(
    name="risk",
    on=PAYMENT,
    owner="tests",
    features=_features(
        payer_count=count(PAYMENT, by="payer", over="1d"),
        payer_sum=total(AMOUNT, by="payer", over="6h", exact=True),
        payer_mean=mean(AMOUNT, by="payer", over="7d"),
        payer_std=std(AMOUNT, by="payer", over="7d"),
        payee_received=total(AMOUNT, by="payee", over="7d"),
        payee_frauds=count(LABEL, by="payee", over="30d", where=LABEL["fraud"] > 0),
        pair_count=count(PAYMENT, by=("payer", "payee"), over="30d"),
        since=time_since(PAYMENT, by="payer"),
        age=age(PAYMENT, by="payer"),
        amount=AMOUNT * 1,
    ),
)
CREDIT = FeatureSet(
    name="credit",
    on=APPLICATION,
    owner="tests",
    features=_features(
        applications=count(APPLICATION, by="applicant", over="30d"),
        last_amount=last(APPLICATION["amount"], by="applicant"),
        income=total(AMOUNT, by="payee", of="applicant", over="30d"),
    ),
)
SETS = (RISK, CREDIT)
LOOKING: Final[Product] = replace(FACTS_PRODUCT, features=SETS)
# Their own features would be asked about another kind of payment.
# Neighbours know each other as they are: only who has features is another.
_OTHERS: Final = [replace(product, features=()) if product.features else product for product in PAYMENTS]
PRODUCTS: Final = (*IDENTITY, LOOKING, *_OTHERS)


def features_compiled() -> Compiled:
    """Return the sets as the engine compiles them."""
    return compiled(SETS)


@dataclass
class MemorySource:
    """All rows of a journal in memory, given out in blocks of a few."""

    whole: Block
    block_rows: int = 7
    fails_after: int = 2**62

    def head(self) -> int:
        """Return the last position."""
        return self.whole.until

    def read(self, *, after: int, until: int) -> Iterator[Block]:
        """Yield blocks; fail, if told to, at the first that goes beyond a position."""
        while after < until:
            end = min(after + self.block_rows, until)
            if end > self.fails_after:
                raise ConnectionError
            yield part_of(self.whole, after=after, until=end)
            after = end

    def events_of(self, kinds: Sequence[str], *, after: int, until: int) -> Iterator[Event]:
        """Yield events of some kinds."""
        return (
            event for event in self.whole.events if after < event.position <= until and event.kind in kinds
        )

    def decisions_before(self, positions: Any) -> Any:
        """Return the decisions about the transfers at some positions."""
        return self.whole.decisions[np.isin(self.whole.decisions["position"] + 1, positions)]

    def decisions_between(self, *, first: int, after: int) -> Any:
        """Return the decisions of a span of time."""
        at = self.whole.decisions["timestamp"]
        return self.whole.decisions[(at >= first) & (at < after)]

    def transfers_at(self, positions: Any) -> Any:
        """Return the transfers at positions that all have one, in that order."""
        places = np.searchsorted(self.whole.transfers["position"], positions)
        return self.whole.transfers[places].copy()


class GrowingSource:
    """A journal in memory as it is at each call."""

    def __init__(self, journal: NullJournal) -> None:
        self._journal = journal
        self._source: MemorySource | None = None
        self._batches = 0

    def __getattr__(self, name: str) -> Any:
        if self._source is None or self._batches != len(self._journal.batches):
            self._source, self._batches = source_of(self._journal), len(self._journal.batches)
            self._source.block_rows = 10_000
        return getattr(self._source, name)


def source_of(journal: NullJournal) -> MemorySource:
    """Return what a journal in memory holds."""
    accounts = joined([batch.accounts for batch in journal.batches], ACCOUNT_ROW)
    transfers = joined([batch.transfers for batch in journal.batches], TRANSFER_ROW)
    decisions = joined([batch.decisions for batch in journal.batches], DECISION_ROW)
    events = tuple(event for batch in journal.batches for event in batch.events)
    until = journal.batches[-1].last
    return MemorySource(
        Block(
            accounts=accounts,
            transfers=transfers,
            events=events,
            after=0,
            until=until,
            decisions=decisions,
        )
    )


@dataclass
class House:
    """An engine that is asked for features just before each payment and each application."""

    journal: Any
    folder: Path
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(START))
    told: dict[str, dict[int, Any]] = field(default_factory=lambda: {"FRAUD": {}, "CREDIT": {}})
    """For each purpose what was told, by the position of the event that asked."""
    agreeing: set[int] = field(default_factory=set)
    commands: int = 0
    transfers: int = 0

    def __post_init__(self) -> None:
        """Open wallets with money."""
        self.engine = Engine(self.journal, lambda: FactoryState(self.folder, PRODUCTS), self.clock)
        self.engine.recover()
        self._opens(house_accounts(GBP))
        for one in PARTIES:
            self.does("party", RegisterParty(subject=one, kind=PartyKind.PERSON))
            self._opens([wallet_account(one, GBP)])
            self._moves(house_account_id(AccountCode.NOSTRO, GBP), account_id(one, GBP), 10**6, code=132)

    def does(self, product: str, command: Command) -> None:
        """Carry out a command."""
        self.clock.advance(10**9)
        self.commands += 1
        request = command_request(product, command, principal="house", key=f"command {self.commands}")
        (receipt,) = self.engine.execute([request])
        assert receipt.code == ""

    def pays(self, payer: int, payee: int, minor: int) -> None:
        """Ask, then let one party pay another."""
        self.clock.advance(10**9)
        asked = {"payer": payer, "payee": payee, "amount": minor}
        told = self._tell("risk", asked, self.clock.now())
        self._moves(account_id(payer, GBP), account_id(payee, GBP), minor, code=101)
        self._note(told, self.engine.state.position)

    def applies(self, applicant: int, minor: int) -> None:
        """Ask, then note an application of a party."""
        at = self.clock.now()
        told = self._tell("credit", {"applicant": applicant, "amount": minor}, at)
        columns: dict[str, Any] = {
            "ids": {"applicant": [f"{applicant:032x}"]},
            "numbers": {"amount": [minor]},
        }
        before = self.engine.state.position
        self.does("facts", RecordFacts(subject=SOURCE, kind="application", at=[at], **columns))
        self._note(told, before + 1)

    def labels(self, payee: int, *, hours_ago: int, rows: int = 1) -> None:
        """Find out late that payments were fraud."""
        at = self.clock.now() - hours_ago * HOUR
        columns: dict[str, Any] = {
            "ids": {"payee": [f"{payee:032x}"] * rows},
            "numbers": {"fraud": [1] * rows},
        }
        self.does("facts", RecordFacts(subject=SOURCE, kind="label", at=[at] * rows, **columns))

    def agrees(self, subject: int) -> None:
        """Let a party agree that its data are used to decide on credit."""
        self.agreeing.add(subject)
        act: dict[str, Any] = {"wording": wording_of("Yes."), "act": ConsentAct.SIGNED_IN_PARTY}
        self.does("consent", GrantConsent(subject=subject, purpose=Purpose.CREDIT, **act))

    def revokes(self, subject: int) -> None:
        """Let a party take it back."""
        self.agreeing.remove(subject)
        self.does("consent", RevokeConsent(subject=subject, purpose=Purpose.CREDIT))

    def works(self, seed: int, *, steps: int) -> None:
        """Let all of that happen by chance."""
        chance = Random(seed)
        for _ in range(steps):
            self.clock.advance(chance.choice((1, 10**9, HOUR, 20 * HOUR)))
            one, other = chance.sample(PARTIES, 2)
            step = chance.random()
            if step < 0.6:
                self.pays(one, other, chance.randint(1, 900))
            elif step < 0.75:
                self.labels(other, hours_ago=chance.randint(0, 90), rows=chance.randint(1, 3))
            elif step < 0.9:
                self.applies(one, chance.randint(1, 10**6))
            elif one in self.agreeing:
                self.revokes(one)
            else:
                self.agrees(one)

    def _tell(self, name: str, asking: dict[str, int], at: int) -> dict[str, Any]:
        return {
            purpose: tell_features(self.engine.state, name, purpose=Purpose[purpose], at=at, asking=asking)
            for purpose in self.told
        }

    def _note(self, told: dict[str, Any], position: int) -> None:
        for purpose, reading in told.items():
            self.told[purpose][position] = reading

    def _opens(self, accounts: Any) -> None:
        (results,) = self.engine.execute([LedgerRequest(account_array(accounts))])
        assert not results["status"].any()

    def _moves(self, debit: int, credit: int, minor: int, *, code: int) -> None:
        self.transfers += 1
        sides = {"debit_account_id": debit, "credit_account_id": credit}
        transfer = Transfer(id=self.transfers, amount=minor, ledger=GBP, code=code, **sides)
        (results,) = self.engine.execute([LedgerRequest(transfer_array([transfer]))])
        assert not np.any(results["status"])


def memory_house(folder: Path) -> House:
    """Return a house on a journal in memory."""
    folder.mkdir()
    return House(NullJournal(), folder)
