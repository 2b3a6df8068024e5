"""The demo's second half of the merchant's year: a house that lends, to the merchant and to a small town.

Every night the business date is closed: interest, what falls due, collection, losses, allowances. After half
a year all parties are looked at for what they may have; the merchant's offer comes from its own sales, is
accepted at the rate that is shown, drawn, and collected from the wallet into which escrow releases pay. The
town's loans are offered by hand; some people stop paying, and the close takes the loss once they are late for
too long.

Nobody decides anything: the house's settings, a judged model and the close of business do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from formicary.base.civil import civil
from formicary.base.currencies import currency
from formicary.base.purposes import Purpose
from formicary.economy.borrowers import Borrower, borrowers
from formicary.economy.chart import TransferCode
from formicary.economy.merchant_book import MerchantBook
from formicary.economy.moments import Moment
from formicary.economy.names import named_id
from formicary.factory.engine.products import Command, Product
from formicary.factory.engine.requests import command_request
from formicary.factory.engine.state import Receipt
from formicary.factory.identity.consent import CONSENT_PRODUCT, ConsentAct, GrantConsent
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, RegisterParty
from formicary.factory.ledger import Transfer, account_array, transfer_array
from formicary.products.lending.applications.house import SetCreditPolicy, house_id
from formicary.products.lending.applications.settings import Band, CreditorWords, HouseSettings
from formicary.products.lending.funding.schemas import Borrow, PayInOwnFunds
from formicary.products.lending.nightly.preapproval_run import PreapproveParties, run_id
from formicary.products.lending.product import (
    BUSINESS_DATES,
    FUNDING_PRODUCT,
    LOANS,
    OFFERS,
    POLICIES,
    PREAPPROVALS,
)
from formicary.products.lending.schedules import DayCount
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LoanKind, OfferState
from formicary.products.lending.servicing.offers import OfferCredit, standing_offer_id
from formicary.products.lending.servicing.refusals import LoanInArrears, LoanNotOpen
from formicary.products.lending.servicing.schemas import AcceptOffer, Draw, Repay
from formicary.products.lending.servicing.terms import DAY, quoted
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from formicary.products.payments.postings import AccountCode, house_account_id, house_accounts, wallet_account
from formicary.surfaces.cli.demo_promoted import answer_of, promoted
from formicary.surfaces.cli.ports import DemoFactory

__all__ = ["TOWN", "LendingYear", "Line", "lending_year"]

_NIGHTS: Final = 365
_PEOPLE: Final = 240
TOWN: Final = "CHF"
_PREAPPROVED_AT: Final = 200
"""The night after which the merchant has half a year of sales."""
_DRAWN_AT: Final = {_PREAPPROVED_AT: 50, _PREAPPROVED_AT + 66: 25}
"""By night, so many percent of its line the merchant draws."""
_CHARGED_OFF_DAYS: Final = 120
_OFFERED_DAYS: Final = 120
_MONTH_DAYS_MIN: Final = 28
_JUST_AFTER_MIDNIGHT: Final = 20 * 10**9
_REASON: Final = "The demo shows how a house lends."

_Move: TypeAlias = tuple[int, int, int, tuple[object, ...]]
"""From an account to another, minor units, and what names it."""

_SETTINGS: Final = HouseSettings(
    bands=[
        Band(default=20_000, sales=1_500_000),
        Band(default=50_000, sales=1_000_000),
        Band(default=120_000, sales=400_000),
    ],
    terms=LoanTerms(
        kind=LoanKind.LINE, rate=0, day_count=DayCount.ACTUAL_365, every=1, unit=1, share=100_000
    ),
    creditor=CreditorWords(name="The demo's house", address="127.0.0.1", appeal="/v1/appeals"),
    credit={"limit_max": 500_000_00},
    close={"charge_off_days": _CHARGED_OFF_DAYS, "line_charge_off_days": _CHARGED_OFF_DAYS},
)
"""A tenth of what is drawn falls due each week, and lines are lost as soon as loans; else the defaults."""

_OWN_FUNDS: Final = 2_000_000_00
"""For the merchant: a line is a quarter of them at most."""

_TOWN_FUNDS: Final = (300_000_00, 150_000_00, 20_000_000)
"""For the town: paid in, and borrowed at 2 % a year."""


@dataclass(slots=True, kw_only=True)
class Line:
    """What became of the merchant's line; amounts are minor units.

    ``price`` is in millionths a day, ``effective_rate`` in millionths a year, ``default`` in millionths; all
    are zero where it was offered nothing.
    """

    limit: int = 0
    price: int = 0
    effective_rate: int = 0
    default: int = 0
    drawn: int = 0
    repaid_at_once: int = 0


@dataclass(slots=True)
class LendingYear:
    """A year of lending beside a merchant's replay: what is done each night, and what came of it.

    Attributes
    ----------
    closed
        How many business dates were closed.
    line
        The merchant's.
    refused
        Draws that were refused as something was late.
    """

    factory: DemoFactory
    name: str
    book: MerchantBook
    nights: int
    people: tuple[Borrower, ...] = ()
    closed: int = 0
    line: Line = field(default_factory=Line)
    refused: int = 0

    def moments(self) -> Iterator[Moment]:
        """Yield the merchant's moments, and live each night before the first one after it."""
        moments = iter(self.book.moments)
        opening = next(moments)
        yield opening
        self._open(opening.at)
        first = opening.at // DAY + 1
        night = 0
        for moment in moments:
            while night < self.nights and (first + night) * DAY + DAY // 2 < moment.at:
                self._live(first, night)
                night += 1
            yield moment
        while night < self.nights:
            self._live(first, night)
            night += 1

    # -- the first day ---------------------------------------------------------------------

    def _open(self, at: int) -> None:
        number = currency(TOWN).number
        self.people = tuple(borrowers(f"{self.name} town", number, count=_PEOPLE, days=self.nights))
        promoted(self.factory, self.name, self.factory.judge(MERCHANT_DEFAULT.name), _REASON)
        for ledger in (self.book.currency.number, number):
            policy = SetCreditPolicy(subject=house_id(ledger), currency=ledger, settings=_SETTINGS)
            self._asks(POLICIES, policy, "policy", ledger)
        self._funds(self.book.currency.number, number)
        self._registers(self.book.merchant, PartyKind.MERCHANT)
        accounts = [*house_accounts(number), *(wallet_account(one.party, number) for one in self.people)]
        self.factory.execute([account_array(accounts)])
        for one in self.people:
            self._registers(one.party, PartyKind.PERSON)
            offer = OfferCredit(
                subject=one.offer,
                party=_hex(one.party),
                currency=number,
                limit=one.amount,
                terms=one.terms,
                expires=at + _OFFERED_DAYS * DAY,
            )
            self._asks(OFFERS, offer, "offer", one.number)

    def _funds(self, merchants: int, towns: int) -> None:
        paid_in, borrowed, rate = _TOWN_FUNDS
        for command in (
            PayInOwnFunds(subject=merchants, amount=_OWN_FUNDS),
            PayInOwnFunds(subject=towns, amount=paid_in),
            Borrow(subject=towns, amount=borrowed, rate=rate),
        ):
            self._asks(FUNDING_PRODUCT, command, type(command).__name__, command.subject)

    def _registers(self, party: int, kind: PartyKind) -> None:
        self._asks(PARTY_PRODUCT, RegisterParty(subject=party, kind=kind), "party", party)
        grant = GrantConsent(
            subject=party,
            purpose=Purpose.CREDIT,
            wording=_hex(named_id(self.name, "wording")),
            act=ConsentAct.SIGNED_IN_PARTY,
        )
        self._asks(CONSENT_PRODUCT, grant, "consent", party)

    # -- a night ---------------------------------------------------------------------------

    def _live(self, first: int, night: int) -> None:
        """Close the date before, then let the town live a day, and the merchant borrow."""
        today = first + night
        self.factory.set_time(today * DAY + _JUST_AFTER_MIDNIGHT)
        self._close(today - 1)
        self._pay_wages(today, night)
        self._draw(today, night)
        if night == _PREAPPROVED_AT:
            self._preapprove(today)
        if self.line.limit and night in _DRAWN_AT:
            self._merchant_draws(night)
        if self.line.limit and night == self.nights - 1:
            repaid = self._asks(LOANS, Repay(subject=self._line, amount=self.line.limit * 2), "repaid", night)
            self.line.repaid_at_once = int(repaid["amount"])

    def _close(self, day: int) -> None:
        part, answer = 0, {"is_closed": False}
        while not answer["is_closed"]:
            answer = self._asks(BUSINESS_DATES, CloseBusinessDate(subject=day), f"close {day}", part)
            part += 1
        self.closed += 1

    def _pay_wages(self, today: int, night: int) -> None:
        _, _, day = civil(today)
        paid = [
            one
            for one in self.people
            if day == _payday(today - night + one.drawn[0]) and one.drawn[0] < night and one.has_wages(night)
        ]
        nostro = house_account_id(AccountCode.NOSTRO, currency(TOWN).number)
        wages: list[_Move] = [(nostro, one.wallet, one.wages, ("wages", night, one.number)) for one in paid]
        self._moves(wages)

    def _draw(self, today: int, night: int) -> None:
        nostro = house_account_id(AccountCode.NOSTRO, currency(TOWN).number)
        spent: list[_Move] = []
        for one in self.people:
            amount = one.draws(night)
            if not amount:
                continue
            if night == one.drawn[0]:
                self._accepts(one, today)
            receipt = self._sent(LOANS, Draw(subject=one.loan, amount=amount), f"draw {night}", one.number)
            if receipt.code in (LoanInArrears.code, LoanNotOpen.code):
                self.refused += 1
                continue
            answer_of(receipt)
            spent.append((one.wallet, nostro, amount, ("spent", night, one.number)))
        self._moves(spent)

    def _accepts(self, one: Borrower, today: int) -> None:
        # What an amount costs a year depends on the days of the months that follow.
        shown = quoted(self._found(OFFERS, one.offer), amount=one.amount, day=today).effective_rate
        accepted = AcceptOffer(
            subject=one.loan,
            offer=_hex(one.offer),
            party=_hex(one.party),
            wallet=_hex(one.wallet),
            amount=one.amount,
            effective_rate=shown,
            is_collected=True,
        )
        self._asks(LOANS, accepted, "accept", one.number)

    # -- the merchant ----------------------------------------------------------------------

    @property
    def _line(self) -> int:
        return named_id(self.name, "line")

    def _preapprove(self, today: int) -> None:
        """Look at all parties; where the merchant may have credit, it takes all of its offer."""
        number, part, answer = self.book.currency.number, 0, {"is_ended": False}
        while not answer["is_ended"]:
            command = PreapproveParties(subject=run_id(today, number))
            answer = self._asks(PREAPPROVALS, command, f"pre-approval {today}", part)
            part += 1
        subject = standing_offer_id(self.book.merchant, number)
        offer = self._found(OFFERS, subject)
        if offer is None or not offer["limit"] or offer["state"] == OfferState.WITHDRAWN:
            return
        limit = int(offer["limit"])
        shown = quoted(offer, amount=limit, day=today).effective_rate
        self.line = Line(
            limit=limit,
            price=round(int(offer["rate"]) / 365_000),
            effective_rate=shown,
            default=int(offer["default"]),
        )
        accepted = AcceptOffer(
            subject=self._line,
            offer=_hex(subject),
            party=_hex(self.book.merchant),
            wallet=_hex(self.book.merchant_id),
            amount=limit,
            effective_rate=shown,
            is_collected=True,
        )
        self._asks(LOANS, accepted, "accept", "merchant")

    def _merchant_draws(self, night: int) -> None:
        amount = self.line.limit * _DRAWN_AT[night] // 100
        self._asks(LOANS, Draw(subject=self._line, amount=amount), f"draw {night}", "merchant")
        self.line.drawn += amount

    # -- asking ----------------------------------------------------------------------------

    def _sent(self, product: Product, command: Command, what: str, which: object) -> Receipt:
        key = f"{self.name} lending {what} {which}"
        request = command_request(product.name, command, principal="demo", key=key)
        receipt: Receipt
        (receipt,) = self.factory.execute([request])
        return receipt

    def _asks(self, product: Product, command: Command, what: str, which: object) -> Any:
        return answer_of(self._sent(product, command, what, which))

    def _moves(self, moves: list[_Move]) -> None:
        if not moves:
            return
        transfers = [
            Transfer(
                id=named_id(self.name, "lending", *names),
                debit_account_id=debit,
                credit_account_id=credit,
                amount=amount,
                ledger=currency(TOWN).number,
                code=TransferCode.DEPOSIT,
            )
            for debit, credit, amount, names in moves
        ]
        self.factory.execute([transfer_array(transfers)])

    def _found(self, product: Product, subject: int) -> Any:
        """Return an aggregate as it is now, None where there is none."""
        records = self.factory.columns(product.name)
        places = (records["id_high"] == subject >> 64) & (records["id_low"] == subject & (1 << 64) - 1)
        found = records[places]
        return found[0] if len(found) else None


def _payday(drawn: int) -> int:
    """Return the day of the month before the one on which what was drawn on a day falls due."""
    _, _, day = civil(drawn)
    return max(min(day, _MONTH_DAYS_MIN) - 1, 1)


def lending_year(factory: DemoFactory, name: str, book: MerchantBook) -> LendingYear:
    """Return a year beside a merchant's; ``name`` says where that comes from and is part of every id."""
    return LendingYear(factory, name, book, _NIGHTS)


def _hex(number: int) -> str:
    return f"{number:032x}"
