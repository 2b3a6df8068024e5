"""Spans, days and their names."""

from __future__ import annotations

import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.features.slow.spans import DAY, day_of, day_start, span_name


def test_names() -> None:
    """A window is named by its days."""
    assert [span_name(span) for span in (DAY, 30 * DAY, None)] == ["1d", "30d", "ever"]


@pytest.mark.parametrize("span", [0, -DAY, DAY + 1])
def test_a_span_is_whole_days(span: int) -> None:
    """A window of another length would share a name."""
    with pytest.raises(ProgrammingError):
        span_name(span)


def test_a_day_ends_where_the_next_begins() -> None:
    """The last nanosecond of a day is the day's, the next one is not."""
    end = day_start(8)
    assert (day_of(end - 1), day_of(end), day_of(-1)) == (7, 8, -1)
