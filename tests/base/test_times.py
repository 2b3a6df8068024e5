"""Times as text."""

from __future__ import annotations

import pytest

from formicary.base.times import MalformedTime, parse_time, time_text

NOON = 1_323_435_000_123_456_789


def test_a_time_is_written_to_the_nanosecond() -> None:
    """RFC 3339, UTC, nine digits."""
    assert time_text(NOON) == "2011-12-09T12:50:00.123456789Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2011-12-09T12:50:00Z", 1_323_435_000 * 10**9),
        ("2011-12-09T13:50:00+01:00", 1_323_435_000 * 10**9),
        ("2011-12-09", 1_323_388_800 * 10**9),
        ("17", 17),
    ],
)
def test_a_time_is_read(text: str, expected: int) -> None:
    """With an offset or without one, which is UTC; a number is nanoseconds."""
    assert parse_time(text) == expected


def test_what_is_no_time() -> None:
    """It is refused with its code."""
    with pytest.raises(MalformedTime):
        parse_time("noon")
