"""A journal refuses a server that may forget."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalNotDurable
from formicary.factory.journal.journal import Journal
from tests.factory.journal.kit import database_of, opened, wait_for
from tests.fixtures_postgres import PostgresServer


@contextmanager
def turned_off(postgres: PostgresServer, setting: str) -> Iterator[None]:
    """Turn a setting of the whole server off for a while."""
    with postgres.superuser() as connection:
        for statement, value in (
            (f"ALTER SYSTEM SET {setting} = off", "off"),
            (f"ALTER SYSTEM RESET {setting}", "on"),
        ):
            connection.execute(statement.encode())
            connection.execute("SELECT pg_reload_conf()")
            wait_for(connection, f"SELECT current_setting('{setting}') = '{value}'")
            if value == "off":
                yield


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_forget_is_refused(postgres: PostgresServer, access: Access, setting: str) -> None:
    """Without fsync, or with pages that may be torn, nothing is written."""
    with opened(access) as journal:
        with turned_off(postgres, setting), pytest.raises(JournalNotDurable, match=f"{setting} off"):
            journal.take_over()
        assert journal.take_over().epoch == 1


def test_commits_that_do_not_wait_are_refused(postgres: PostgresServer, access: Access) -> None:
    """It is the setting of the writer's own session that counts."""
    with postgres.superuser() as connection:
        connection.execute(f"ALTER DATABASE {database_of(access)} SET synchronous_commit = off".encode())
    with opened(access) as journal, pytest.raises(JournalNotDurable, match="synchronous_commit off"):
        journal.take_over()


def test_full_page_writes_may_be_off_by_a_logged_word(
    postgres: PostgresServer, access: Access, caplog: pytest.LogCaptureFixture
) -> None:
    """Some hosted services do without; whoever allows it is told what that means."""
    journal = Journal(access, semantics=1, allow_full_page_writes_off=True)
    with turned_off(postgres, "full_page_writes"), caplog.at_level(logging.WARNING):
        assert journal.take_over().epoch == 1
    assert "full_page_writes is off and was allowed" in caplog.text
    with turned_off(postgres, "fsync"), pytest.raises(JournalNotDurable):
        journal.take_over()
    journal.close()
