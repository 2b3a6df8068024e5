"""One merchant's documents as bookings: wallets, payments, refunds, bad debt.

The accounts are few::

    bank clearing  ->  wallet        deposit: exactly what the next payment lacks, linked to it
    wallet         ->  merchant      payment
    merchant       ->  wallet        refund, of a purchase or of goodwill
    bad debt      <->  merchant      adjustment

A wallet never owes: its debits must not exceed its credits. Nor does the merchant, but for a
credit limit of what refunds need at the worst moment. A party is a customer, or the guest of one
invoice. A refund needs as much paid by its party and not refunded yet; otherwise it is goodwill.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

import polars as pl

from formicary.base.currencies import Currency, currency
from formicary.economy.chart import AccountCode, TransferCode
from formicary.economy.invoices import LineClass
from formicary.economy.moments import Moment
from formicary.economy.names import named_id
from formicary.factory.ledger import (
    Account,
    AccountFlags,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)

__all__ = ["Kind", "MerchantBook", "merchant_book"]

Row = dict[str, Any]

_NEVER_OWES: Final = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS


class Kind(StrEnum):
    """What became of a document."""

    PAYMENT = "payments"
    GUEST_PAYMENT = "guests' payments"
    REFUND = "refunds"
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
        What to ask the ledger for, in order of time.
    documents
        The documents with the ``kind`` that each became, (n).
    merchant_id
        The merchant's account, 128 bits.
    credit_limit
        Minor units by which refunds overdraw the merchant at the worst moment.
    customers, guests
        Parties that money moved to or from.
    """

    currency: Currency
    moments: tuple[Moment, ...]
    documents: pl.DataFrame
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
    booked = [(at, *booking.book(rows)) for at, rows in by_time]
    first_at = documents["at"][0] if len(documents) else 0
    moments = [Moment(first_at, (account_array(booking.house_accounts()),))]
    moments += [_moment(at, opened, made) for at, opened, made in booked if made]
    return MerchantBook(
        currency=booking.currency,
        moments=tuple(moments),
        documents=documents.with_columns(pl.Series("kind", booking.kinds, pl.String)),
        merchant_id=booking.merchant,
        credit_limit=booking.overdraft,
        customers=sum(not party.is_guest for party in booking.parties.values()),
        guests=sum(party.is_guest for party in booking.parties.values()),
    )


def _moment(at: int, opened: list[Account], made: list[Transfer]) -> Moment:
    wallets = (account_array(opened),) if opened else ()
    return Moment(at, (*wallets, transfer_array(made)))


@dataclass(slots=True)
class _Party:
    wallet: int
    is_guest: bool
    balance: int = 0
    paid: int = 0


class _Booking:
    """The book while it is written."""

    def __init__(self, name: str, currency: Currency) -> None:
        self.currency = currency
        self.kinds: list[str] = []
        self.parties: dict[str, _Party] = {}
        self.merchant = named_id(name, "merchant")
        self.overdraft = 0
        self._name = name
        self._bank = named_id(name, "bank clearing")
        self._bad_debt = named_id(name, "bad debt")
        self._merchant_balance = 0
        self._opened: list[Account] = []

    def house_accounts(self) -> list[Account]:
        """Return the accounts that are no party's; to be asked when everything is booked."""
        return [
            self._account(self._bank, AccountCode.BANK_CLEARING),
            self._account(self.merchant, AccountCode.MERCHANT, _NEVER_OWES, self.overdraft),
            self._account(self._bad_debt, AccountCode.BAD_DEBT),
        ]

    def book(self, rows: Iterator[Row]) -> tuple[list[Account], list[Transfer]]:
        """Book the documents of one moment; return the wallets to open and the transfers to make."""
        self._opened = []
        transfers: list[Transfer] = []
        for row in rows:
            kind, made = self._book(row)
            self.kinds.append(kind)
            transfers += made
        return self._opened, transfers

    def _book(self, row: Row) -> tuple[Kind, list[Transfer]]:
        pence = row["pence"]
        if row["class"] == LineClass.STOCK_CORRECTION:
            return Kind.STOCK_CORRECTION, []
        if pence == 0:
            return Kind.NOTHING_TO_PAY, []
        self._merchant_balance += pence
        self.overdraft = max(self.overdraft, -self._merchant_balance)
        if row["class"] == LineClass.ADJUSTMENT:
            return Kind.ADJUSTMENT, [self._adjust(row, pence)]
        party = self._party(row)
        return self._pay(row, party, pence) if pence > 0 else self._refund(row, party, -pence)

    def _pay(self, row: Row, party: _Party, amount: int) -> tuple[Kind, list[Transfer]]:
        lacking = max(0, amount - party.balance)
        party.balance += lacking - amount
        party.paid += amount
        made = [self._transfer(row, TransferCode.PAYMENT, party.wallet, self.merchant, amount)]
        if lacking:
            deposit = self._transfer(row, TransferCode.DEPOSIT, self._bank, party.wallet, lacking)
            made.insert(0, replace(deposit, flags=TransferFlags.LINKED))
        return (Kind.GUEST_PAYMENT if party.is_guest else Kind.PAYMENT), made

    def _refund(self, row: Row, party: _Party, amount: int) -> tuple[Kind, list[Transfer]]:
        party.balance += amount
        if party.paid >= amount:
            party.paid -= amount
            kind, code = Kind.REFUND, TransferCode.REFUND
        else:
            kind = Kind.GUEST_GOODWILL_REFUND if party.is_guest else Kind.GOODWILL_REFUND
            code = TransferCode.GOODWILL_REFUND
        return kind, [self._transfer(row, code, self.merchant, party.wallet, amount)]

    def _adjust(self, row: Row, pence: int) -> Transfer:
        debit, credit = (self._bad_debt, self.merchant) if pence > 0 else (self.merchant, self._bad_debt)
        return self._transfer(row, TransferCode.ADJUSTMENT, debit, credit, abs(pence))

    def _party(self, row: Row) -> _Party:
        is_guest = row["customer"] is None
        name = f"guest {row['invoice']}" if is_guest else f"customer {row['customer']}"
        party = self.parties.get(name)
        if party is None:
            party = self.parties[name] = _Party(named_id(self._name, name), is_guest)
            code = AccountCode.GUEST_WALLET if is_guest else AccountCode.CUSTOMER_WALLET
            self._opened.append(self._account(party.wallet, code, _NEVER_OWES))
        return party

    def _account(self, account_id: int, code: int, flags: int = 0, credit_limit: int = 0) -> Account:
        return Account(
            id=account_id, ledger=self.currency.number, code=code, flags=flags, credit_limit=credit_limit
        )

    def _transfer(self, row: Row, code: TransferCode, debit: int, credit: int, amount: int) -> Transfer:
        return Transfer(
            id=named_id(self._name, row["invoice"], code.name),
            debit_account_id=debit,
            credit_account_id=credit,
            amount=amount,
            ledger=self.currency.number,
            code=code,
        )
