"""The entry index: written exactly once, read in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from formicary.factory.history.entry_index import ENTRY_POINT, EntryIndex, EntryIndexReader
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable

ACCOUNT = 2**127 + 5


@pytest.fixture
def index(access: Access) -> Iterator[EntryIndex]:
    """Give an empty index."""
    index = EntryIndex(access)
    yield index
    index.close()


@pytest.fixture
def reader(access: Access) -> Iterator[EntryIndexReader]:
    """Give a reader of the index."""
    reader = EntryIndexReader(access)
    yield reader
    reader.close()


def _points(*times_and_positions: tuple[int, int], account: int = ACCOUNT) -> Any:
    points = np.zeros(len(times_and_positions), ENTRY_POINT)
    points["account_high"], points["account_low"] = account >> 64, account & (2**64 - 1)
    points["timestamp"] = [time for time, _ in times_and_positions]
    points["position"] = [position for _, position in times_and_positions]
    return points


def test_points_are_added_once(index: EntryIndex, reader: EntryIndexReader) -> None:
    """What a follower repeats after a restart is left out; what is new is added."""
    assert index.position() == 0
    index.add(_points((10, 1), (20, 5)), position=6)
    index.add(_points((10, 1), (20, 5)), position=6)
    index.add(_points((10, 1)), position=3)
    index.add(_points((20, 5), (30, 8)), position=9)
    assert index.position() == 9
    found = reader.points(ACCOUNT, timestamp=0, after=0, limit=10)
    assert found.tobytes() == _points((10, 1), (20, 5), (30, 8)).tobytes()


def test_points_are_read_in_order(index: EntryIndex, reader: EntryIndexReader) -> None:
    """Points come by time, then by position, from any of them on, of one account only."""
    index.add(_points((10, 1), (10, 2), (20, 5)), position=6)
    index.add(_points((15, 7), account=9), position=7)
    for timestamp, after, limit, expected in (
        (0, 0, 9, [1, 2, 5]),
        (10, 0, 9, [1, 2, 5]),
        (10, 1, 9, [2, 5]),
        (10, 1, 1, [2]),
        (11, 0, 9, [5]),
        (21, 0, 9, []),
    ):
        found = reader.points(ACCOUNT, timestamp=timestamp, after=after, limit=limit)
        assert found["position"].tolist() == expected
    for timestamp, expected_first in ((9, 1), (10, 5), (20, 0)):
        assert reader.first_after(ACCOUNT, timestamp) == expected_first


def test_a_failed_addition_changes_nothing(index: EntryIndex, reader: EntryIndexReader) -> None:
    """Points and position change together or not at all; the connection comes back by itself."""
    with pytest.raises(JournalUnavailable, match="duplicate key"):
        index.add(_points((10, 1), (10, 1)), position=5)
    assert index.position() == 0
    index.add(_points((10, 1)), position=5)
    assert reader.first_after(ACCOUNT, 0) == 1


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (Role.READER, "INSERT INTO read_models.entry_index VALUES (gen_random_uuid(), 1, 1)"),
        (Role.READER, "UPDATE read_models.follower SET position = 1"),
        (Role.FOLLOWER, "DELETE FROM read_models.entry_index"),
        (Role.FOLLOWER, "UPDATE read_models.entry_index SET position = 1"),
    ],
)
def test_rights(access: Access, role: Role, statement: str) -> None:
    """Only the follower writes the index, and it adds only."""
    with (
        psycopg.connect(access.conninfo_for(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
