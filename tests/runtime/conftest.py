"""The runtime's tests share a home with a running embedded server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.settings import Settings
from tests.fixtures_postgres import open_folder


@pytest.fixture(scope="session")
def shared_home() -> Iterator[Settings]:
    """Give a home whose server runs as long as the tests do: commands adopt it."""
    settings = Settings(home=open_folder())
    with Supervisor(settings.postgres_folder, stop_on_exit=True):
        yield settings
    shutil.rmtree(settings.home)


@pytest.fixture
def new_home() -> Iterator[Settings]:
    """Give a home of one test's own, with nothing in it."""
    settings = Settings(home=open_folder())
    yield settings
    shutil.rmtree(settings.home)


@pytest.fixture
def hosted_home(shared_home: Settings, new_home: Settings) -> Settings:
    """Give a home of one test's own whose new database is known by its URL."""
    supervisor = Supervisor(shared_home.postgres_folder)
    name = new_home.home.name
    with psycopg.connect(supervisor.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return replace(new_home, database_url=supervisor.conninfo(name))
