"""Migrations: named SQL files, applied in order, each remembered with its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

import psycopg

from formicary.base.limits import DEADLINE_SECONDS, SEGMENT_POSITIONS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalTooNew, JournalUnavailable, MigrationChanged

__all__ = ["JOURNAL_SCHEMA", "Migration", "check_migrations", "migrate", "packaged_migrations"]

# Any number will do, as long as every release uses the same.
_LOCK: Final = 0x466F726D69636172
_BOOTSTRAP: Final = "bootstrap.sql"
_SCHEMA_FOLDER: Final = resources.files(__package__) / "schema"
_APPLIED: Final = b"SELECT name, sha256 FROM {schema}.migrations ORDER BY name"
_NOTE: Final = b"INSERT INTO {schema}.migrations (name, sha256) VALUES (%s, %s)"

JOURNAL_SCHEMA: Final = "journal"
"""The schema whose migrations are in this package."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: ``0001_tables.sql`` and its text."""

    name: str
    sql: bytes

    @property
    def sha256(self) -> bytes:
        """The hash by which a change of an applied migration is noticed."""
        return hashlib.sha256(self.sql).digest()


def packaged_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """Return the migrations of this release in their order: the journal's, or those of another folder."""
    place = _SCHEMA_FOLDER if folder is None else folder
    files = sorted((file for file in place.iterdir() if file.name[0].isdigit()), key=lambda file: file.name)
    return tuple(Migration(file.name, file.read_bytes()) for file in files)


def migrate(
    access: Access,
    *,
    migrations: Sequence[Migration] | None = None,
    schema: str = JOURNAL_SCHEMA,
    segment_positions: int = SEGMENT_POSITIONS,
) -> tuple[str, ...]:
    """Bring the schema to this release in one transaction; return the names of what was applied.

    Parameters
    ----------
    access
        The database; it is entered as the owner.
    migrations
        Those of this release unless given.
    schema
        Which schema they make, and note themselves in.
    segment_positions
        Positions in one partition, fixed when the journal is created and ignored afterwards.

    Raises
    ------
    JournalTooNew
        A migration was applied that this release does not have.
    MigrationChanged
        One that was applied has another content now.
    JournalUnavailable
        The database failed; nothing was changed.
    """
    wanted = packaged_migrations() if migrations is None else migrations
    try:
        with _connect(access, Role.OWNER) as connection:
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{DEADLINE_SECONDS}s",))
            # Held to the end of the transaction: two processes that start at once migrate once.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            bootstrap = (_SCHEMA_FOLDER / _BOOTSTRAP).read_bytes()
            connection.execute(_in_schema(bootstrap, schema))
            connection.execute(
                "SELECT set_config('formicary.segment_positions', %s, true)", (str(segment_positions),)
            )
            pending = _pending(connection, wanted, schema)
            for migration in pending:
                connection.execute(migration.sql)
                connection.execute(_in_schema(_NOTE, schema), (migration.name, migration.sha256))
    except psycopg.Error as error:
        message = f"the schema could not be migrated: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
    return tuple(migration.name for migration in pending)


def check_migrations(access: Access, *, role: Role, migrations: Sequence[Migration] | None = None) -> None:
    """Raise unless the schema is exactly that of this release; see ``migrate`` for the errors.

    A migration that is missing is ``JournalUnavailable``: somebody has to run ``migrate`` first.
    """
    wanted = packaged_migrations() if migrations is None else migrations
    try:
        with _connect(access, role) as connection:
            pending = _pending(connection, wanted, JOURNAL_SCHEMA)
    except psycopg.Error as error:
        message = f"the schema could not be read: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
    if pending:
        message = (
            f"the schema lacks {', '.join(migration.name for migration in pending)}; run the migrations first"
        )
        raise JournalUnavailable(message)


def _connect(access: Access, role: Role) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        access.conninfo_for(role), connect_timeout=DEADLINE_SECONDS, application_name="formicary migrations"
    )


def _in_schema(statement: bytes, schema: str) -> bytes:
    return statement.replace(b"{schema}", schema.encode())


def _pending(
    connection: psycopg.Connection[tuple[Any, ...]], wanted: Sequence[Migration], schema: str
) -> list[Migration]:
    applied: dict[str, bytes] = dict(connection.execute(_in_schema(_APPLIED, schema)).fetchall())
    unknown = [name for name in applied if name not in {migration.name for migration in wanted}]
    if unknown:
        message = f"this database has migrations of a newer release: {', '.join(unknown)}"
        raise JournalTooNew(message)
    changed = [m.name for m in wanted if m.name in applied and applied[m.name] != m.sha256]
    if changed:
        message = f"applied migrations have another content in this release: {', '.join(changed)}"
        raise MigrationChanged(message)
    return [migration for migration in wanted if migration.name not in applied]
