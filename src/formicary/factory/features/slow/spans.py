"""Spans of time: how long, and what a feature's name says of it."""

from __future__ import annotations

from typing import Final

from formicary.base.errors import ProgrammingError

__all__ = ["DAY", "SPANS", "day_of", "day_start", "span_name"]

DAY: Final = 86_400 * 10**9
"""A day in nanoseconds."""

SPANS: Final = (1 * DAY, 7 * DAY, 30 * DAY, None)
"""The windows of the daily job, in nanoseconds; None is everything that is known."""


def span_name(span: int | None) -> str:
    """Return how a feature's name ends: ``7d``, ``ever`` for None.

    Raises
    ------
    ProgrammingError
        The span is not a whole number of days above zero.
    """
    if span is None:
        return "ever"
    days, rest = divmod(span, DAY)
    if rest or days < 1:
        message = f"a span is whole days in nanoseconds, not {span}"
        raise ProgrammingError(message)
    return f"{days}d"


def day_of(at: int) -> int:
    """Return the day (UTC, counted from 1970-01-01) of a time in nanoseconds since the Unix epoch."""
    return at // DAY


def day_start(day: int) -> int:
    """Return when a day begins, in nanoseconds since the Unix epoch.

    The job of day D takes ``until = day_start(D + 1)``, and what it finds may be read from then on.
    """
    return day * DAY
