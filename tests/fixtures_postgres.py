"""A real PostgreSQL for tests: one server per run, a fresh database per test.

A folder of tests makes them available in its ``conftest.py``::

    from tests.fixtures_postgres import access, postgres, postgres_source

``postgres_source`` says whose programs are used; a folder that overrides it runs on several servers.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from formicary.base.limits import SEGMENT_POSITIONS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.server.binaries import Binaries, candidates, find_binaries
from formicary.factory.journal.supervisor import Supervisor

__all__ = [
    "PostgresServer",
    "access",
    "open_folder",
    "postgres",
    "postgres_source",
    "programs_of",
    "small_segments",
]

SMALL_SEGMENT_POSITIONS = 64
MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder of a random name is made in it.
MEMORY_BYTES_MIN = 4 << 30


@dataclass
class PostgresServer:
    """A running server that makes databases from templates, as migrating each would take longer."""

    supervisor: Supervisor
    _templates: dict[int | None, Access] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Connect as the superuser, past all rights."""
        return psycopg.connect(self.supervisor.conninfo(database), autocommit=True)

    def create(self, *, segment_positions: int | None = None) -> tuple[str, Access]:
        """Return the name of a fresh, migrated database and access to it."""
        template = self._templates.get(segment_positions)
        if template is None:
            template = self.supervisor.access(f"template_{segment_positions or 'default'}")
            migrate(template, segment_positions=segment_positions or SEGMENT_POSITIONS)
            self._templates[segment_positions] = template
        name = f"test_{next(self._numbers)}"
        template_name = str(conninfo_to_dict(template.conninfo)["dbname"])
        with self.superuser() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY")
            connection.execute(statement.format(*map(sql.Identifier, (name, template_name, Role.OWNER))))
        return name, replace(template, conninfo=make_conninfo(template.conninfo, dbname=name))

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        with self.superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def open_folder() -> Path:
    """Return a new temporary folder that an unprivileged server can enter; pytest's own are closed.

    In memory where there is room: the tests make hundreds of databases, and no test pulls the plug.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN
    folder = Path(tempfile.mkdtemp(prefix="formicary-test-", dir=MEMORY if roomy else None))
    folder.chmod(0o755)
    return folder


def programs_of(source: str) -> Binaries:
    """Return the programs of the "wheel" or of the "system"; without the latter the test is skipped."""
    if source == "wheel":
        return find_binaries({})
    for name, folder in candidates(os.environ):
        if not name.startswith("wheel") and (folder / "initdb").exists():
            return Binaries(folder=folder, source=name, version=(15, 0))
    pytest.skip("PostgreSQL is not installed on this system (Debian: apt-get install postgresql)")


@pytest.fixture(scope="session")
def postgres_source() -> str:
    """Whose programs: "wheel" or "system"."""
    return "wheel"


@pytest.fixture(scope="session")
def postgres(postgres_source: str) -> Iterator[PostgresServer]:
    """Give a server that runs as long as the tests that use it."""
    programs = programs_of(postgres_source)
    folder = open_folder()
    try:
        with Supervisor(folder / "postgres", binaries=programs, stop_on_exit=True) as supervisor:
            yield PostgresServer(supervisor)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def access(postgres: PostgresServer) -> Iterator[Access]:
    """Give access to a fresh, migrated database."""
    name, access = postgres.create()
    yield access
    postgres.drop(name)


@pytest.fixture
def small_segments(postgres: PostgresServer) -> Iterator[Access]:
    """Give access to a fresh, migrated database whose segments hold 64 positions."""
    name, access = postgres.create(segment_positions=SMALL_SEGMENT_POSITIONS)
    yield access
    postgres.drop(name)
