"""Opening the database."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from formicary.factory.journal.access import Role
from formicary.factory.journal.errors import JournalUnavailable
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.database import open_database
from formicary.runtime.settings import Settings

HEAD = "SELECT position FROM journal.writer"


def test_a_server_of_ours_is_started_and_stopped(new_home: Settings) -> None:
    """On an empty folder everything is made; what was not running before does not run afterwards."""
    supervisor = Supervisor(new_home.postgres_folder)
    with open_database(new_home) as access:
        assert supervisor.pid is not None
        with psycopg.connect(access.conninfo_for(Role.READER)) as connection:
            assert connection.execute(HEAD).fetchone() is not None
    assert supervisor.pid is None


def test_a_running_server_is_left_running(shared_home: Settings) -> None:
    """A command that found the server running does not stop it for the others."""
    supervisor = Supervisor(shared_home.postgres_folder)
    before = supervisor.pid
    with open_database(shared_home):
        pass
    assert supervisor.pid == before is not None


def test_a_database_by_its_url(hosted_home: Settings) -> None:
    """A database of somebody else's is migrated and used."""
    with (
        open_database(hosted_home) as access,
        psycopg.connect(access.conninfo_for(Role.READER)) as connection,
    ):
        assert connection.execute(HEAD).fetchone() is not None
    assert not hosted_home.postgres_folder.exists()


def test_a_database_that_is_not_there() -> None:
    """A URL that leads nowhere is a fault of the surroundings, not a traceback."""
    settings = Settings(home=Path("/nowhere"), database_url="host=/nowhere dbname=none")
    with pytest.raises(JournalUnavailable), open_database(settings):
        pass
