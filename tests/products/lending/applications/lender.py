"""A lender in memory: the bank of servicing's tests with settings, a model, and merchants that sell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import Receipt
from formicary.factory.ledger import Transfer, transfer_array
from formicary.factory.registry import Alias, MoveAlias, registry_product
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.lending.applications.house import CreditPolicySet, SetCreditPolicy, house_id
from formicary.products.lending.applications.schemas import ApplyForCredit, CreditDecided
from formicary.products.lending.applications.settings import Band, CreditorWords, HouseSettings
from formicary.products.lending.product import APPLICATIONS, LENDING, POLICIES
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.terms import DAY
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from tests.products.lending.servicing.bank import EUR, WALLETS, Bank, hex_of

__all__ = ["CUSTOMERS", "SETTINGS", "Lender"]

CUSTOMERS = range(500, 540)
"""Parties that buy."""

REGISTRY = registry_product(lambda _point, _policy, _rules: [])
MODEL = MERCHANT_JUDGEMENT.model()

SETTINGS = HouseSettings(
    bands=[Band(default=30_000, sales=1_000_000), Band(default=120_000, sales=400_000)],
    terms=LoanTerms(kind=1, rate=0, day_count=3, share=100_000),
    creditor=CreditorWords(
        name="Anthill Bank", address="1 Ant Road", appeal="https://anthill.example/appeals"
    ),
    credit={"limit_min": 10_000, "limit_step": 1_000, "rate_cap_millionths": 1_000},
    capital={"least": 10_000, "step": 1_000},
)


class Lender(Bank):
    """A bank that decides about applications; its customers buy from merchants."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, (*LENDING, REGISTRY), own_funds=10**12)
        self.has(*CUSTOMERS, amount=10**12)

    def says(self, settings: HouseSettings = SETTINGS, currency: int = EUR) -> Receipt:
        """Set the policy."""
        return self.does(
            POLICIES, SetCreditPolicy(subject=house_id(currency), currency=currency, settings=settings)
        )

    def learns(self) -> None:
        """Let the model that is declared become the champion."""
        for part in parts_of(MODEL):
            assert self.does(REGISTRY, part).code == ""
        assert self.does(REGISTRY, registration_of(MODEL, manifest={}, note="Judged.")).code == ""
        self.champion(MODEL.hash)

    def champion(self, digest: str) -> None:
        """Let a version, or none, be the champion."""
        name = MERCHANT_DEFAULT.name
        moved = MoveAlias(
            subject=text_id(name), model=name, alias=Alias.CHAMPION, hash=digest, reason="Tests."
        )
        assert self.does(REGISTRY, moved).code == ""

    def sells(
        self, merchant: int, amount: int, days: int, *, payers: int = len(CUSTOMERS), also: int = 0
    ) -> None:
        """Let a merchant, or two, sell for an amount on each of so many days, to customers in turn."""
        for day in range(days):
            if also:
                self.sells(also, amount, 1)
                self.clock.set(self.clock.now() - DAY)
            self._keys += 1
            sold = Transfer(
                id=self._keys,
                debit_account_id=WALLETS + CUSTOMERS[day % payers],
                credit_account_id=WALLETS + merchant,
                amount=amount,
                ledger=EUR,
                code=101,
            )
            (results,) = self.engine.execute([LedgerRequest(transfer_array([sold]))])
            assert not results["status"].any()
            self.clock.set(self.clock.now() + DAY)

    def applies(self, application: int, party: int, wanted: int, **more: Any) -> Receipt:
        """Apply for credit."""
        key = more.pop("key", None)
        fields = {"currency": EUR} | more
        command = ApplyForCredit(subject=application, party=hex_of(party), wanted=wanted, **fields)
        return self.does(APPLICATIONS, command, key=key)

    def decided(self, application: int) -> CreditDecided:
        """Return what was decided about an application, as the journal has it."""
        (event,) = (one for one in self._events("credit_application.") if one.subject == application)
        return msgspec.json.decode(event.body, type=CreditDecided)

    def in_force(self) -> CreditPolicySet:
        """Return the settings that were set last."""
        return msgspec.json.decode(self._events("credit_house.")[-1].body, type=CreditPolicySet)

    def _events(self, prefix: str) -> list[Any]:
        blocks = self.journal.read(after=0, until=self.engine.state.position)
        return [event for block in blocks for event in block.events if event.kind.startswith(prefix)]
