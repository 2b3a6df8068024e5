"""The side table of commits is one chain without a gap, up to the head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from formicary.factory.follower.commits import committed_hash, read_commits
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalCorrupted
from tests.factory.follower.house import House, open_house
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer


@pytest.fixture
def house(small_segments: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house with a few segments of commits."""
    with open_house(small_segments, tmp_path) as house:
        house.pay(300)
        yield house


def test_commits_come_in_bounded_portions(house: House) -> None:
    """All commits come in order, however many positions a portion may cover."""
    reader = house.reader()
    (whole,) = read_commits(reader, after=0)
    portions = list(read_commits(reader, after=0, positions_max=50))
    assert len(portions) > 3
    assert np.concatenate(portions).tobytes() == whole.tobytes()
    assert int(whole["last"][-1]) == reader.head()
    assert list(read_commits(reader, after=reader.head())) == []


def test_committed_hash(house: House) -> None:
    """The hash of a commit is found by its positions; others have none."""
    reader = house.reader()
    (commits,) = read_commits(reader, after=0)
    first, last = int(commits["first"][5]), int(commits["last"][5])
    assert committed_hash(reader, first=first, last=last) == int(commits["state_hash"][5])
    assert committed_hash(reader, first=first, last=last + 1) is None
    assert committed_hash(reader, first=first + 1, last=last) is None
    assert committed_hash(reader, first=reader.head() + 1, last=reader.head() + 1) is None


THIRD = "first = (SELECT first FROM journal.commits ORDER BY first OFFSET 2 LIMIT 1)"
LAST = "first = (SELECT max(first) FROM journal.commits)"


@pytest.mark.parametrize(("nth", "which"), [(2, THIRD), (-1, LAST)])
def test_a_missing_commit_is_found(house: House, postgres: PostgresServer, nth: int, which: str) -> None:
    """A commit that somebody deleted is missed, within the chain and at its end."""
    reader = house.reader()
    (commits,) = read_commits(reader, after=0)
    tamper(postgres, house.access, f"DELETE FROM journal.commits WHERE {which}")  # noqa: S608 - text of ours.
    with pytest.raises(JournalCorrupted, match=f"begins at position {commits['first'][nth]}"):
        list(read_commits(reader, after=0))


def test_commits_that_overlap_are_found(house: House, postgres: PostgresServer) -> None:
    """A commit that claims the rows of the next one is found."""
    reader = house.reader()
    tamper(postgres, house.access, f"UPDATE journal.commits SET last = last + 1 WHERE {THIRD}")  # noqa: S608 - text of ours.
    with pytest.raises(JournalCorrupted, match="where the one before ended"):
        list(read_commits(reader, after=0))
