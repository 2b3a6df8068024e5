"""Changing what is final, as only a superuser can: past rights, with triggers off."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict

from formicary.factory.journal.access import Access
from tests.fixtures_postgres import PostgresServer

__all__ = ["tamper"]


def tamper(postgres: PostgresServer, access: Access, *statements: str) -> None:
    """Run statements of which the last changes at least one row."""
    database = str(conninfo_to_dict(access.conninfo)["dbname"])
    with postgres.superuser(database) as connection:
        connection.execute("SET session_replication_role = replica")
        changed = [connection.execute(statement.encode()).rowcount for statement in statements]
    assert changed[-1] > 0
