"""Times as people and other machines write them; inside, a time is nanoseconds since the Unix epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from formicary.base.errors import Refusal

__all__ = ["MalformedTime", "parse_time", "time_text"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS_PER_SECOND: Final = 1_000_000_000
_NANOSECONDS_PER_DAY: Final = 86_400 * _NANOSECONDS_PER_SECOND
_DIGITS_MAX: Final = 19


class MalformedTime(Refusal):
    """A time is written as in RFC 3339, 2011-12-09T12:50:00Z or 2011-12-09, or in nanoseconds since 1970."""

    code = "malformed_time"


def parse_time(text: str) -> int:
    """Read a time as nanoseconds since the Unix epoch; one without an offset is UTC."""
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        return int(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedTime from error
    since = read.replace(tzinfo=read.tzinfo or UTC) - _EPOCH
    return (
        since.days * _NANOSECONDS_PER_DAY
        + since.seconds * _NANOSECONDS_PER_SECOND
        + since.microseconds * 1_000
    )


def time_text(nanoseconds: int) -> str:
    """Write a time as in RFC 3339 with all nine digits, for the ledger's stamps differ in the last."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS_PER_SECOND)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
