"""Lending's part of the client: offers, loans, and the close of business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from formicary.client.pages import pages
from formicary.client.transport import Transport

__all__ = [
    "AllowanceMoved",
    "BusinessDate",
    "CreditOffer",
    "CreditQuote",
    "Lending",
    "Loan",
    "LoanEntry",
    "LoanInstalment",
    "LoanParts",
    "LoanProvision",
    "LoanSchedule",
]


class CreditOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer; ``effective_rate`` is what it costs a year if all of it is taken, in millionths."""

    id: str
    party: str
    currency: str
    limit: int
    terms: dict[str, Any]
    effective_rate: int
    state: str
    expires_at: str
    changed_at: str


class CreditQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What an amount of an offer costs: each instalment, 0 of a line, and the effective rate a year."""

    offer: str
    amount: int
    instalment: int
    effective_rate: int


class LoanParts(msgspec.Struct, frozen=True, kw_only=True):
    """An amount in minor units, by what it is for."""

    fees: int
    interest: int
    principal: int


class LoanProvision(msgspec.Struct, frozen=True, kw_only=True):
    """What is put aside for a loan, and the chances in millionths behind it."""

    stage: int
    allowance: int
    default: int
    default_now: int
    loss: int
    partner_share: int
    impaired: bool


class Loan(msgspec.Struct, frozen=True, kw_only=True):
    """A loan as it stands today; ``provision`` is shown to the house."""

    id: str
    party: str
    wallet: str
    currency: str
    state: str
    limit: int
    terms: dict[str, Any]
    instalment: int
    balance: int
    owed: int
    due: LoanParts
    accrued: int
    next_due: str | None
    days_late: int
    bucket: str
    non_accrual: bool
    collected: bool
    charged: LoanParts
    recovered: int
    refinanced: int
    provision: LoanProvision | None
    changed_at: str


class LoanInstalment(msgspec.Struct, frozen=True, kw_only=True):
    """What falls due on a day, and what is owed of the principal after that."""

    due: str
    principal: int
    interest: int
    fees: int
    payment: int
    balance: int


class LoanSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to fall due of a loan."""

    loan: str
    as_of: str
    items: list[LoanInstalment]


class LoanEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved because of a loan."""

    id: str
    kind: str
    debit_account: str
    credit_account: str
    amount: int
    at: str


class BusinessDate(msgspec.Struct, frozen=True, kw_only=True):
    """A business date: over how many loans it goes, and how far each step of its close came."""

    date: str
    closed: bool
    loans: int
    accrued: int
    collected: int
    charged_off: int
    provided: int
    told: int
    payments: int
    losses: int
    skipped: int
    reminders: int
    changed_at: str


class AllowanceMoved(msgspec.Struct, frozen=True, kw_only=True):
    """How the allowances of a currency and stage moved on a date."""

    currency: str
    stage: int
    opening: int
    new: int
    moved_in: int
    moved_out: int
    remeasured: int
    gone: int
    closing: int


class _Provisions(msgspec.Struct, frozen=True, kw_only=True):
    items: list[AllowanceMoved]


class Lending:
    """Credit to ask for and to serve; errors and ``key`` are as in ``Formicary``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    # -- offers ------------------------------------------------------------------------------

    def offer(
        self,
        party: str,
        *,
        currency: str,
        limit: int,
        terms: Mapping[str, Any],
        expires_at: str,
        key: str | None = None,
        **assessed: int,
    ) -> CreditOffer:
        """Offer a party credit until a time in RFC 3339; ``default`` and ``loss`` in millionths, if known."""
        body = {"party": party, "currency": currency, "limit": limit, "terms": dict(terms), **assessed}
        return self._transport.post(
            "/v1/credit/offers", CreditOffer, body | {"expires_at": expires_at}, key=key
        )

    def offers(self, party: str) -> Iterator[CreditOffer]:
        """Yield a party's offers, the oldest first."""
        return pages(self._transport, "/v1/credit/offers", CreditOffer, party=party)

    def offered(self, offer: str) -> CreditOffer:
        """Return an offer."""
        return self._transport.get(f"/v1/credit/offers/{offer}", CreditOffer)

    def quote(self, offer: str, amount: int) -> CreditQuote:
        """Return what an amount of an offer would cost if it were drawn today."""
        return self._transport.get(f"/v1/credit/offers/{offer}/quote", CreditQuote, amount=amount)

    def withdraw(self, offer: str, *, key: str | None = None) -> CreditOffer:
        """Take an open offer back."""
        return self._transport.post(f"/v1/credit/offers/{offer}/withdraw", CreditOffer, key=key)

    # -- loans -------------------------------------------------------------------------------

    def accept(
        self,
        offer: str,
        *,
        amount: int,
        effective_rate: int,
        collected: bool,
        wallet: str | None = None,
        key: str | None = None,
    ) -> Loan:
        """Take an offer at the effective rate that the party was shown for the amount."""
        body: dict[str, Any] = {"offer": offer, "amount": amount, "effective_rate": effective_rate}
        body |= {"collected": collected} | ({} if wallet is None else {"wallet": wallet})
        return self._transport.post("/v1/loans", Loan, body, key=key)

    def loans(self, party: str) -> Iterator[Loan]:
        """Yield a party's loans, the oldest first."""
        return pages(self._transport, "/v1/loans", Loan, party=party)

    def loan(self, loan: str) -> Loan:
        """Return a loan as it stands today."""
        return self._transport.get(_path(loan), Loan)

    def schedule(self, loan: str) -> LoanSchedule:
        """Return what is still to fall due of a loan."""
        return self._transport.get(_path(loan, "/schedule"), LoanSchedule)

    def entries(self, loan: str) -> Iterator[LoanEntry]:
        """Yield what moved on the ledger because of a loan, the newest first."""
        return pages(self._transport, _path(loan, "/entries"), LoanEntry)

    def draw(self, loan: str, amount: int, *, key: str | None = None) -> Loan:
        """Pay out into the wallet."""
        return self._transport.post(_path(loan, "/draw"), Loan, {"amount": amount}, key=key)

    def repay(self, loan: str, amount: int, *, key: str | None = None) -> Loan:
        """Pay back from the wallet; more than is owed is not taken."""
        return self._transport.post(_path(loan, "/repay"), Loan, {"amount": amount}, key=key)

    def refinance(self, loan: str, other: str, *, key: str | None = None) -> Loan:
        """Draw an accepted instalment loan to pay off another one."""
        return self._transport.post(_path(loan, "/refinance"), Loan, {"loan": other}, key=key)

    def switch_collection(self, loan: str, *, on: bool, key: str | None = None) -> Loan:
        """Let what falls due be taken from the wallet, or no more."""
        return self._transport.post(_path(loan, "/collection"), Loan, {"on": on}, key=key)

    def charge_off(self, loan: str, *, key: str | None = None) -> Loan:
        """Take the loss of a loan in arrears."""
        return self._transport.post(_path(loan, "/charge-off"), Loan, key=key)

    def recover(self, loan: str, amount: int, *, key: str | None = None) -> Loan:
        """Take from the wallet what comes of a loan that was charged off."""
        return self._transport.post(_path(loan, "/recover"), Loan, {"amount": amount}, key=key)

    def write_back(self, loan: str, *, key: str | None = None) -> Loan:
        """Take a charge-off back."""
        return self._transport.post(_path(loan, "/write-back"), Loan, key=key)

    def assess(self, loan: str, *, default: int, impaired: bool = False, key: str | None = None) -> Loan:
        """Say what the chance of default is now, in millionths."""
        body = {"default": default, "impaired": impaired}
        return self._transport.post(_path(loan, "/risk"), Loan, body, key=key)

    # -- business dates ----------------------------------------------------------------------

    def business_date(self, date: str) -> BusinessDate:
        """Return how far the close of a date came."""
        return self._transport.get(f"/v1/business-dates/{date}", BusinessDate)

    def close(self, date: str, *, key: str | None = None) -> BusinessDate:
        """Do the next part of the close of a date."""
        return self._transport.post(f"/v1/business-dates/{date}/close", BusinessDate, key=key)

    def provisions(self, date: str) -> list[AllowanceMoved]:
        """Return how allowances moved on a date."""
        return self._transport.get(f"/v1/business-dates/{date}/provisions", _Provisions).items

    def portfolio(self, part: str = "") -> dict[str, Any]:
        """Return what became of what was lent, or one part of it: ``vintages``, ``roll-rates`` ...."""
        path = "/v1/lending/portfolio" + (f"/{part}" if part else "")
        return self._transport.get(path, dict[str, Any])


def _path(loan: str, rest: str = "") -> str:
    return f"/v1/loans/{loan}{rest}"
