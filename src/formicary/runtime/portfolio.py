"""The portfolio of this installation, folded from the journal beside whoever writes it."""

from __future__ import annotations

from formicary.factory.engine.state import known_events
from formicary.factory.features.sources import RowSource
from formicary.products.lending.portfolio.book import BOOK_EVENTS, Book
from formicary.products.lending.portfolio.report import Portfolio, portfolio_of
from formicary.products.lending.product import BUSINESS_DATES
from formicary.products.lending.servicing.close import BooksClosed
from formicary.runtime.backfill import open_journal
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

__all__ = ["book_in", "find_portfolio"]

_CLOSED = BUSINESS_DATES.event_kind(BooksClosed)


def find_portfolio(settings: Settings) -> Portfolio:
    """Return what became of what was lent, as of the last business date that was closed."""
    with open_journal(settings, known_events(products_of(settings))) as journal:
        return portfolio_of(book_in(journal))


def book_in(source: RowSource) -> Book:
    """Return the book of a journal, up to its last close: what came after belongs to the next one."""
    head, book = source.head(), Book()
    last = max((event.position for event in source.events_of([_CLOSED], after=0, until=head)), default=0)
    book.fold(source.events_of(BOOK_EVENTS, after=0, until=last))
    return book
