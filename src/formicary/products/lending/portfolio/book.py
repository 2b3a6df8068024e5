"""The book as it was at the end of every business date, folded from the journal.

The events that made the loans make them again here, by the same functions, beside the engine: so what is
told of a day needs nothing that was written down for it. At each close is noted what later days do not show:
when a loan was first in default, where loans stood at the end of a month, and what the accounts held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.engine.columns import IDS
from formicary.factory.journal.events import Event
from formicary.products.lending.portfolio.months import months_of
from formicary.products.lending.portfolio.roll_rates import CHARGED_OFF, REPAID
from formicary.products.lending.portfolio.vintages import NEVER
from formicary.products.lending.product import BUSINESS_DATES, LOANS
from formicary.products.lending.servicing import schemas
from formicary.products.lending.servicing.books import Books
from formicary.products.lending.servicing.close import BooksClosed
from formicary.products.lending.servicing.evolve import evolve, sweep
from formicary.products.lending.servicing.fields import LOST
from formicary.products.lending.servicing.layout import BUCKET_DAYS, LOAN, LoanState
from formicary.products.lending.servicing.terms import DAY

__all__ = ["BOOK_EVENTS", "Book", "Closing", "MonthEnd", "owed_by"]

Rows = npt.NDArray[Any]
Words = npt.NDArray[np.int64]

_KINDS: Final = {LOANS.event_kind(kind): kind for kind in schemas.EVENTS}
_CLOSED: Final = BUSINESS_DATES.event_kind(BooksClosed)
BOOK_EVENTS: Final = (*_KINDS, _CLOSED)
"""The events of the journal that a book is folded from."""

_DEFAULT_DAYS: Final = BUCKET_DAYS[-1]
_ROOM: Final = 1_024
_WORD: Final = 2**64 - 1


class Closing(NamedTuple):
    """A business date that was closed, days since 1970-01-01, and the books of each currency then."""

    day: int
    books: tuple[Books, ...]


class MonthEnd(NamedTuple):
    """Where the first of the loans stood at the end of a month since January 1970, in columns of one order.

    ``late`` is days past due, or ``REPAID`` or ``CHARGED_OFF``, or less where a loan was not drawn.
    """

    month: int
    late: Words
    owed: Words


NOT_DRAWN: Final = -3
"""Stands for the days past due of a loan of which nothing was drawn yet."""


class Book:
    """Every loan there was, as of the last business date that was closed.

    Attributes
    ----------
    closings
        Every business date, the oldest first.
    month_ends
        Of every month whose last day was closed.
    """

    def __init__(self) -> None:
        self._records = np.zeros(_ROOM, LOAN)
        self._columns = np.full((2, _ROOM), NEVER, np.int64)
        self._count = 0
        self._places: dict[int, int] = {}
        self.closings: list[Closing] = []
        self.month_ends: list[MonthEnd] = []

    @property
    def loans(self) -> Rows:
        """All loans in order of creation, (n,) of ``LOAN``."""
        return self._records[: self._count]

    @property
    def defaulted(self) -> Words:
        """The day on which each loan, (n,), was first in default, ``NEVER`` where it was not."""
        return self._columns[0, : self._count]

    @property
    def lent(self) -> Words:
        """What was paid out of each loan, (n,), in minor units, ``NEVER`` where nothing was."""
        return self._columns[1, : self._count]

    def fold(self, events: Iterable[Event]) -> None:
        """Let events of ``BOOK_EVENTS`` happen, in their order."""
        for event in events:
            if event.kind == _CLOSED:
                told = msgspec.json.decode(event.body, type=BooksClosed)
                self._close(Closing(event.subject, told.books))
                continue
            kind = _KINDS[event.kind]
            data = msgspec.json.decode(event.body, type=kind)
            if kind in schemas.SWEEPS:
                self._sweep(data)
            else:
                self._happen(event.subject, data)

    def _sweep(self, data: Any) -> None:
        if isinstance(data, schemas.LoansTakenOver):
            for high, low in IDS.unpack(data.ids).tolist():
                self._add((high << 64) | low)
        places = slice(data.first, data.after)
        sweep(type(data).__name__, self._records[places], data)
        if isinstance(data, schemas.LoansTakenOver):
            self._columns[1, places] = self._records["balance"][places]
        elif isinstance(data, schemas.LoansChargedOff):
            defaulted = self._columns[0, places]
            defaulted[(LOST.unpack(data.lost) > 0) & (defaulted == NEVER)] = data.day

    def _happen(self, subject: int, data: Any) -> None:
        if isinstance(data, schemas.LoanAccepted):
            self._add(subject)
        place = self._places[subject]
        loan = self._records[place : place + 1]
        evolve(type(data).__name__, loan, [data])
        if isinstance(data, schemas.LoanPaidOut):
            self._columns[1, place] = max(self._columns[1, place], 0) + data.amount
        elif isinstance(data, schemas.LoanChargedOff) and self._columns[0, place] == NEVER:
            self._columns[0, place] = data.day

    def _add(self, subject: int) -> None:
        if self._count == len(self._records):
            self._records = np.concatenate([self._records, np.zeros(self._count, LOAN)])
            more = np.full((2, self._count), NEVER, np.int64)
            self._columns = np.concatenate([self._columns, more], axis=1)
        self._records["id_high"][self._count] = subject >> 64
        self._records["id_low"][self._count] = subject & _WORD
        self._places[subject] = self._count
        self._count += 1

    def _close(self, closing: Closing) -> None:
        self.closings.append(closing)
        loans, defaulted = self.loans, self.defaulted
        since = loans["arrears_since"].astype(np.int64)
        is_new = (loans["is_non_accrual"] == 1) & (defaulted == NEVER)
        defaulted[is_new] = since[is_new] + _DEFAULT_DAYS
        this_month, next_month = months_of([closing.day * DAY, (closing.day + 1) * DAY]).tolist()
        if this_month != next_month:
            self.month_ends.append(MonthEnd(this_month, self._late(closing.day), owed_by(loans)))

    def _late(self, day: int) -> Words:
        loans = self.loans
        late = np.where(loans["arrears_since"] > 0, day - loans["arrears_since"].astype(np.int64), 0)
        states = (LoanState.ACTIVE, LoanState.REPAID, LoanState.CHARGED_OFF)
        is_in = [loans["state"] == state for state in states]
        known: Sequence[Any] = [np.maximum(late, 0), REPAID, CHARGED_OFF]
        found: Words = np.select(is_in, known, NOT_DRAWN).astype(np.int64)
        return found


def owed_by(loans: Rows) -> Words:
    """Return what the books hold of loans (n,), in minor units: principal, interest and fees."""
    booked = loans["interest_due"] + loans["accrued"] - loans["unbooked"]
    owed: Words = loans["balance"] + booked + loans["fees_due"]
    return owed
