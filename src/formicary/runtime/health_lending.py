"""The check of ``formicary doctor`` that is about the close of business, and about the books then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import msgspec

from formicary.base.civil import date_text
from formicary.base.currencies import currency_of_ledger
from formicary.base.errors import OperationalFault
from formicary.base.money import Money
from formicary.factory.engine.state import known_events
from formicary.factory.features.sources import RowSource
from formicary.factory.journal.access import Access
from formicary.factory.journal.events import Event
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.supervisor import Supervisor
from formicary.products.lending.product import BUSINESS_DATES, LOANS
from formicary.products.lending.servicing.close import BooksClosed
from formicary.products.lending.servicing.schemas import LoanAccepted, LoansTakenOver
from formicary.products.lending.servicing.terms import day_at
from formicary.runtime.api_process import clock_of
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.surfaces.cli.ports import Check, Outcome

__all__ = ["examine_lending"]

_NAME: Final = "close of business"
_CLOSED: Final = BUSINESS_DATES.event_kind(BooksClosed)
_MADE: Final = tuple(LOANS.event_kind(kind) for kind in (LoanAccepted, LoansTakenOver))
_DAYS_MAX: Final = 2
"""A date is closed soon after it is over; so many days later nobody closes it."""


def examine_lending(settings: Settings) -> Iterator[Check]:
    """Yield when the last business date was closed, and whether the books of lending balance since then.

    Without a journal there is nothing to look at.
    """
    supervisor = Supervisor(settings.postgres_folder)
    if settings.database_url is None and supervisor.pid is None:
        yield Check(name=_NAME, outcome=Outcome.OK, found="no server runs whose journal could be looked at")
        return
    # As the login: whoever asks for roles makes those that are missing.
    conninfo = settings.database_url or supervisor.conninfo("formicary")
    access, today = Access(conninfo=conninfo, roles=False), day_at(clock_of(settings).now())
    try:
        with closing(JournalReader(access, upcasters=known_events(PRODUCTS))) as reader:
            yield _closed(reader, today)
    except OperationalFault as fault:
        # A database that was made and never begun has no journal yet.
        yield Check(name=_NAME, outcome=Outcome.OK, found=f"no journal to look at: {fault}")


def _closed(source: RowSource, today: int) -> Check:
    head = source.head()
    closed = list(source.events_of([_CLOSED], after=0, until=head))
    made = next(iter(source.events_of(_MADE, after=0, until=head)), None)
    if not closed and made is None:
        return Check(name=_NAME, outcome=Outcome.OK, found="no loans yet")
    found = f"last date {date_text(closed[-1].subject)}" if closed else "no date yet"
    if closed and (wrong := _imbalances(closed[-1])):
        advice = "Something moved on accounts of lending past its commands: see what those accounts hold."
        return Check(
            name=_NAME, outcome=Outcome.FAIL, found=f"{found}, books do not balance: {wrong}", advice=advice
        )
    last = closed[-1].subject if closed else day_at(0 if made is None else made.timestamp)
    if today - last > _DAYS_MAX:
        advice = "Loans are neither accrued nor collected of: see that `up` runs, and what it logs."
        return Check(name=_NAME, outcome=Outcome.WARN, found=found, advice=advice)
    return Check(name=_NAME, outcome=Outcome.OK, found=found)


def _imbalances(closed: Event) -> str:
    """Return by how much the books of which currencies did not balance; nothing, where all did."""
    books = msgspec.json.decode(closed.body, type=BooksClosed).books
    return ", ".join(
        str(Money(one.imbalance, currency_of_ledger(one.currency))) for one in books if one.imbalance
    )
