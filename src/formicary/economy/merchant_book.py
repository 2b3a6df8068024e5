"""One merchant's documents as bookings: wallets, sales in escrow, refunds, bad debt.

The accounts are few, and all but the bad debt's are those of the payments business::

    nostro     ->  wallet        deposit: exactly what the next payment lacks, just before it
    wallet     ->  escrow        payment of a sale
    escrow     ->  merchant      confirmed by the buyer, or by itself ten days after shipment
    escrow     ->  wallet        refund while the sale lasts, of all or a part
    merchant   ->  wallet        refund afterwards, of a purchase or of goodwill
    bad debt  <->  merchant      adjustment

A wallet never owes: its debits must not exceed its credits. Nor does the merchant, but for a credit limit
of what refunds need at the worst moment. A party is a customer, or the guest of one invoice. A refund is
made in escrow where a sale of its party still holds as much, else by the merchant; it needs as much paid
by its party and not refunded yet, otherwise it is goodwill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

import numpy.typing as npt
import polars as pl

from formicary.base.currencies import Currency, currency
from formicary.economy.chart import TransferCode
from formicary.economy.escrow_book import EscrowBook, Sale
from formicary.economy.invoices import LineClass
from formicary.economy.moments import Asked, Moment
from formicary.economy.names import named_id
from formicary.factory.ledger import Account, Transfer, account_array, transfer_array
from formicary.products.payments import terms
from formicary.products.payments.postings import (
    AccountCode,
    account_id,
    house_account_id,
    house_accounts,
    wallet_account,
)

__all__ = ["Kind", "MerchantBook", "merchant_book"]

Row = dict[str, Any]
Items = npt.NDArray[Any]

# The last timers of a sale, stale ones too, are set for less than this after the last plan.
_TIMERS_RUN_OUT: Final = 30 * terms.DAY


class Kind(StrEnum):
    """What became of a document."""

    PAYMENT = "payments"
    GUEST_PAYMENT = "guests' payments"
    ESCROW_REFUND = "refunds in escrow"
    REFUND = "refunds after the sale"
    GOODWILL_REFUND = "goodwill refunds"
    GUEST_GOODWILL_REFUND = "guests' goodwill refunds"
    ADJUSTMENT = "bad debt adjustments"
    NOTHING_TO_PAY = "nothing to pay"
    STOCK_CORRECTION = "stock corrections"


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantBook:
    """Bookings of one merchant.

    Attributes
    ----------
    currency
        Of all amounts.
    moments
        What to ask for, in order of time; the last one asks for nothing but that all timers have run.
    documents
        The documents with the ``kind`` that each became, (n).
    merchant, merchant_id
        The merchant and its account, 128 bits each.
    credit_limit
        Minor units by which refunds overdraw the merchant at the worst moment.
    customers, guests
        Parties that money moved to or from.
    """

    currency: Currency
    moments: tuple[Moment, ...]
    documents: pl.DataFrame
    merchant: int
    merchant_id: int
    credit_limit: int
    customers: int
    guests: int


def merchant_book(name: str, documents: pl.DataFrame) -> MerchantBook:
    """Book the documents (n) of a merchant in pounds, as ``invoices.documents`` gives them.

    ``name`` says where they come from and is part of every id.
    """
    booking = _Booking(name, currency("GBP"))
    by_time = groupby(documents.iter_rows(named=True), key=lambda row: row["at"])
    booked = [moment for at, rows in by_time for moment in booking.book(at, rows)]
    booked += booking.end()
    first_at = documents["at"][0] if len(documents) else 0
    return MerchantBook(
        currency=booking.currency,
        moments=(Moment(first_at, (account_array(booking.house_accounts()),)), *booked),
        documents=documents.with_columns(pl.Series("kind", booking.kinds, pl.String)),
        merchant=booking.merchant,
        merchant_id=account_id(booking.merchant, booking.currency.number),
        credit_limit=booking.overdraft,
        customers=sum(not party.is_guest for party in booking.parties.values()),
        guests=sum(party.is_guest for party in booking.parties.values()),
    )


@dataclass(slots=True)
class _Party:
    id: int
    is_guest: bool
    balance: int = 0
    paid: int = 0
    sales: list[Sale] = field(default_factory=list)


class _Booking:
    """The book while it is written."""

    def __init__(self, name: str, currency: Currency) -> None:
        self.currency = currency
        self.kinds: list[str] = []
        self.parties: dict[str, _Party] = {}
        self.merchant = named_id(name, "merchant")
        self.overdraft = 0
        self._name = name
        self._nostro = house_account_id(AccountCode.NOSTRO, currency.number)
        self._bad_debt = named_id(name, "bad debt")
        self._merchant_wallet = account_id(self.merchant, currency.number)
        self._merchant_balance = 0
        self._last_at = 0
        self._opened: list[Account] = []
        self._escrows = EscrowBook(
            name, self.merchant, currency.number, received=self._receive, returned=self._return
        )

    def house_accounts(self) -> list[Account]:
        """Return the accounts that are no customer's; to be asked when everything is booked."""
        number = self.currency.number
        merchant = wallet_account(self.merchant, number, AccountCode.MERCHANT_WALLET)
        bad_debt = Account(id=self._bad_debt, ledger=number, code=AccountCode.ADJUSTMENTS)
        return [*house_accounts(number), replace(merchant, credit_limit=self.overdraft), bad_debt]

    def book(self, at: int, rows: Iterable[Row]) -> Iterator[Moment]:
        """Book the documents of one moment, after what was planned before it."""
        yield from self._planned(at)
        self._opened, self._last_at = [], at
        asked = [one for row in rows for one in self._book(row)]
        if asked:
            wallets = (account_array(self._opened),) if self._opened else ()
            yield Moment(at, (*wallets, *asked))

    def end(self) -> Iterator[Moment]:
        """Book what is still planned; then let all timers run."""
        yield from self._planned(None)
        yield Moment(self._last_at + _TIMERS_RUN_OUT, ())

    def _planned(self, until: int | None) -> Iterator[Moment]:
        for at, commands in self._escrows.due(until):
            self._last_at = at
            if commands:
                yield Moment(at, tuple(commands))

    def _book(self, row: Row) -> list[Asked]:
        """Return what a document asks for, and note its kind."""
        kind, asked = self._kind(row)
        self.kinds.append(kind)
        return asked

    def _kind(self, row: Row) -> tuple[Kind, list[Asked]]:
        pence = row["pence"]
        if row["class"] == LineClass.STOCK_CORRECTION:
            return Kind.STOCK_CORRECTION, []
        if pence == 0:
            return Kind.NOTHING_TO_PAY, []
        if row["class"] == LineClass.ADJUSTMENT:
            self._receive(pence)
            return Kind.ADJUSTMENT, [self._adjust(row, pence)]
        party = self._party(row)
        return self._pay(row, party, pence) if pence > 0 else self._refund(row, party, -pence)

    def _pay(self, row: Row, party: _Party, amount: int) -> tuple[Kind, list[Asked]]:
        lacking = max(0, amount - party.balance)
        party.balance += lacking - amount
        party.paid += amount
        wallet = account_id(party.id, self.currency.number)
        deposit = (
            [self._transfer(row, TransferCode.DEPOSIT, self._nostro, wallet, lacking)] if lacking else []
        )
        sale, commands = self._escrows.sell(row["invoice"], party, party.id, amount, row["at"])
        party.sales.append(sale)
        return (Kind.GUEST_PAYMENT if party.is_guest else Kind.PAYMENT), [*deposit, *commands]

    def _refund(self, row: Row, party: _Party, amount: int) -> tuple[Kind, list[Asked]]:
        party.sales = [sale for sale in party.sales if not sale.over]
        free = [sale for sale in party.sales if not sale.busy and sale.held >= amount]
        if free:
            party.paid -= amount
            return Kind.ESCROW_REFUND, [*self._escrows.refund(row["invoice"], free[-1], amount, row["at"])]
        if party.paid >= amount:
            party.paid -= amount
            kind, code = Kind.REFUND, TransferCode.REFUND
        else:
            kind = Kind.GUEST_GOODWILL_REFUND if party.is_guest else Kind.GOODWILL_REFUND
            code = TransferCode.GOODWILL_REFUND
        self._receive(-amount)
        self._return(party, amount)
        wallet = account_id(party.id, self.currency.number)
        return kind, [self._transfer(row, code, self._merchant_wallet, wallet, amount)]

    def _receive(self, amount: int) -> None:
        self._merchant_balance += amount
        self.overdraft = max(self.overdraft, -self._merchant_balance)

    def _return(self, party: _Party, amount: int) -> None:
        party.balance += amount

    def _adjust(self, row: Row, pence: int) -> Items:
        sides = (self._bad_debt, self._merchant_wallet)
        debit, credit = sides if pence > 0 else sides[::-1]
        return self._transfer(row, TransferCode.ADJUSTMENT, debit, credit, abs(pence))

    def _party(self, row: Row) -> _Party:
        is_guest = row["customer"] is None
        name = f"guest {row['invoice']}" if is_guest else f"customer {row['customer']}"
        party = self.parties.get(name)
        if party is None:
            party = self.parties[name] = _Party(named_id(self._name, name), is_guest)
            self._opened.append(wallet_account(party.id, self.currency.number))
        return party

    def _transfer(self, row: Row, code: TransferCode, debit: int, credit: int, amount: int) -> Items:
        transfer = Transfer(
            id=named_id(self._name, row["invoice"], code.name),
            debit_account_id=debit,
            credit_account_id=credit,
            amount=amount,
            ledger=self.currency.number,
            code=code,
        )
        return transfer_array([transfer])
