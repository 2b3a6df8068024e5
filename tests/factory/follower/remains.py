"""What a house left behind: made once, copied for every test that damages it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from formicary.factory.follower import StateSnapshots
from formicary.factory.journal.access import Access
from tests.factory.follower.house import House
from tests.fixtures_postgres import PostgresServer

__all__ = ["Remains", "copied", "remains_of"]

_NUMBERS = count(1)


@dataclass(frozen=True)
class Remains:
    """A journal and its snapshots, and what the engine said at the end."""

    access: Access
    folder: Path
    position: int
    state_hash: int
    accounts: int

    @property
    def snapshots(self) -> StateSnapshots:
        """The folder of snapshots."""
        return StateSnapshots(self.folder)

    @property
    def database(self) -> str:
        """The name of the database."""
        return str(conninfo_to_dict(self.access.conninfo)["dbname"])


def remains_of(house: House) -> Remains:
    """Return what a house leaves as it is now."""
    state = house.engine.state
    return Remains(
        access=house.access,
        folder=house.folder / "snapshots",
        position=state.position,
        state_hash=state.state_hash,
        accounts=len(house.account_ids),
    )


@contextmanager
def copied(postgres: PostgresServer, remains: Remains, folder: Path) -> Iterator[Remains]:
    """Yield a copy of a database that nobody is connected to, and of its snapshots in ``folder``."""
    name = f"{remains.database}_copy_{next(_NUMBERS)}"
    with postgres.superuser() as connection:
        identifiers = map(sql.Identifier, (name, remains.database))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*identifiers))
    shutil.copytree(remains.folder, folder / "snapshots")
    access = replace(remains.access, conninfo=make_conninfo(remains.access.conninfo, dbname=name))
    try:
        yield replace(remains, access=access, folder=folder / "snapshots")
    finally:
        postgres.drop(name)
