"""What became of what was lent, by currency: the analyses of a book, in one document."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from formicary.base.civil import date_text
from formicary.base.currencies import currency_of_ledger
from formicary.products.lending.portfolio.book import Book, Closing, MonthEnd, Rows, Words, owed_by
from formicary.products.lending.portfolio.default_curves import CohortCurve, default_curves
from formicary.products.lending.portfolio.months import month_text
from formicary.products.lending.portfolio.returns import Days, Returns, returns
from formicary.products.lending.portfolio.roll_rates import BUCKETS, Bucket, roll_rates
from formicary.products.lending.portfolio.vintages import NEVER, vintages
from formicary.products.lending.servicing.books import Books
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.terms import DAY

__all__ = [
    "CURVE_DAYS",
    "BucketTotal",
    "CurrencyPortfolio",
    "Portfolio",
    "RollTable",
    "Vintage",
    "portfolio_of",
]

CURVE_DAYS: Final = (30, 90, 180, 365)
"""Within how many days the points of a curve are."""

RETURN_DAYS: Final = (30, 365)
_NAMES: Final = tuple(bucket.name.lower() for bucket in Bucket)


class BucketTotal(msgspec.Struct, frozen=True, kw_only=True):
    """How many loans of a bucket are on the book, and what they owe in minor units."""

    bucket: str
    loans: int
    owed: int


class Vintage(msgspec.Struct, frozen=True, kw_only=True):
    """The loans of one month at an age in months, as ``vintages`` has it; the share in millionths."""

    cohort: str
    age: int
    loans: int
    amount: int
    defaulted: int
    defaulted_amount: int
    share: int


class RollTable(msgspec.Struct, frozen=True, kw_only=True):
    """Where loans rolled in a month: of each bucket in which any were, in millionths of what it owed."""

    month: str
    to: tuple[str, ...]
    rows: dict[str, list[int]]


class CurrencyPortfolio(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was lent in a currency; ``returns`` by how many days they are of."""

    currency: str
    buckets: tuple[BucketTotal, ...]
    vintages: tuple[Vintage, ...]
    roll_rates: tuple[RollTable, ...]
    default_curves: tuple[CohortCurve, ...]
    returns: dict[str, Returns]
    books: Books


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was lent, as of the end of the last business date that was closed."""

    as_of: str | None
    currencies: tuple[CurrencyPortfolio, ...]


def portfolio_of(book: Book) -> Portfolio:
    """Return the analyses of a book."""
    if not book.closings:
        return Portfolio(as_of=None, currencies=())
    last = book.closings[-1]
    told = tuple(_of_currency(book, last, books) for books in last.books)
    return Portfolio(as_of=date_text(last.day), currencies=told)


def _of_currency(book: Book, last: Closing, books: Books) -> CurrencyPortfolio:
    # What was lent after the date belongs to the next one.
    is_lent = (book.lent != NEVER) & (book.loans["start"] <= last.day)
    of_it = np.flatnonzero(is_lent & (book.loans["currency"] == books.currency))
    loans = book.loans[of_it]
    made = loans["start"].astype(np.int64) * DAY
    days = book.defaulted[of_it]
    failed = np.where((days == NEVER) | (days > last.day), NEVER, days * DAY)
    now = (last.day + 1) * DAY - 1
    rows = vintages(made_at=made, defaulted_at=failed, amounts=book.lent[of_it], now=now)
    return CurrencyPortfolio(
        currency=currency_of_ledger(books.currency).code,
        buckets=_buckets(loans),
        vintages=tuple(_vintages(rows)),
        roll_rates=tuple(
            _rolled(before, after, of_it)
            for before, after in zip(book.month_ends, book.month_ends[1:], strict=False)
        ),
        default_curves=default_curves(made_at=made, defaulted_at=failed, now=now, days=CURVE_DAYS),
        returns={str(count): _returns(book.closings, books.currency, count) for count in RETURN_DAYS},
        books=books,
    )


def _buckets(loans: Rows) -> tuple[BucketTotal, ...]:
    active = loans[loans["state"] == LoanState.ACTIVE]
    counts = np.bincount(active["bucket"], minlength=BUCKETS)
    sums = np.zeros(BUCKETS, np.int64)
    np.add.at(sums, active["bucket"], owed_by(active))
    return tuple(
        BucketTotal(bucket=name, loans=count, owed=owed)
        for name, count, owed in zip(_NAMES, counts.tolist(), sums.tolist(), strict=False)
    )


def _vintages(rows: Rows) -> list[Vintage]:
    names = ("age", "loans", "amount", "defaulted", "defaulted_amount", "share")
    return [
        Vintage(cohort=month_text(int(row["cohort"])), **{name: int(row[name]) for name in names})
        for row in rows
    ]


def _rolled(before: MonthEnd, after: MonthEnd, of_it: Words) -> RollTable:
    known = of_it[of_it < len(before.late)]
    on_book = known[before.late[known] >= 0]
    table = roll_rates(before=before.late[on_book], after=after.late[on_book], owed=before.owed[on_book])
    rows = {
        name: shares
        for name, shares in zip(_NAMES[:BUCKETS], table.shares.tolist(), strict=True)
        if any(shares)
    }
    return RollTable(month=month_text(after.month), to=_NAMES, rows=rows)


def _returns(closings: list[Closing], currency: int, count: int) -> Returns:
    """Return what the last days came to, so many at most; a day is the difference of two closes."""
    known = [books for closing in closings for books in closing.books if books.currency == currency]
    table = {
        name: np.array([getattr(books, name) for books in known[-count - 1 :]], np.int64)
        for name in (*Books.__struct_fields__, "own_funds")
    }
    grown = {name: np.diff(column) for name, column in table.items()}
    # Of joint loans what the house retains, as income and losses are.
    held = table["principal"] + table["interest_receivable"] + table["fees_receivable"]
    owed = held - table["participation"]
    return returns(
        Days(
            balance=owed[1:],
            interest=grown["interest_income"],
            fees=grown["fee_income"],
            # What a loan was put aside for is released when it is written off, so both are the expense.
            allowances=grown["impairment"] + grown["losses"] - grown["recoveries"],
            written_off=grown["losses"],
            recovered=grown["recoveries"],
            own_funds=table["own_funds"][1:],
            funding=grown["funding_cost"],
            # What work costs stands in no account of lending.
            operating=np.zeros(len(owed) - 1, np.int64),
        )
    )
