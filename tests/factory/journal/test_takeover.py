"""Taking over: the tail must be where the fence says."""

from __future__ import annotations

import pytest

from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalCorrupted, JournalTooNew, JournalUnavailable
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.semantics import Era, semantics_activated
from tests.factory.journal.kit import batch, database_of, opened, owned, transfers
from tests.fixtures_postgres import PostgresServer


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("DELETE FROM journal.transfers WHERE position = 64", r"\[0, 0\] rows"),
        ("UPDATE journal.writer SET position = 63", r"\[2, 0\] rows"),
        (
            "INSERT INTO journal.events SELECT 65, 1, 'x', 1, id, id, '{}' FROM journal.transfers LIMIT 1",
            r"\[1, 1\] rows",
        ),
    ],
    ids=["missing", "behind", "beyond"],
)
def test_a_fence_that_is_not_at_the_tail(
    postgres: PostgresServer, small_segments: Access, tampering: str, found: str
) -> None:
    """Rows that are missing at the tail, or lie beyond it, are corruption."""
    with owned(small_segments) as journal:
        journal.append(batch(transfers=transfers(1, 64)))
        with postgres.superuser(database_of(small_segments)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(tampering.encode())
        with pytest.raises(JournalCorrupted, match=found):
            journal.take_over()


def test_a_fence_that_is_gone(postgres: PostgresServer, access: Access) -> None:
    """Without the fence nobody may write."""
    with opened(access) as journal:
        with postgres.superuser(database_of(access)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("DELETE FROM journal.writer")
        with pytest.raises(JournalCorrupted, match="not exactly one row"):
            journal.take_over()


def test_a_database_that_is_gone(postgres: PostgresServer) -> None:
    """A take-over that cannot connect says why."""
    name, access = postgres.create()
    with opened(access) as journal:
        postgres.drop(name)
        with pytest.raises(JournalUnavailable, match="does not exist"):
            journal.take_over()


def test_newer_semantics_are_refused(access: Access) -> None:
    """A release that does not know the journal's latest semantics neither opens it nor takes it over."""
    with owned(access) as journal:
        journal.append(batch(events=[semantics_activated(semantics=1, position=1, timestamp=1)]))
        journal.append(batch(events=[semantics_activated(semantics=2, position=2, timestamp=2)]))
        assert journal.eras() == (Era(semantics=1, position=1), Era(semantics=2, position=2))
        with pytest.raises(JournalTooNew, match="semantics 2 from position 2 on"):
            journal.take_over()
    with pytest.raises(JournalTooNew, match="knows semantics up to 1"):
        Journal(access, semantics=1)
    with opened(access, semantics=2) as newer:
        assert newer.take_over().position == 2
