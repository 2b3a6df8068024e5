"""The follower as a process: it follows until it is told to stop, through every restart of the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from formicary.base.limits import FOLLOWER_RETRY_SECONDS_MAX
from formicary.factory.follower.follower import Follower
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalUnavailable
from formicary.factory.journal.segments import index_closed_segments, summarize

__all__ = ["follow", "look_after"]

_LOG: Final = logging.getLogger(__name__)
# At full rate a fifth of a second is work enough for one look, and each look costs the writer a little.
_POLL_SECONDS: Final = 0.2
_RETRY_SECONDS: Final = 0.05
_MAINTENANCE_SECONDS: Final = 1.0


def follow(follower: Follower, stop: Event, *, access: Access, poll_seconds: float = _POLL_SECONDS) -> None:
    """Follow the journal until ``stop`` is set; then bring the entry index up to date and leave.

    Beside it a thread looks after the journal's segments. Where the database is gone it is tried again, ever
    more slowly, up to every ``FOLLOWER_RETRY_SECONDS_MAX``.

    Parameters
    ----------
    follower
        It is opened if it was not.
    stop
        Set it from a signal's handler or another thread.
    access
        The database, for the maintenance of segments as its owner.
    poll_seconds
        Pause after which the journal's head is looked at again.

    Raises
    ------
    JournalCorrupted
        The journal is not what it must be; nothing may go on as if it were.
    JournalTooNew, SegmentMissing
        This release cannot follow, or not from where it would begin.
    """
    maintenance = Thread(target=look_after, args=(access, stop), name="journal-maintenance")
    maintenance.start()
    try:
        _through_restarts(lambda: _follow(follower, stop, poll_seconds), stop)
    finally:
        stop.set()
        maintenance.join()


def look_after(access: Access, stop: Event, *, pause_seconds: float = _MAINTENANCE_SECONDS) -> None:
    """Summarize new pages and index full segments, every second or so, until ``stop`` is set.

    A full segment takes seconds to index; nobody waits for it here.
    """

    def look() -> None:
        while not stop.is_set():
            summarize(access)
            index_closed_segments(access)
            stop.wait(pause_seconds)

    _through_restarts(look, stop)


def _follow(follower: Follower, stop: Event, poll_seconds: float) -> None:
    if not follower.follows:
        position = follower.open()
        _LOG.info("following the journal from position %d", position)
    while not stop.is_set():
        follower.catch_up()
        stop.wait(poll_seconds)
    follower.write_index()


def _through_restarts(work: Callable[[], None], stop: Event) -> None:
    """Do ``work`` until it returns or ``stop`` is set; again while the database is unavailable."""
    pause_seconds = _RETRY_SECONDS
    while True:
        began = time.monotonic()
        try:
            work()
        except JournalUnavailable as error:
            _LOG.warning("the journal is unavailable, trying again in %.2f s: %s", pause_seconds, error)
        else:
            return
        if stop.wait(pause_seconds):
            return
        is_new_trouble = time.monotonic() - began > 2 * FOLLOWER_RETRY_SECONDS_MAX
        pause_seconds = (
            _RETRY_SECONDS if is_new_trouble else min(2 * pause_seconds, FOLLOWER_RETRY_SECONDS_MAX)
        )
