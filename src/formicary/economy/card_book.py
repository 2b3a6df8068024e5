"""Card payments as bookings: customers' wallets are funded each month and pay at terminals.

::

    bank clearing  ->  wallet     deposit: what the customer will spend in the month, at its start
    wallet         ->  terminal   payment

A wallet never owes, so that a deposit that is a cent short would refuse a payment, and at the end
every wallet is empty. Payments are asked for in requests as large as the ledger takes, each when the
last of its payments was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.base.currencies import currency
from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.economy.chart import AccountCode, TransferCode
from formicary.economy.moments import Moment
from formicary.economy.names import named_id, numbered_ids
from formicary.factory.ledger import ACCOUNT, TRANSFER, Account, AccountFlags, account_array

__all__ = ["CARD_CURRENCY", "PAYMENTS", "card_accounts", "card_moments", "card_transfers"]

PAYMENTS: Final = pl.Schema(
    {
        "number": pl.Int64,
        # Nanoseconds since the Unix epoch.
        "at": pl.Int64,
        "customer": pl.Int64,
        "terminal": pl.Int64,
        "cents": pl.Int64,
    }
)
"""The columns of a frame of card payments, in order of time."""

CARD_CURRENCY: Final = currency("EUR")

Items = npt.NDArray[Any]


def card_transfers(payments: pl.DataFrame) -> int:
    """Return how many transfers the moments of payments (n) hold, the deposits included."""
    return len(payments) + len(_with_month(payments).unique(["month", "customer"]))


def card_accounts(name: str, payments: pl.DataFrame) -> Moment:
    """Return the opening of the bank's, the customers' and the terminals' accounts, at the first payment."""
    bank = account_array(
        [
            Account(
                id=named_id(name, "bank clearing"),
                ledger=CARD_CURRENCY.number,
                code=AccountCode.BANK_CLEARING,
            )
        ]
    )
    wallets = _accounts(name, "customer", payments, AccountCode.CUSTOMER_WALLET)
    wallets["flags"] = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    terminals = _accounts(name, "terminal", payments, AccountCode.TERMINAL)
    requests = [request for kind in (bank, wallets, terminals) for request in _cut(kind)]
    return Moment(int(payments["at"][0]), tuple(requests))


def card_moments(name: str, payments: pl.DataFrame) -> Iterator[Moment]:
    """Yield the deposits and payments of payments (n) of ``PAYMENTS``, month by month.

    ``name`` says where they come from and is part of every id.
    """
    for of_month in _with_month(payments).partition_by("month", maintain_order=True):
        for deposits in _cut(_deposits(name, of_month)):
            yield Moment(int(of_month["at"][0]), (deposits,))
        for first in range(0, len(of_month), REQUEST_ITEMS_MAX):
            part = of_month[first : first + REQUEST_ITEMS_MAX]
            yield Moment(int(part["at"][-1]), (_payments(name, part),))


def _with_month(payments: pl.DataFrame) -> pl.DataFrame:
    return payments.with_columns(pl.from_epoch("at", "ns").dt.strftime("%Y-%m").alias("month"))


def _accounts(name: str, kind: str, payments: pl.DataFrame, code: AccountCode) -> Items:
    numbers = payments[kind].unique().sort().to_numpy()
    accounts = np.zeros(len(numbers), ACCOUNT)
    accounts["id_high"], accounts["id_low"] = numbered_ids(name, kind, numbers=numbers)
    accounts["ledger"], accounts["code"] = CARD_CURRENCY.number, code
    return accounts


def _deposits(name: str, of_month: pl.DataFrame) -> Items:
    spent = of_month.group_by("customer").agg(pl.col("cents").sum()).sort("customer")
    customers = spent["customer"].to_numpy()
    deposits = _transfers(spent, TransferCode.DEPOSIT)
    ids = numbered_ids(name, "deposit", of_month["month"][0], numbers=customers)
    deposits["id_high"], deposits["id_low"] = ids
    bank = named_id(name, "bank clearing")
    deposits["debit_account_id_high"], deposits["debit_account_id_low"] = bank >> 64, bank & (2**64 - 1)
    wallets = numbered_ids(name, "customer", numbers=customers)
    deposits["credit_account_id_high"], deposits["credit_account_id_low"] = wallets
    return deposits


def _payments(name: str, part: pl.DataFrame) -> Items:
    numbers = part["number"].to_numpy()
    payments = _transfers(part, TransferCode.PAYMENT)
    payments["id_high"], payments["id_low"] = numbered_ids(name, "payment", numbers=numbers)
    for side, kind in (("debit", "customer"), ("credit", "terminal")):
        ids = numbered_ids(name, kind, numbers=part[kind].to_numpy())
        payments[f"{side}_account_id_high"], payments[f"{side}_account_id_low"] = ids
    payments["user_data_64"] = numbers
    return payments


def _transfers(frame: pl.DataFrame, code: TransferCode) -> Items:
    transfers = np.zeros(len(frame), TRANSFER)
    transfers["amount"] = frame["cents"].to_numpy()
    transfers["ledger"], transfers["code"] = CARD_CURRENCY.number, code
    return transfers


def _cut(items: Items) -> Iterator[Items]:
    for first in range(0, len(items), REQUEST_ITEMS_MAX):
        yield items[first : first + REQUEST_ITEMS_MAX]
