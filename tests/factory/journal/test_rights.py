"""What is in the journal is final, for every role."""

# ruff: noqa: S608 - the statements are made of the test's own names and numbers.

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from formicary.factory.journal.access import Access, Role
from tests.factory.journal.kit import accounts, batch, database_of, decisions, event, owned, transfers
from tests.fixtures_postgres import PostgresServer

CHANGES = {
    "transfers": "UPDATE {} SET amount = 1",
    "decisions": "UPDATE {} SET outcome = 1",
    "accounts": "UPDATE {} SET code = 1",
    "events": "UPDATE {} SET kind = 'x'",
    "commits": "UPDATE {} SET requests = 9",
}


def fill(access: Access) -> None:
    """Write a row of each kind."""
    with owned(access) as journal:
        rows = batch(
            accounts=accounts(1, 1), transfers=transfers(2, 1), events=[event(3)], decisions=decisions(4, 1)
        )
        journal.append(rows)


def refused(access: Access, role: Role, statement: str) -> str:
    """Return with what words a statement is refused."""
    with (
        psycopg.connect(access.conninfo_for(role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege) as error,
    ):
        connection.execute(statement.encode())
    return str(error.value)


@pytest.mark.parametrize("role", Role)
def test_no_role_may_change_a_row(access: Access, role: Role) -> None:
    """UPDATE, DELETE and TRUNCATE are revoked on tables and partitions alike, the owner's included."""
    fill(access)
    for table, update in CHANGES.items():
        for relation in (f"journal.{table}", f"journal.{table}_0"):
            for statement in (update.format(relation), f"DELETE FROM {relation}", f"TRUNCATE {relation}"):
                assert "denied" in refused(access, role, statement)


def test_triggers_hold_where_rights_do_not(access: Access, postgres: PostgresServer) -> None:
    """Even a superuser has to disable a trigger first."""
    fill(access)
    with postgres.superuser(database_of(access)) as connection:
        for table, update in CHANGES.items():
            for relation in (f"journal.{table}", f"journal.{table}_0"):
                for statement in (update.format(relation), f"DELETE FROM {relation}", f"TRUNCATE {relation}"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="final"):
                        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal.writer SET position = position - 1",
        "UPDATE journal.writer SET epoch = epoch - 1",
        "DELETE FROM journal.writer",
        "TRUNCATE journal.writer",
    ],
)
def test_the_fence_goes_forward(access: Access, postgres: PostgresServer, statement: str) -> None:
    """Neither epoch nor position ever goes back, and the fence is never gone."""
    fill(access)
    refused(access, Role.WRITER, statement)
    with (
        postgres.superuser(database_of(access)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="final"),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", [Role.READER, Role.FOLLOWER])
def test_only_the_writer_writes(access: Access, role: Role) -> None:
    """The other roles may neither add rows nor move the fence."""
    fill(access)
    refused(access, role, "INSERT INTO journal.transfers SELECT * FROM journal.transfers")
    refused(access, role, "INSERT INTO journal.transfers_0 SELECT * FROM journal.transfers")
    refused(access, role, "UPDATE journal.writer SET epoch = epoch + 1")
    refused(access, role, "SELECT journal.create_segments(1)")


def test_the_follower_has_tables_of_its_own(access: Access) -> None:
    """Read models live in a schema of the follower's; the writer has none there."""
    with psycopg.connect(access.conninfo_for(Role.FOLLOWER), autocommit=True) as connection:
        connection.execute("CREATE TABLE read_models.mine (n integer)")
        connection.execute("UPDATE read_models.mine SET n = 1")
    refused(access, Role.WRITER, "CREATE TABLE read_models.mine (n integer)")
    refused(access, Role.READER, "CREATE TABLE read_models.mine (n integer)")


def test_everybody_reads(access: Access) -> None:
    """Every role reads tables and views, and may ask for the pages to be noted; but not the vault's."""
    fill(access)
    assert "denied" in refused(access, Role.VAULT, "SELECT FROM journal.transfers")
    for role in set(Role) - {Role.VAULT}:
        with psycopg.connect(access.conninfo_for(role), autocommit=True) as connection:
            for name in ("transfers", *(f"v_{view}" for view in (*CHANGES, "entries"))):
                connection.execute(f"SELECT * FROM journal.{name}".encode())
            connection.execute("SELECT journal.summarize()")


def test_a_role_is_taken_on_by_an_option(access: Access) -> None:
    """Without peer authentication the login takes the role on, beside its own options."""
    by_option = replace(access, conninfo=f"{access.conninfo} options='-c jit=off'", peer=False)
    assert by_option.login == by_option.conninfo
    assert access.login == access.conninfo_for(Role.WRITER)
    text = by_option.conninfo_for(Role.WRITER)
    assert "-c jit=off -c role=formicary_writer" in text
    assert replace(by_option, roles=False).conninfo_for(Role.WRITER) == by_option.conninfo
