"""The embedded PostgreSQL: found, initialized, started as our child, adopted, stopped.

The server listens on a Unix socket only. It outlives us: when the engine dies, the next supervisor adopts the
live server, and its caches with it. It dies with us only if asked (``stop_on_exit``).
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psycopg

from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import PostgresFailed
from formicary.factory.journal.server.binaries import Binaries, find_binaries, reachable_binaries
from formicary.factory.journal.server.cluster import (
    PORT,
    SUPERUSER,
    data_version,
    initialize,
    write_configuration,
)
from formicary.factory.journal.server.os_user import OsUser, can_reach, server_user
from formicary.factory.journal.server.postmaster import read_pid_file, remove_stale_locks
from formicary.factory.journal.server.provision import provide_database
from formicary.factory.journal.server.server_process import ServerProcess
from formicary.factory.journal.server.socket_folder import make_socket_folder

__all__ = ["Supervisor"]

_LOG: Final = logging.getLogger(__name__)
_START_SECONDS_MAX: Final = 60.0
# A fast shutdown writes a checkpoint first.
_STOP_SECONDS_MAX: Final = 30.0
_ANSWER_SECONDS_MAX: Final = 5


class Supervisor:
    """Looks after one embedded server.

    Parameters
    ----------
    folder
        Holds the data, the socket and the log; created if it is not there.
    binaries
        The programs to use; found by ``find_binaries`` unless given.
    settings
        Server settings beside, or instead of, ``cluster.SETTINGS``.
    os_users
        Users of the operating system, beside the server's and our own, who may connect.
    stop_on_exit
        Whether leaving the ``with`` statement stops the server.
    environment
        Where ``PATH`` comes from; ours unless given.
    start_seconds_max, stop_seconds_max
        How long the server may take to be ready, and to be gone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Binaries | None = None,
        settings: Mapping[str, str] | None = None,
        os_users: Sequence[str] = (),
        stop_on_exit: bool = False,
        environment: Mapping[str, str] | None = None,
        start_seconds_max: float = _START_SECONDS_MAX,
        stop_seconds_max: float = _STOP_SECONDS_MAX,
    ) -> None:
        self._folder = folder.absolute()
        self._settings = dict(settings or {})
        self._os_users = tuple(os_users)
        self._stop_on_exit = stop_on_exit
        self._environment = os.environ if environment is None else environment
        self._start_seconds_max = start_seconds_max
        self._stop_seconds_max = stop_seconds_max
        self._process = ServerProcess(self.data_folder, self.log_file)
        self.binaries = binaries
        """The programs in use, once started."""

    def __enter__(self) -> Self:
        """Start the server, or adopt it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server if that was asked for."""
        if self._stop_on_exit:
            self.stop()

    @property
    def data_folder(self) -> Path:
        """Where the database lies."""
        return self._folder / "data"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self._folder / "server.log"

    @property
    def pid(self) -> int | None:
        """The number of the live server's first process; None while there is none."""
        found = self._process.live()
        return found.pid if found else None

    def start(self) -> None:
        """Start the server, or adopt the live one that a dead supervisor left.

        Raises
        ------
        PostgresNotFound
            There is no PostgreSQL of the data folder's version.
        PostgresFailed
            It did not become ready in time; the tail of its log is in the message.
        """
        with self._alone():
            deadline = time.monotonic() + self._start_seconds_max
            user = server_user(self.data_folder)
            binaries = self._prepare(user)
            if not self._adopt(deadline):
                remove_stale_locks(self.data_folder, self._folder / "socket")
                self._process.launch(binaries.folder / "postgres", user, deadline)

    def stop(self) -> None:
        """Stop the server, ours or adopted: transactions in flight are rolled back, a checkpoint is written.

        Raises
        ------
        PostgresFailed
            It did not end, not even when told to drop everything.
        """
        with self._alone():
            found = self._process.live()
            if found is None:
                return
            # SIGQUIT skips the checkpoint: the next start recovers from the log, and nothing is lost.
            for number in (signal.SIGINT, signal.SIGQUIT):
                os.kill(found.pid, number)
                if self._process.await_end(found.pid, time.monotonic() + self._stop_seconds_max):
                    return
                _LOG.warning("PostgreSQL did not end %.0f s after %s", self._stop_seconds_max, number.name)
            message = f"PostgreSQL, process {found.pid}, does not end"
            raise PostgresFailed(message)

    def restart(self) -> None:
        """Stop the server and start it again."""
        self.stop()
        self.start()

    def access(self, database: str = "formicary") -> Access:
        """Return access to a database of the running server; it and the roles are created when missing."""
        found = self._process.live()
        if found is None:
            message = "PostgreSQL is not running"
            raise PostgresFailed(message)
        return provide_database(self.conninfo(SUPERUSER), database)

    def conninfo(self, database: str) -> str:
        """Return how to reach a database of the server as its superuser."""
        found = read_pid_file(self.data_folder)
        socket_folder = found.socket_folder if found else ""
        return f"host={socket_folder} port={PORT} user={SUPERUSER} dbname={database}"

    def _prepare(self, user: OsUser) -> Binaries:
        """Make everything that a start needs; tell a live server about changed settings."""
        if not can_reach(self.data_folder, user):
            message = (
                f"the user {user.name}, as whom PostgreSQL runs, cannot enter {self._folder}; "
                "choose a folder outside of closed ones"
            )
            raise PostgresFailed(message)
        version = data_version(self.data_folder)
        found = self.binaries or find_binaries(self._environment, major=version)
        self.binaries = reachable_binaries(found, user)
        if version is None:
            initialize(self.binaries, self.data_folder, user)
        changed = write_configuration(
            self.data_folder,
            user=user,
            socket_folder=make_socket_folder(self._folder, user, shared=bool(self._os_users)),
            settings=self._settings,
            os_users=self._os_users,
        )
        if changed and (live := self._process.live()):
            os.kill(live.pid, signal.SIGHUP)
        return self.binaries

    def _adopt(self, deadline: float) -> bool:
        """Wait for the live server to answer; False when there is none, or it dies meanwhile."""
        while found := self._process.live():
            # Its note may still say "ready" when it has just been killed; only an answer proves life.
            if self._process.await_ready(found.pid, deadline) and self._answers():
                _LOG.info("adopted the live PostgreSQL server, process %d", found.pid)
                return True
            if time.monotonic() > deadline:
                message = f"PostgreSQL, process {found.pid}, lives but does not answer"
                raise PostgresFailed(message)
        return False

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.conninfo(SUPERUSER), connect_timeout=_ANSWER_SECONDS_MAX).close()
        except psycopg.OperationalError:
            return False
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second supervisor of the same folder from starting or stopping at the same time."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "supervisor.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
