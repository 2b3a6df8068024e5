"""A factory in this process with an API in front of it, and a key of the house to everything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from formicary.base.scopes import Scope
from formicary.client import Formicary
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT, IssueKey
from formicary.factory.identity.keys import new_key
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.products.payments.postings import HOUSE
from formicary.runtime.api_backend import InProcessBackend
from formicary.runtime.api_process import build_api, clock_of
from formicary.runtime.engine_process import warm_up
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.runtime.vaults import InstalledVault
from formicary.runtime.wiring import open_factory
from formicary.surfaces.api.application import Api
from proofs.api.lending_house import FUNDS, POLICY, judged

__all__ = ["known_things", "open_house"]


@contextmanager
def open_house(home: Path) -> Iterator[tuple[Api, str]]:
    """Yield the API and the key."""
    warm_up()
    settings = Settings(home=home, is_sandbox=True)
    clock = clock_of(settings)
    with open_factory(settings, clock=clock, products=PRODUCTS) as factory:
        house = RegisterParty(subject=HOUSE, kind=PartyKind.HOUSE)
        factory.command(PARTY_PRODUCT.name, house, principal="proof", key="house")
        made = new_key("test", 1, os.urandom)
        issue = IssueKey(
            subject=1,
            party=f"{HOUSE:032x}",
            hash_first=made.hash_first,
            hash_last=made.hash_last,
            scopes=int(sum(Scope)),
        )
        factory.command(CREDENTIAL_PRODUCT.name, issue, principal="proof", key="key")
        judged(factory)
        with closing(InstalledVault(settings, factory.access)) as vault:
            yield build_api(settings, InProcessBackend(factory), clock, vault), made.text


def known_things(api: Api, key: str) -> dict[str, str]:
    """Make one thing of each kind; return their ids by the names of the paths' parameters."""
    with Formicary.in_process(api, key) as formicary:
        payer, payee = formicary.register_party("person").id, formicary.register_party("merchant").id
        account = formicary.open_account(payer, "GBP").id
        formicary.open_account(payee, "GBP")
        order = formicary.order("top_up", party=payer, amount=10_000, currency="GBP").id
        formicary.bank_said(order, "confirm")
        formicary.grant_consent(payer, "credit", wording="a" * 32, act="written")
        formicary.applications.set_policy(POLICY)
        formicary.funds.pay_in("GBP", FUNDS["amount"])
        offers = [
            formicary.lending.offer(
                payer,
                currency="GBP",
                limit=1_000,
                terms={"kind": "line", "rate": 100_000_000, "share": 50_000},
                expires_at="2099-01-01T00:00:00Z",
            )
            for _ in range(2)
        ]
        shown = formicary.lending.quote(offers[0].id, 1_000).effective_rate
        loan = formicary.lending.accept(offers[0].id, amount=1_000, effective_rate=shown, collected=True).id
        formicary.lending.draw(loan, 500)
        return {
            "application_id": formicary.applications.apply(payer, 10_000, "GBP").id,
            "currency": "GBP",
            "offer_id": offers[1].id,
            "loan_id": loan,
            "party_id": payer,
            "purpose": "credit",
            "account": account,
            "order_id": order,
            "payment_id": formicary.pay(payer=payer, payee=payee, amount=10, currency="GBP").id,
            "escrow_id": formicary.open_escrow(buyer=payer, seller=payee, amount=10, currency="GBP").id,
            "key_id": formicary.issue_key(payer, ["accounts:read"]).id,
        }
