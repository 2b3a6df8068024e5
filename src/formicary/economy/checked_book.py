"""Stolen cards as requests: what was paid before anybody checked, what was found out, and what is checked.

::

    nostro  ->  wallet    deposit: all that the customer will ask for, so that only checks stop a payment
    wallet  ->  wallet    payment between parties, of the past as an import, then one by one

What the bank finds out are facts: nine thefts in ten, some days after the payment. Whoever learns from them
knows no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy.typing as npt
import polars as pl

from formicary.base.limits import FACTS_PER_EVENT_MAX, REQUEST_ITEMS_MAX
from formicary.economy.card_book import CARD_CURRENCY
from formicary.economy.chart import TransferCode as ChartCode
from formicary.economy.moments import Moment
from formicary.economy.names import named_id
from formicary.factory.engine.requests import CommandRequest, command_request
from formicary.factory.facts import RecordFacts
from formicary.factory.ledger import Transfer, TransferFlags, account_array, transfer_array
from formicary.products.payments.fraud import PAYMENT_OUTCOME
from formicary.products.payments.postings import (
    AccountCode,
    TransferCode,
    account_id,
    house_account,
    house_account_id,
    wallet_account,
)

__all__ = [
    "asked_payment",
    "asked_payments",
    "found_out",
    "found_out_between",
    "opening",
    "past_payments",
    "payment_id",
]

Items = npt.NDArray[Any]

_DAY: Final = 86_400 * 10**9
_PRINCIPAL: Final = "bank"
_NEVER_FOUND_OUT: Final = 10
# A theft is found out on one of so many days after the first.
_DAYS_TO_FIND: Final = 20


def opening(name: str, payments: pl.DataFrame) -> Moment:
    """Return the opening of all accounts and the deposits for payments (n) of ``STOLEN_CARDS``.

    ``name`` says where they come from and is part of every id.
    """
    number = CARD_CURRENCY.number
    spent = payments.group_by("customer").agg(pl.col("cents").sum()).sort("customer")
    paid = payments.filter(~pl.col("is_shop"))["payee"]
    people = pl.concat([spent["customer"], paid]).unique().sort()
    shops = payments.filter("is_shop")["payee"].unique().sort()
    accounts = [
        house_account(AccountCode.NOSTRO, number),
        *(wallet_account(_party(name, "customer", customer), number) for customer in people),
        *(wallet_account(_party(name, "shop", shop), number, AccountCode.MERCHANT_WALLET) for shop in shops),
    ]
    deposits = [
        Transfer(
            id=named_id(name, "deposit", customer),
            debit_account_id=house_account_id(AccountCode.NOSTRO, number),
            credit_account_id=account_id(_party(name, "customer", customer), number),
            amount=cents,
            ledger=number,
            code=ChartCode.DEPOSIT,
        )
        for customer, cents in spent.iter_rows()
    ]
    # Before all payments: what is imported is younger than its accounts.
    return Moment(payments["at"][0] - _DAY, (account_array(accounts), transfer_array(deposits)))


def past_payments(name: str, payments: pl.DataFrame) -> Iterator[Moment]:
    """Yield payments (n) as imports with their own times, in requests as large as the ledger takes."""
    for part in payments.iter_slices(REQUEST_ITEMS_MAX):
        transfers = [_transfer(name, row, is_past=True) for row in part.iter_rows(named=True)]
        yield Moment(part["at"][-1] + 1, (transfer_array(transfers),))


def asked_payment(name: str, row: dict[str, Any]) -> Items:
    """Return the request for one payment, a row of ``STOLEN_CARDS``, (1,)."""
    return transfer_array([_transfer(name, row, is_past=False)])


def asked_payments(name: str, payments: pl.DataFrame) -> Items:
    """Return the request for payments (n) of ``STOLEN_CARDS`` that are asked for together, (n,)."""
    return transfer_array([_transfer(name, row, is_past=False) for row in payments.iter_rows(named=True)])


def found_out(name: str, payments: pl.DataFrame, now: int) -> list[CommandRequest]:
    """Return the commands that tell which payments (n) were charged back up to a time in nanoseconds."""
    return found_out_between(name, payments, (-1, now), days=_DAYS_TO_FIND)


def found_out_between(
    name: str, payments: pl.DataFrame, times: tuple[int, int], *, days: int
) -> list[CommandRequest]:
    """Return the commands that tell which payments (n) were charged back after a time and up to another.

    Each theft that is found out is so on one of so many ``days`` after the first; times are nanoseconds.
    """
    after, now = times
    day = 1 + pl.col("number") % days
    told = (
        payments.filter("is_theft", pl.col("number") % _NEVER_FOUND_OUT != 0)
        .with_columns((pl.col("at") + day * _DAY).alias("told_at"))
        .filter(pl.col("told_at") > after, pl.col("told_at") <= now)
    )
    until = "" if after < 0 else f" {now}"
    return [
        command_request(
            "facts",
            RecordFacts(
                subject=named_id(name, _PRINCIPAL),
                kind=PAYMENT_OUTCOME,
                at=part["told_at"].to_list(),
                ids={"payment": [f"{payment_id(name, number):032x}" for number in part["number"]]},
                numbers={"charged_back": [1] * len(part)},
            ),
            principal=_PRINCIPAL,
            key=f"{name} charged back{until} {place}",
        )
        for place, part in enumerate(told.iter_slices(FACTS_PER_EVENT_MAX))
    ]


def payment_id(name: str, number: int) -> int:
    """Return the 128-bit id of the payment of a number."""
    return named_id(name, "payment", number)


def _transfer(name: str, row: dict[str, Any], *, is_past: bool) -> Transfer:
    payee = _party(name, "shop" if row["is_shop"] else "customer", row["payee"])
    return Transfer(
        id=payment_id(name, row["number"]),
        debit_account_id=account_id(_party(name, "customer", row["customer"]), CARD_CURRENCY.number),
        credit_account_id=account_id(payee, CARD_CURRENCY.number),
        amount=row["cents"],
        ledger=CARD_CURRENCY.number,
        code=TransferCode.MERCHANT_PAYMENT if row["is_shop"] else TransferCode.PERSON_PAYMENT,
        flags=TransferFlags.IMPORTED if is_past else 0,
        timestamp=row["at"] if is_past else 0,
    )


def _party(name: str, kind: str, number: int) -> int:
    return named_id(name, kind, number)
