"""Which PostgreSQL: the one of DATABASE_URL, else an embedded one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formicary.factory.journal.access import Access
from formicary.factory.journal.server.provision import access_by_url
from formicary.factory.journal.supervisor import Supervisor

__all__ = ["Postgres", "open_postgres"]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """Access to the database, and the supervisor when the server is an embedded one."""

    access: Access
    supervisor: Supervisor | None


def open_postgres(*, folder: Path, environment: Mapping[str, str], database: str = "formicary") -> Postgres:
    """Return the database of ``DATABASE_URL`` if that is set, else one of the embedded server in ``folder``.

    The embedded server is started, or adopted, and left running.

    Raises
    ------
    PostgresNotFound, PostgresFailed
        There is no embedded server to be had.
    JournalUnavailable
        The database of ``DATABASE_URL`` cannot be reached.
    """
    url = environment.get("DATABASE_URL")
    if url:
        return Postgres(access=access_by_url(url), supervisor=None)
    supervisor = Supervisor(folder, environment=environment)
    supervisor.start()
    _LOG.warning(
        "an acknowledged row survives a crash, but not the loss of this machine: there is no standby"
    )
    return Postgres(access=supervisor.access(database), supervisor=supervisor)
