"""Random loans, closes, payments, losses and crashes: books balance, and the ledger says what loans say."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.schemas import (
    AllowCollection,
    ChargeOff,
    Draw,
    RecordRecovery,
    RefinanceLoan,
    Repay,
    RevokeCollection,
    WriteBack,
)
from formicary.products.lending.servicing.terms import DAY
from tests.products.lending.servicing.bank import INSTALMENTS, LINE, START, Bank, hex_of

PARTIES = (11, 12)
WEEKLY = LoanTerms(
    kind=2,
    rate=365_000_000,
    instalments=5,
    every=1,
    unit=1,
    day_count=3,
    is_level=False,
    fee=3,
    draw_fee=7,
    waterfall=5,
)
DAILY = LoanTerms(kind=1, rate=999_999_999, every=9, unit=0, day_count=4, share=333_333, fee=1, waterfall=3)
TERMS = (INSTALMENTS, LINE, WEEKLY, DAILY)
LOANS = st.integers(1, 6)
AMOUNTS = st.integers(0, 3_000)


class Lending(RuleBasedStateMachine):
    """Six loans of two parties that share their wallets."""

    @initialize()
    def begins(self) -> None:
        """Open the bank; both parties have a little."""
        self.folder = tempfile.TemporaryDirectory()
        self.bank = Bank(Path(self.folder.name))
        self.bank.has(*PARTIES, amount=500)
        self.day = START

    def teardown(self) -> None:
        """Forget the bank."""
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(loan=LOANS, amount=st.integers(1, 3_000), terms=st.sampled_from(TERMS), is_collected=st.booleans())
    def lends(self, loan: int, amount: int, terms: LoanTerms, is_collected: bool) -> None:  # noqa: FBT001
        """Offer and accept, and draw of some."""
        party = PARTIES[loan % 2]
        self.bank.offers(loan, party, amount, terms)
        self.bank.accepts(loan, loan, party, amount, is_collected=is_collected)
        self.bank.asks(Draw(subject=loan, amount=amount))

    @rule(loan=LOANS, amount=AMOUNTS)
    def draws(self, loan: int, amount: int) -> None:
        """Draw an amount."""
        self.bank.asks(Draw(subject=loan, amount=amount))

    @rule(loan=LOANS, amount=AMOUNTS)
    def repays(self, loan: int, amount: int) -> None:
        """Repay an amount; where the wallet has less, nothing happens."""
        before = self.bank.wallet(PARTIES[loan % 2])
        receipt = self.bank.asks(Repay(subject=loan, amount=amount))
        taken = receipt.answer.get("amount", 0)
        assert before - self.bank.wallet(PARTIES[loan % 2]) == taken <= amount

    @rule(party=st.sampled_from(PARTIES), amount=st.integers(-400, 1_500))
    def earns(self, party: int, amount: int) -> None:
        """Let money come and go."""
        self.bank.earns(party, max(amount, -self.bank.wallet(party)))

    @rule(days=st.integers(1, 40))
    def closes(self, days: int) -> None:
        """Close the next dates."""
        for _ in range(days):
            self.bank.closes(self.day)
            self.day += 1
            self.bank.is_sound()

    @rule()
    def closes_in_part(self) -> None:
        """Go one part on with the close of the next date, and let a day pass meanwhile."""
        self.bank.clock.set(max(self.bank.clock.now(), (self.day + 1) * DAY))
        receipt = self.bank.does(BUSINESS_DATES, CloseBusinessDate(subject=self.day))
        if receipt.answer["is_closed"]:
            self.day += 1

    @rule(loan=LOANS, other=LOANS)
    def refinances(self, loan: int, other: int) -> None:
        """Pay one loan off by another one."""
        party = PARTIES[loan % 2]
        self.bank.offers(loan, party, 2_500, INSTALMENTS)
        self.bank.accepts(loan, loan, party, 2_500)
        self.bank.asks(RefinanceLoan(subject=loan, loan=hex_of(other)))

    @rule(loan=LOANS, command=st.sampled_from([ChargeOff, WriteBack, AllowCollection, RevokeCollection]))
    def changes(self, loan: int, command: Any) -> None:
        """Take a loss or take it back, agree to collection or not any more."""
        self.bank.asks(command(subject=loan))

    @rule(loan=LOANS, amount=AMOUNTS)
    def recovers_money(self, loan: int, amount: int) -> None:
        """Let something come of a loan that was charged off."""
        self.bank.asks(RecordRecovery(subject=loan, amount=amount))

    @rule()
    def crashes(self) -> None:
        """Lose the engine; the next one knows the same."""
        self.bank.recovers()

    @invariant()
    def is_sound(self) -> None:
        """Books balance, and loans and ledger say the same."""
        if hasattr(self, "bank"):
            self.bank.is_sound()


TestLending = Lending.TestCase
TestLending.settings = settings(max_examples=6, stateful_step_count=20, deadline=None)
