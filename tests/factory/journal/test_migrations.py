"""Migrations: once each, in order, never changed, never from the future."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalTooNew, JournalUnavailable, MigrationChanged
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.migrations import Migration, check_migrations, migrate, packaged_migrations
from tests.fixtures_postgres import PostgresServer

NAMES = tuple(migration.name for migration in packaged_migrations())
NEXT = Migration("9999_next.sql", b"CREATE TABLE journal.next ()")


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Access]:
    """Give access to a database without a schema."""
    yield postgres.supervisor.access("empty")
    postgres.drop("empty")


def test_each_is_applied_once(empty: Access) -> None:
    """The second time there is nothing to do; a new one is applied alone."""
    assert migrate(empty) == NAMES
    assert migrate(empty) == ()
    assert migrate(empty, migrations=(*packaged_migrations(), NEXT)) == (NEXT.name,)


def test_two_at_once_migrate_once(empty: Access) -> None:
    """The second waits for the first and finds everything done."""
    results: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: results.append(migrate(empty))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(), NAMES]


def test_a_newer_schema_is_refused(access: Access) -> None:
    """An older release does not touch a journal that a newer one migrated."""
    migrate(access, migrations=(*packaged_migrations(), NEXT))
    with pytest.raises(JournalTooNew, match=r"9999_next\.sql"):
        migrate(access)
    with pytest.raises(JournalTooNew, match=r"9999_next\.sql"):
        Journal(access, semantics=1)


def test_a_changed_migration_is_refused(access: Access) -> None:
    """What was applied stays as it is in every later release."""
    first, *rest = packaged_migrations()
    changed = (Migration(first.name, first.sql + b"-- a word"), *rest)
    with pytest.raises(MigrationChanged, match=first.name):
        migrate(access, migrations=changed)


def test_a_missing_migration_is_named(access: Access) -> None:
    """Opening does not migrate; it says what is missing."""
    with pytest.raises(JournalUnavailable, match=r"lacks 9999_next\.sql"):
        check_migrations(access, role=Role.WRITER, migrations=(*packaged_migrations(), NEXT))


def test_a_failed_migration_leaves_nothing(access: Access) -> None:
    """All or nothing: the one before the failing one is undone too."""
    bad = Migration("99999_bad.sql", b"SELECT 1 / 0")
    with pytest.raises(JournalUnavailable, match="division by zero") as error:
        migrate(access, migrations=(*packaged_migrations(), NEXT, bad))
    assert error.value.sqlstate == "22012"
    assert migrate(access, migrations=(*packaged_migrations(), NEXT)) == (NEXT.name,)


def test_an_empty_database_is_unavailable(empty: Access) -> None:
    """Without a schema there is no journal to open."""
    with pytest.raises(JournalUnavailable, match="could not be read"):
        check_migrations(empty, role=Role.WRITER)
