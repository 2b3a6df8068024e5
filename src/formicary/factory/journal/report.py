"""What server the journal lives on, for people who look for the reason of something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from formicary.base.limits import DEADLINE_SECONDS
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.errors import JournalUnavailable
from formicary.factory.journal.supervisor import Supervisor

__all__ = ["Report", "report"]

_SETTINGS: Final = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "data_checksums",
    "wal_level",
    "max_wal_size",
    "shared_buffers",
    "max_connections",
    "synchronous_standby_names",
    "server_encoding",
    "listen_addresses",
    "jit",
)
_QUERY: Final = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s) ORDER BY name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A server as it is.

    Attributes
    ----------
    source
        Where its programs came from: ``wheel …``, ``system``, or ``DATABASE_URL``.
    version
        As the server says it, as in ``16.14``.
    settings
        Those that matter for durability and speed.
    roles
        Whether the database's roles are in use; see ``Access``.
    standby
        Whether a commit waits for a second machine. If not, the loss of this one loses acknowledged rows.
    programs, data_folder, pid
        Of an embedded server; None of any other.
    """

    source: str
    version: str
    settings: Mapping[str, str]
    roles: bool
    standby: bool
    programs: Path | None
    data_folder: Path | None
    pid: int | None


def report(access: Access, supervisor: Supervisor | None = None) -> Report:
    """Ask the server what it is; ``supervisor`` is that of an embedded one.

    Raises
    ------
    JournalUnavailable
        It does not answer.
    """
    try:
        with psycopg.connect(
            access.conninfo_for(Role.READER), connect_timeout=DEADLINE_SECONDS
        ) as connection:
            settings: dict[str, str] = dict(connection.execute(_QUERY, (list(_SETTINGS),)).fetchall())
            version = connection.info.parameter_status("server_version") or ""
    except psycopg.Error as error:
        message = f"the server does not answer: {error}"
        raise JournalUnavailable(message, sqlstate=error.sqlstate or "") from error
    binaries = supervisor.binaries if supervisor else None
    return Report(
        source=binaries.source if binaries else "DATABASE_URL",
        version=version,
        settings=settings,
        roles=access.roles,
        standby=bool(settings["synchronous_standby_names"]),
        programs=binaries.folder if binaries else None,
        data_folder=supervisor.data_folder if supervisor else None,
        pid=supervisor.pid if supervisor else None,
    )
