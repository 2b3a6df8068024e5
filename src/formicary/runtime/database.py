"""The database: the embedded server, or somebody else's by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from formicary.factory.journal.access import Access
from formicary.factory.journal.migrations import migrate
from formicary.factory.journal.server.provision import access_by_url
from formicary.factory.journal.supervisor import Supervisor
from formicary.runtime.settings import Settings

__all__ = ["open_database"]


@contextmanager
def open_database(settings: Settings) -> Iterator[Access]:
    """Yield a migrated database; an embedded server that was not running is stopped again at the end.

    Raises
    ------
    PostgresNotFound, PostgresFailed
        The embedded server cannot be started.
    JournalUnavailable, JournalTooNew, MigrationChanged
        See ``migrate``.
    """
    if settings.database_url is not None:
        access = access_by_url(settings.database_url)
        migrate(access)
        yield access
        return
    # The server's user must be able to enter: what is inside is closed to others.
    settings.home.mkdir(mode=0o755, parents=True, exist_ok=True)
    supervisor = Supervisor(settings.postgres_folder)
    was_running = supervisor.pid is not None
    supervisor.start()
    try:
        access = supervisor.access()
        migrate(access)
        yield access
    finally:
        if not was_running:
            supervisor.stop()
