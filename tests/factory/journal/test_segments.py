"""Segments: indexed when full, taken out and put back, gone when dropped."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable, SegmentMissing
from formicary.factory.journal.segments import (
    attach_segment,
    detach_segment,
    index_closed_segments,
    summarize,
)
from tests.factory.journal.kit import accounts, batch, opened, owned, read_all, transfers


@pytest.fixture
def three_segments(small_segments: Access) -> Access:
    """Give a journal with two full segments and one that is being written."""
    with owned(small_segments) as journal:
        journal.append(batch(accounts=accounts(1, 1), transfers=transfers(2, 149)))
    return small_segments


def as_owner(access: Access, statement: str) -> list[tuple[object, ...]]:
    """Run a statement as the owner of the tables."""
    with psycopg.connect(access.conninfo_for(Role.OWNER), autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_full_segments_get_an_index_once(three_segments: Access) -> None:
    """Only what is full and has none; reading is the same before and after."""
    assert index_closed_segments(three_segments) == (0, 1)
    assert index_closed_segments(three_segments) == ()
    names = as_owner(
        three_segments,
        "SELECT indexname FROM pg_indexes"
        " WHERE tablename ~ '^(transfers|decisions|commits)' AND indexname ~ 'position' ORDER BY 1",
    )
    assert [name for (name,) in names] == [
        *("commits_0_position", "commits_1_position"),
        *("decisions_0_position", "decisions_1_position"),
        *("transfers_0_position", "transfers_1_position"),
    ]
    with opened(three_segments) as journal:
        assert np.array_equal(read_all(journal)[1], transfers(2, 149))
        assert journal.transfers_at(np.array([100, 2]))["position"].tolist() == [100, 2]


def test_ranges_are_noted(access: Access) -> None:
    """Pages written since the last time are noted once; the first range is noted from the beginning."""
    with owned(access) as journal:
        journal.append(batch(transfers=transfers(1, 10_000)))
    assert summarize(access) > 0
    assert summarize(access) == 0


def test_a_detached_segment_can_still_be_read(three_segments: Access) -> None:
    """Out of the views, but there for who asks for its positions; put back it is as before."""
    detach_segment(three_segments, 1)
    with opened(three_segments) as journal:
        assert np.array_equal(read_all(journal)[1], transfers(2, 149))
    assert as_owner(three_segments, "SELECT count(*) FROM journal.v_transfers") == [(149 - 64,)]
    attach_segment(three_segments, 1)
    assert as_owner(three_segments, "SELECT count(*) FROM journal.v_transfers") == [(149,)]


def test_a_dropped_segment_is_missing(three_segments: Access) -> None:
    """After the archive took it, its positions are refused by name; the others are as before."""
    detach_segment(three_segments, 0)
    with psycopg.connect(three_segments.conninfo_for(Role.OWNER), autocommit=True) as connection:
        connection.execute("DROP TABLE journal.transfers_0, journal.decisions_0, journal.commits_0")
    with opened(three_segments) as journal:
        with pytest.raises(SegmentMissing, match="transfers_0"):
            read_all(journal)
        (block,) = journal.read(after=64, until=100)
        assert len(block.transfers) == 36
        journal.take_over()
        journal.append(batch(transfers=transfers(151, 1)))
    assert index_closed_segments(three_segments) == (1,)


@pytest.mark.parametrize("number", [-1, 2, 3])
def test_only_a_full_segment_can_be_detached(three_segments: Access, number: int) -> None:
    """The segment being written stays."""
    with pytest.raises(ProgrammingError, match=f"segment {number} cannot"):
        detach_segment(three_segments, number)


def test_a_failing_database_is_unavailable(three_segments: Access) -> None:
    """What the database says is passed on."""
    detach_segment(three_segments, 0)
    with pytest.raises(JournalUnavailable, match="not a partition"):
        detach_segment(three_segments, 0)
