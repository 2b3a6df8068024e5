"""Roles and databases, with rights and without."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.server.provision import access_by_url, provide_database, url_beside
from tests.factory.journal.kit import batch, opened, owned, read_all, transfers
from tests.fixtures_postgres import PostgresServer


def test_a_database_is_made_once(postgres: PostgresServer) -> None:
    """The second time it is only opened."""
    first = postgres.supervisor.access("made")
    assert postgres.supervisor.access("made") == first
    assert first.roles
    postgres.drop("made")


def test_an_unreachable_server_is_unavailable() -> None:
    """Both ways say what they could not reach."""
    with pytest.raises(JournalUnavailable, match="database made"):
        provide_database("host=/nonexistent", "made")
    with pytest.raises(JournalUnavailable, match="DATABASE_URL"):
        access_by_url("postgresql:///x?host=/nonexistent")


@pytest.fixture
def hosted(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of a database on a server that is not ours, as its administrator."""
    with postgres.superuser() as connection:
        connection.execute("CREATE DATABASE hosted")
    yield f"postgresql:///hosted?host={postgres.supervisor.conninfo('x').split()[0][5:]}&user=postgres"
    postgres.drop("hosted")


def test_a_database_beside_another(postgres: PostgresServer, hosted: str) -> None:
    """It is made once, on the same server, closed to the public; an unreachable server is said to be."""
    beside = url_beside(hosted, "_keys")
    assert url_beside(hosted, "_keys") == beside
    with psycopg.connect(beside) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("hosted_keys",)
    postgres.drop("hosted_keys")
    with pytest.raises(JournalUnavailable, match="_keys"):
        url_beside("postgresql:///x?host=/nonexistent", "_keys")


def test_a_database_of_an_older_release_learns_new_roles(postgres: PostgresServer) -> None:
    """A role that came after the database was made may connect all the same, whoever made it."""
    postgres.supervisor.access("older")
    with postgres.superuser() as connection:
        connection.execute("REVOKE CONNECT ON DATABASE older FROM formicary_vault")
        connection.execute("ALTER ROLE formicary_vault NOLOGIN")
    access = postgres.supervisor.access("older")
    psycopg.connect(access.conninfo_for(Role.VAULT)).close()
    postgres.drop("older")


def use(access: Access) -> None:
    """Migrate, write and read as any engine does."""
    migrate(access)
    with owned(access) as journal, opened(access) as new:
        journal.append(batch(transfers=transfers(1, 1)))
        journal.append(batch(transfers=transfers(2, 500)))
        assert len(read_all(journal)[1]) == 501
        assert new.take_over().position == 501


def test_a_login_that_may_takes_on_the_roles(hosted: str) -> None:
    """Connections run as the role from their first statement on."""
    access = access_by_url(hosted)
    assert access.roles
    use(access)
    with psycopg.connect(access.conninfo_for(Role.WRITER)) as connection:
        assert connection.execute("SELECT current_user, session_user").fetchone() == (
            "formicary_writer",
            "postgres",
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM journal.transfers")
    assert access_by_url(hosted) == access


@pytest.fixture
def tenant(postgres: PostgresServer, hosted: str) -> Iterator[str]:
    """Give the URL of a login that owns its database and nothing else."""
    with postgres.superuser() as connection:
        connection.execute("CREATE ROLE formicary_tenant")
        connection.execute("ALTER DATABASE hosted OWNER TO formicary_tenant")
    yield f"{hosted}&options=-c%20role%3Dformicary_tenant"
    with postgres.superuser("hosted") as connection:
        connection.execute("ALTER DATABASE hosted OWNER TO postgres")
        connection.execute("DROP OWNED BY formicary_tenant CASCADE")
        connection.execute("DROP ROLE formicary_tenant")


def test_a_login_that_may_not_does_without(tenant: str, caplog: pytest.LogCaptureFixture) -> None:
    """It owns every table, and rows are final all the same."""
    with caplog.at_level(logging.WARNING):
        access = access_by_url(tenant)
    assert not access.roles
    assert "may not create roles" in caplog.text
    use(access)
    with psycopg.connect(access.conninfo_for(Role.WRITER), autocommit=True) as connection:
        for statement in ("DELETE FROM {}", "UPDATE {} SET amount = 1", "TRUNCATE {}"):
            for table in ("transfers", "transfers_0"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="denied"):
                    connection.execute(sql.SQL(statement).format(sql.Identifier("journal", table)))
        connection.execute("GRANT DELETE ON journal.transfers_0 TO formicary_tenant")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="final"):
            connection.execute("DELETE FROM journal.transfers_0")


def test_roles_without_a_right_on_the_database(postgres: PostgresServer, hosted: str) -> None:
    """A login that may create roles, but not pass on its database, does without them."""
    with postgres.superuser() as connection:
        connection.execute("CREATE ROLE formicary_clerk CREATEROLE")
        for role in Role:
            connection.execute(sql.SQL("GRANT {} TO formicary_clerk").format(sql.Identifier(role)))
    access = access_by_url(f"{hosted}&options=-c%20role%3Dformicary_clerk")
    assert not access.roles
    with postgres.superuser() as connection:
        connection.execute("DROP OWNED BY formicary_clerk")
        connection.execute("DROP ROLE formicary_clerk")
