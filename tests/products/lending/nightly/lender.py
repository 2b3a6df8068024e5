"""A lender in whose street people pay each other: a policy, a champion, and runs over all parties."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import Receipt
from formicary.factory.registry import Alias, MoveAlias, registry_product
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.lending.applications.house import SetCreditPolicy, house_id
from formicary.products.lending.applications.schemas import ApplyForCredit
from formicary.products.lending.applications.settings import Band, CreditorWords, HouseSettings
from formicary.products.lending.nightly.preapproval_run import PreapproveParties, run_id
from formicary.products.lending.product import APPLICATIONS, LENDING, OFFERS, POLICIES, PREAPPROVALS
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.offers import standing_offer_id
from formicary.products.lending.servicing.terms import day_at, quoted
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from formicary.products.payments.postings import TransferCode
from tests.products.lending.servicing.bank import EUR, WALLETS, hex_of
from tests.products.lending.street import Street

__all__ = ["CUSTOMER", "SETTINGS", "Lender"]

CUSTOMER = 99
LINE = LoanTerms(kind=1, rate=0, day_count=3, share=50_000)

SETTINGS = HouseSettings(
    bands=[Band(default=200_000, sales=1_500_000), Band(default=900_000, sales=600_000)],
    terms=LINE,
    creditor=CreditorWords(name="Anthill Bank", address="1 Ant Road", appeal="https://anthill.example"),
    credit={
        "limit_min": 10_000,
        "limit_step": 1_000,
        "history_days_min": 30,
        "rate_cap_millionths": 2_000,
    },
    capital={
        "least": 10_000,
        "step": 1_000,
        "leverage_min_millionths": 500_000,
        "party_max_millionths": 1_000_000,
    },
)

_REGISTRY: Product = registry_product(lambda *_: ())


class Lender(Street):
    """It lends by the judgement, once ``opens_for_business``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, (_REGISTRY, *LENDING), own_funds=500_000_00)
        self.model = MERCHANT_JUDGEMENT.model()

    def opens_for_business(self, settings: HouseSettings = SETTINGS) -> None:
        """Say by what it lends, and make the judgement the champion."""
        self.says(settings)
        for command in (*parts_of(self.model), registration_of(self.model, manifest={}, note="")):
            assert self.does(_REGISTRY, command).code == ""
        self.has_champion(self.model.hash)

    def has_champion(self, hash_: str) -> None:
        """Give the alias to a version; to none where it is empty."""
        name = MERCHANT_JUDGEMENT.spec.name
        move = MoveAlias(
            subject=text_id(name), model=name, alias=Alias.CHAMPION, hash=hash_, reason="As it is."
        )
        assert self.does(_REGISTRY, move).code == ""

    def says(self, settings: HouseSettings) -> None:
        """Say by what it lends."""
        set_policy = SetCreditPolicy(subject=house_id(EUR), currency=EUR, settings=settings)
        assert self.does(POLICIES, set_policy).code == ""

    def trades(self, shops: Sequence[int], days: int, *, amount: int = 40_00) -> None:
        """Let a customer pay shops every other day; the later the shop, the more."""
        for day in range(days):
            if day % 2 == 0:
                amounts = {shop: amount * place for place, shop in enumerate(shops, start=1)}
                self.pays_all(CUSTOMER, amounts, TransferCode.MERCHANT_PAYMENT)
            self.later(1)

    def goes_on(self, day: int | None = None, key: str | None = None) -> Receipt:
        """Do the next part of a run, today's unless given."""
        day = day_at(self.clock.now()) if day is None else day
        return self.does(PREAPPROVALS, PreapproveParties(subject=run_id(day, EUR)), key)

    def runs(self) -> list[dict[str, Any]]:
        """Go over all parties, part by part; return the answers."""
        answers: list[dict[str, Any]] = []
        while not answers or not answers[-1]["is_ended"]:
            receipt = self.goes_on()
            assert receipt.code == "", receipt
            answers.append(dict(receipt.answer))
        return answers

    def applies(self, application: int, party: int, wanted: int) -> dict[str, Any]:
        """Ask for credit; return the answer."""
        asked = ApplyForCredit(
            subject=application,
            party=hex_of(party),
            currency=EUR,
            wanted=wanted,
            wallet=hex_of(WALLETS + party),
        )
        receipt = self.does(APPLICATIONS, asked)
        assert receipt.code == "", receipt
        return dict(receipt.answer)

    def quoted(self, offer: int, amount: int) -> int:
        """Return the effective rate of an amount of an offer today."""
        found = self.engine.state.aggregates[OFFERS.name].find(offer)
        assert found is not None
        return quoted(found, amount=amount, day=day_at(self.clock.now())).effective_rate

    def standing(self, party: int) -> Any:
        """Return a party's standing offer, or None."""
        return self.engine.state.aggregates[OFFERS.name].find(standing_offer_id(party, EUR))
