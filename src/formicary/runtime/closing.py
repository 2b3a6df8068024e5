"""What closes business dates by itself: each as soon as it is over, one after the other, without anybody.

Then, once a week, borrowers whose sales fall have their lines cut (``watching``), and once a day all parties
are looked at for what they may have (``preapproving``).

A close is done in a process of its own, forked from one that waits: what it loads is given back when it is
over. It goes on where the one before ended, whatever that was killed by. Where the ledger refuses to collect
of somebody or to take a loss, smaller parts find out of whom, and that loan is passed over: the others are
not kept waiting.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from formicary.base.civil import date_text
from formicary.base.clock import Clock
from formicary.base.errors import OperationalFault
from formicary.base.limits import AGGREGATES_READ_MAX
from formicary.factory.engine.client import EngineClient, EngineRefused
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import FoundAggregates
from formicary.factory.engine.state import Receipt
from formicary.products.lending.limits import COLLECTIONS_MAX, PASSED_OVER_MAX
from formicary.products.lending.product import BUSINESS_DATES, LOANS
from formicary.products.lending.servicing.close import CloseBusinessDate
from formicary.products.lending.servicing.layout import LoanKind
from formicary.products.lending.servicing.refusals import BusinessDateClosed
from formicary.products.lending.servicing.terms import day_at
from formicary.runtime.api_process import clock_of
from formicary.runtime.children import AskedToEnd
from formicary.runtime.errands import Errand
from formicary.runtime.parts import next_part
from formicary.runtime.portfolio import find_portfolio
from formicary.runtime.preapproving import preapprove
from formicary.runtime.settings import Settings
from formicary.runtime.watching import watch
from formicary.surfaces.lending.kept import KeptPortfolio

__all__ = ["Closer", "Closing", "close_dates", "closing_main"]

_LOG: Final = logging.getLogger(__name__)
# A close may wait for a core; an answer may not.
_NICENESS: Final = 10
_PAUSE_SECONDS: Final = 0.5
# What failed for want of an engine or a database is done again, soon at first: both come back quickly.
_RETRY_NS: Final = 30 * 10**9
_RETRY_NS_MAX: Final = 3_600 * 10**9


class Closer(Protocol):
    """Whoever decides; ``EngineClient`` is one."""

    def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command; the same key gets the same receipt again."""

    def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates in the order asked, None for one that does not exist."""

    def find_aggregates(
        self, product: str, field: str, value: int, *, after: int, limit: int
    ) -> FoundAggregates:
        """Find a product's aggregates by a number that they hold."""


def close_dates(engine: Closer, now: int) -> Iterator[int]:
    """Close every business date that is over at a time in nanoseconds; yield each, days since 1970-01-01.

    Where there is no loan yet nothing is closed; the first date is the day before.

    Raises
    ------
    EngineRefused
        A date cannot be closed, or too many loans of it were passed over.
    """
    today = day_at(now)
    for day in range(_first_open(engine, today), today):
        _close(engine, day)
        yield day


def _first_open(engine: Closer, today: int) -> int:
    """Return the first day that is to be closed; today where there is none."""
    if (last := _last(engine)) is not None:
        return int(last["id"], 16) + int(last["told"] >= last["loans"])
    kinds = (engine.find_aggregates(LOANS.name, "kind", kind, after=0, limit=1) for kind in LoanKind)
    return today - 1 if any(found.items for found in kinds) else today


def _last(engine: Closer) -> dict[str, Any] | None:
    """Return the last date that was begun."""
    last: dict[str, Any] | None = None
    after: int | None = 0
    while after is not None:
        found = engine.find_aggregates(
            BUSINESS_DATES.name, "is_begun", 1, after=after, limit=AGGREGATES_READ_MAX
        )
        last = found.items[-1] if found.items else last
        after = found.next
    return last


def _close(engine: Closer, day: int) -> None:
    """Close a date, part by part."""
    most, passes, passed = COLLECTIONS_MAX, False, 0
    while True:
        command = CloseBusinessDate(subject=day, most=most, passes=passes)
        receipt = next_part(engine, BUSINESS_DATES.name, command)
        if receipt.code == BusinessDateClosed.code or (not receipt.code and receipt.answer["is_closed"]):
            return
        if not receipt.code:
            most, passes = COLLECTIONS_MAX, False
            continue
        (date,) = engine.aggregates(BUSINESS_DATES.name, [day])
        is_of_one = date is not None and date["charged_off"] < date["loans"] == date["accrued"]
        if not is_of_one or passes or passed == PASSED_OVER_MAX:
            message = f"the business date {date_text(day)} is not closed: {receipt.code}"
            raise EngineRefused(receipt.code, message)
        passes = most == 1
        passed += passes
        most = max(most >> 1, 1)
        if passes:
            _LOG.warning("a loan is passed over: the ledger says %s", receipt.code)


class Closing:
    """When business dates are to be closed, and the process that does it.

    Parameters
    ----------
    close
        Closes all that are over; called in a process of its own.
    clock
        Business time.
    """

    def __init__(self, close: Callable[[], None], clock: Clock) -> None:
        self._close = close
        self._clock = clock
        self._done = self._running = 0
        self._not_before, self._pause = 0, _RETRY_NS
        self.errand = Errand(later=(OperationalFault, EngineRefused))

    def tend(self) -> None:
        """Look after the close that is under way, or begin one where a day is over."""
        if self.errand.pid:
            if (code := self.errand.outcome()) is None:
                return
            if code:
                self._not_before = self._clock.now() + self._pause
                self._pause = min(2 * self._pause, _RETRY_NS_MAX)
            else:
                self._done, self._pause = self._running, _RETRY_NS
        now = self._clock.now()
        if self._done < day_at(now) and now >= self._not_before:
            self._running = day_at(now)
            self.errand.begin(self._close, name="the close of business")


def close_and_keep(settings: Settings) -> None:
    """Close what is over, and keep what became of what was lent; the engine is a running one."""
    with EngineClient(settings.engine_socket) as engine:
        closed = list(close_dates(engine, clock_of(settings).now()))
        # Before anybody is offered anything: what is cut counts as lent no more.
        if run := watch(engine, clock_of(settings).now(), _unwatched):
            _LOG.info("borrowers were watched: %s", run)
        # What is owed is that of the end of the day before.
        for offered in preapprove(engine, clock_of(settings).now(), _unwatched):
            _LOG.info("all parties were looked at: %s", offered)
    kept = KeptPortfolio(settings.portfolio_folder)
    if closed:
        _LOG.info("closed %d business dates", len(closed))
    if closed or kept.document() is None:
        kept.keep(find_portfolio(settings))


def _unwatched(_: str, __: int, ___: int) -> None:
    """Tell nobody how far a run is."""


def closing_main(settings: Settings) -> None:
    """Close business dates until ``SIGTERM``."""
    stop = threading.Event()
    os.nice(_NICENESS)
    AskedToEnd(stop.set)
    closing = Closing(lambda: close_and_keep(settings), clock_of(settings))
    try:
        while not stop.is_set():
            closing.tend()
            stop.wait(_PAUSE_SECONDS)
    finally:
        closing.errand.stop()
