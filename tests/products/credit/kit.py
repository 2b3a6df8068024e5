"""A house in memory that keeps scores: parties who pay each other, owe something, and agree or do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from formicary.base.purposes import Purpose, wording_of
from formicary.factory.engine.products import Command, DomainEvent, Product
from formicary.factory.engine.reads import fields_of
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.identity import IDENTITY
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent, RevokeConsent
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.products.credit import CREDIT
from formicary.products.credit.product import SCORES, SHARING
from formicary.products.credit.schemas import (
    GiveAuthorisation,
    RefreshScore,
    SharedScope,
    authorisation_id,
)
from formicary.products.payments.postings import HOUSE, payment
from tests.products.payments.house import GBP, House

__all__ = ["ADA", "BOB", "DAY", "KEY", "LANDLORD", "SHOP", "Town", "hex_id"]

ADA, BOB, SHOP, LANDLORD = 11, 12, 13, 14
KEY = "c" * 32
DAY = 86_400 * 10**9
SOURCE = 99
WORDS = wording_of("You may make a score of what I pay and owe.")

Kind = TypeVar("Kind", bound=DomainEvent)


def hex_id(party: int) -> str:
    """Return an id as commands write it."""
    return f"{party:032x}"


class Town(House):
    """A house with everything that a score needs beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, *IDENTITY, FACTS_PRODUCT, *CREDIT)
        kinds = {
            HOUSE: PartyKind.HOUSE,
            ADA: PartyKind.PERSON,
            BOB: PartyKind.PERSON,
            SHOP: PartyKind.MERCHANT,
            LANDLORD: PartyKind.PARTNER,
        }
        for party, kind in kinds.items():
            self.done(PARTY_PRODUCT, RegisterParty(subject=party, kind=kind))
        self.has(ADA, BOB, SHOP, amount=10_000_000)

    def done(self, product: Product, command: Command) -> dict[str, Any]:
        """Carry a command out that is not refused; return its answer."""
        receipt = self.does(product, command)
        assert receipt.code == "", receipt.code
        return receipt.answer

    def agrees(self, party: int, *purposes: Purpose) -> None:
        """Let a party agree to purposes, one by one."""
        for purpose in purposes:
            act = ConsentAct.SIGNED_IN_PARTY
            self.done(CONSENT_PRODUCT, GrantConsent(subject=party, purpose=purpose, wording=WORDS, act=act))

    def takes_back(self, party: int, purpose: Purpose) -> None:
        """Let a party take consent back."""
        self.done(CONSENT_PRODUCT, RevokeConsent(subject=party, purpose=purpose))

    def paid(self, payer: int, payee: int, amount: int) -> None:
        """Make a payment."""
        key = self.engine.state.position
        made = payment(
            command_id=key, payer=payer, payee=payee, currency=GBP, amount=amount, fee=0, to_merchant=False
        )
        assert not self.pays(made)["status"].any()

    def owed(self, party: int, *late: int, at: int | None = None) -> int:
        """Tell obligations of a party, 1 for each that was met late; return when they fell due."""
        told = self.now if at is None else at
        numbers = {"due": [1] * len(late), "late": list(late)}
        self.tells("obligation", party, told, numbers)
        return told

    def checked(self, party: int, passed: int) -> None:
        """Tell of a check of a party's identity."""
        self.tells("identity_check", party, self.now, {"checks": [1], "passed": [passed]})

    def tells(self, kind: str, party: int, at: int, numbers: dict[str, list[int]]) -> None:
        """Record facts."""
        rows = len(next(iter(numbers.values())))
        ids = {"party": [hex_id(party)] * rows}
        command = RecordFacts(subject=SOURCE, kind=kind, at=[at] * rows, ids=ids, numbers=numbers)
        self.done(FACTS_PRODUCT, command)

    def known(self, product: Product, subject: int) -> dict[str, Any]:
        """Return an aggregate's fields."""
        return fields_of(self.record(product, subject))

    def scores(self, party: int) -> dict[str, Any]:
        """Make a party's score anew."""
        return self.done(SCORES, RefreshScore(subject=party))

    def authorises(
        self, third_party: int = LANDLORD, scope: SharedScope = SharedScope.SCORE_AND_BAND, days: int = 30
    ) -> GiveAuthorisation:
        """Return a command by which Ada lets somebody ask."""
        return GiveAuthorisation(
            subject=authorisation_id(ADA, third_party),
            party=hex_id(ADA),
            third_party=hex_id(third_party),
            scope=scope,
            expires_at=self.now + days * DAY,
        )

    def let(self, third_party: int = LANDLORD, **how: Any) -> None:
        """Let somebody ask for Ada's score."""
        self.done(SHARING, self.authorises(third_party, **how))

    def told(self, kind: type[Kind]) -> list[Kind]:
        """Return all events of a kind of the journal."""
        events = [event for batch in self.journal.batches for event in batch.events]
        name = f".{kind.__name__}"
        return [msgspec.json.decode(one.body, type=kind) for one in events if one.kind.endswith(name)]
