"""A bank in memory: an engine with parties, consent and lending over a journal that keeps everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.civil import parse_date
from formicary.base.clock import SimulatedClock
from formicary.base.purposes import Purpose
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent, RevokeConsent
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.ledger import Account, AccountFlags, Transfer, account_array, transfer_array
from formicary.products.lending.applications.house import HOUSES_PRODUCT
from formicary.products.lending.funding.funds import EQUITY
from formicary.products.lending.funding.product import FUNDING_PRODUCT
from formicary.products.lending.funding.schemas import PayInOwnFunds
from formicary.products.lending.product import BUSINESS_DATES, LOANS, loans_product
from formicary.products.lending.servicing.close import CloseBusinessDate, business_dates
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.offers import OFFERS, OfferCredit
from formicary.products.lending.servicing.postings import LoanAccount, house_account_id
from formicary.products.lending.servicing.reconciliation import differences
from formicary.products.lending.servicing.schemas import AcceptOffer, Draw
from formicary.products.lending.servicing.terms import DAY
from formicary.products.lending.watching.borrowers import WATCHED
from tests.factory.engine.null_journal import NullJournal

__all__ = ["EUR", "INSTALMENTS", "LINE", "SERVICING", "START", "Bank", "hex_of"]

EUR = 978
START = parse_date("2025-01-15")
NOSTRO = 2**65
WALLETS = 2**64

INSTALMENTS = LoanTerms(kind=2, rate=120_000_000, instalments=6)
"""Six equal instalments at 12 % a year, each month of 30 days."""

LINE = LoanTerms(kind=1, rate=182_500_000, day_count=3, share=50_000)
"""A line at 0.05 % a day, of which a twentieth falls due each month."""

_LOANS = loans_product()
SERVICING = (FUNDING_PRODUCT, OFFERS, _LOANS, business_dates(_LOANS))
"""Servicing alone, which lends to whoever has an offer."""


def hex_of(number: int) -> str:
    """Return an id as events have it."""
    return f"{number:032x}"


class Told(NamedTuple):
    """An event: about what, and its fields."""

    subject: int
    data: dict[str, Any]


class Bank:
    """An engine in simulated time; parties and loans are small numbers, wallets their numbers and 2**64.

    Its owners paid own funds in.
    """

    def __init__(
        self, folder: Path, products: tuple[Product, ...] = SERVICING, *, own_funds: int = 10**15
    ) -> None:
        self.folder = folder
        self.products = (PARTY_PRODUCT, CONSENT_PRODUCT, FACTS_PRODUCT, HOUSES_PRODUCT, WATCHED, *products)
        self.journal = NullJournal()
        self.clock = SimulatedClock(START * DAY + DAY // 2)
        self.engine = self.another_engine()
        self._keys = 0
        self.day = START
        self.opens(Account(id=NOSTRO, ledger=EUR, code=1))
        if own_funds:
            assert self.funds(PayInOwnFunds(subject=EUR, amount=own_funds)).code == ""

    def another_engine(self) -> Engine:
        """Return an engine that recovered from the journal."""
        engine = Engine(self.journal, lambda: FactoryState(self.folder, self.products), self.clock)
        engine.recover()
        return engine

    def recovers(self) -> None:
        """Lose the engine and all it knew; another one takes over."""
        before = self.engine.state.state_hash
        self.engine = self.another_engine()
        assert self.engine.state.state_hash == before

    def opens(self, *accounts: Account) -> None:
        """Open accounts."""
        (results,) = self.engine.execute([LedgerRequest(account_array(accounts))])
        assert not results["status"].any()

    def has(self, *parties: int, amount: int = 0) -> None:
        """Register parties that agree to credit, with a wallet each and money in it."""
        for party in parties:
            self.does(PARTY_PRODUCT, RegisterParty(subject=party, kind=PartyKind.PERSON))
            self.agrees(party)
        floored = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
        self.opens(
            *(
                Account(id=WALLETS + party, ledger=EUR, code=2, flags=floored, user_data_128=party)
                for party in parties
            )
        )
        for party in parties:
            self.earns(party, amount)

    def agrees(self, party: int) -> None:
        """Let a party agree that its data decide on credit."""
        grant = GrantConsent(
            subject=party, purpose=Purpose.CREDIT, wording="ab" * 16, act=ConsentAct.SIGNED_IN_PARTY
        )
        assert self.does(CONSENT_PRODUCT, grant).code == ""

    def disagrees(self, party: int) -> None:
        """Let a party take it back."""
        assert self.does(CONSENT_PRODUCT, RevokeConsent(subject=party, purpose=Purpose.CREDIT)).code == ""

    def earns(self, party: int, amount: int) -> None:
        """Let money come into a wallet, or, below zero, leave it."""
        if amount:
            ends = (NOSTRO, WALLETS + party) if amount > 0 else (WALLETS + party, NOSTRO)
            self.moves(*ends, abs(amount))

    def moves(self, debit: int, credit: int, amount: int) -> None:
        """Make a transfer."""
        self._keys += 1
        ends = {"debit_account_id": debit, "credit_account_id": credit}
        moved = Transfer(id=self._keys, amount=amount, ledger=EUR, code=1, **ends)
        (results,) = self.engine.execute([LedgerRequest(transfer_array([moved]))])
        assert not results["status"].any()

    def does(self, product: Product, command: Command, key: str | None = None) -> Receipt:
        """Carry out a command under a key, a new one unless given; return its receipt."""
        self._keys += 1
        request = command_request(product.name, command, principal="test", key=key or f"key {self._keys}")
        (receipt,) = self.engine.execute([request])
        assert isinstance(receipt, Receipt)
        return receipt

    def asks(self, command: Command) -> Receipt:
        """Carry out a command about a loan."""
        return self.does(LOANS, command)

    def funds(self, command: Command) -> Receipt:
        """Carry out a command about the house's own money."""
        return self.does(FUNDING_PRODUCT, command)

    @property
    def own_funds(self) -> int:
        """What is the house's own."""
        return sum(self.balance(house_account_id(code, EUR)) for code in EQUITY)

    @property
    def cash(self) -> int:
        """What the house can pay out."""
        return -self.balance(house_account_id(LoanAccount.CASH, EUR))

    def offers(self, offer: int, party: int, limit: int, terms: LoanTerms, **more: Any) -> Receipt:
        """Offer credit for 30 days."""
        fields = {"currency": EUR, "expires": self.clock.now() + 30 * DAY} | more
        return self.does(
            OFFERS, OfferCredit(subject=offer, party=hex_of(party), limit=limit, terms=terms, **fields)
        )

    def accepts(self, loan: int, offer: int, party: int, amount: int, **more: Any) -> Receipt:
        """Accept an offer at the rate it says."""
        found = self.engine.state.aggregates[OFFERS.name].find(offer)
        fields: dict[str, Any] = {
            "wallet": hex_of(WALLETS + party),
            "effective_rate": 0 if found is None else int(found["effective_rate"]),
            "is_collected": True,
        }
        return self.asks(
            AcceptOffer(
                subject=loan, offer=hex_of(offer), party=hex_of(party), amount=amount, **fields | more
            )
        )

    def lends(self, loan: int, party: int, amount: int, terms: LoanTerms, **more: Any) -> None:
        """Offer, accept and draw, all of it."""
        assert self.offers(loan, party, amount, terms).code == ""
        assert self.accepts(loan, loan, party, amount, **more).code == ""
        assert self.asks(Draw(subject=loan, amount=amount)).code == ""

    def closes(self, day: int) -> list[dict[str, Any]]:
        """Close a business date part by part at its end; return the answers."""
        self.clock.set(max(self.clock.now(), day * DAY + 23 * DAY // 24))
        answers: list[dict[str, Any]] = []
        while not answers or not answers[-1]["is_closed"]:
            receipt = self.does(BUSINESS_DATES, CloseBusinessDate(subject=day))
            assert receipt.code == "", receipt
            answers.append(dict(receipt.answer))
        self.clock.set((day + 1) * DAY + DAY // 2)
        self.day = day + 1
        return answers

    def events(self, kind: str) -> list[Told]:
        """Return the events of a kind, in order."""
        found = [event for batch in self.journal.batches for event in batch.events if event.kind == kind]
        return [Told(event.subject, msgspec.json.decode(event.body)) for event in found]

    def loan(self, loan: int) -> npt.NDArray[Any]:
        """Return a loan."""
        found = self.engine.state.aggregates[LOANS.name].find(loan)
        assert found is not None
        return found

    def balance(self, account: int) -> int:
        """Return what an account holds: credits less debits, 0 where there is none."""
        machine = self.engine.state.machine
        number = machine.account_number(account)
        if number < 0:
            return 0
        found = machine.account_view(number)
        return int(found["credits_posted"]) - int(found["debits_posted"])

    def wallet(self, party: int) -> int:
        """Return what a party has."""
        return self.balance(WALLETS + party)

    def is_sound(self) -> None:
        """Check that books balance, and that loans and ledger say the same."""
        machine = self.engine.state.machine
        views = [machine.account_view(number) for number in range(len(machine.accounts))]
        debits, credits_ = (
            sum(int(view[f"{side}_posted"]) for view in views) for side in ("debits", "credits")
        )
        assert debits == credits_
        assert differences(self.engine.state) == []
        loans = self.engine.state.aggregates[LOANS.name].records
        for loan in loans:
            assert self.balance((int(loan["id_high"]) << 64) | int(loan["id_low"])) == -int(loan["balance"])
            owed = int(loan["interest_due"]) + int(loan["accrued"])
            assert 0 <= int(loan["unbooked"]) <= owed
            assert 0 <= int(loan["principal_due"]) <= int(loan["balance"])
            late = bool(loan["fees_due"] + loan["interest_due"] + loan["principal_due"])
            if loan["state"] == 2:
                assert late == bool(loan["arrears_since"])
        assert np.all(loans["balance"] >= 0)
