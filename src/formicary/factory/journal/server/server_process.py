"""The server's process: spawned, watched, and heard when it fails."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Final

from formicary.factory.journal.errors import PostgresFailed
from formicary.factory.journal.server.cluster import clean_environment
from formicary.factory.journal.server.os_user import OsUser
from formicary.factory.journal.server.postmaster import PidFile, is_live, read_pid_file

__all__ = ["ServerProcess"]

_POLL_SECONDS: Final = 0.01
_LOG_BYTES_MAX: Final = 16 << 20
_LOG_TAIL_BYTES: Final = 4_096
# What a server says while processes of its killed predecessor still hold the shared memory.
_SURVIVORS: Final = "pre-existing shared memory block"


class _OutlivingProcess(subprocess.Popen[bytes]):
    """A child that may live on when nobody refers to it any more, without the warning that this is."""

    def __del__(self) -> None:
        """Leave it running."""


class ServerProcess:
    """The process of one data folder, whether it is our child or was adopted.

    Parameters
    ----------
    data_folder
        Where the database lies.
    log_file
        What the server says is added here; the file before the last restart that found it too long is kept.
    """

    def __init__(self, data_folder: Path, log_file: Path) -> None:
        self._data_folder = data_folder
        self._log_file = log_file
        self._child: _OutlivingProcess | None = None

    def live(self) -> PidFile | None:
        """Return what the live server notes of itself; None while there is none."""
        found = read_pid_file(self._data_folder)
        return found if found and is_live(found.pid, self._data_folder) else None

    def launch(self, program: Path, user: OsUser, deadline: float) -> None:
        """Start the server and wait until it is ready, up to ``deadline`` of the monotonic clock.

        Raises
        ------
        PostgresFailed
            It ended, or was not ready in time; what it said is in the message.
        """
        while True:
            self._shorten_log()
            said_before = self._log_file.stat().st_size if self._log_file.exists() else 0
            self._child = self._spawn(program, user)
            if self.await_ready(self._child.pid, deadline):
                return
            self._child.kill()
            self._child.wait()
            said = self._said_since(said_before)
            if _SURVIVORS not in said or time.monotonic() > deadline:
                message = f"PostgreSQL did not become ready; it said: {said or 'nothing'}"
                raise PostgresFailed(message)
            time.sleep(_POLL_SECONDS)

    def await_ready(self, pid: int, deadline: float) -> bool:
        """Wait until process ``pid`` takes connections; False when it ends or the time is up."""
        while time.monotonic() < deadline:
            found = read_pid_file(self._data_folder)
            if found and found.pid == pid and found.ready:
                return True
            if self._has_ended(pid):
                return False
            time.sleep(_POLL_SECONDS)
        return False

    def await_end(self, pid: int, deadline: float) -> bool:
        """Wait until process ``pid`` is gone; False when the time is up."""
        while not self._has_ended(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _spawn(self, program: Path, user: OsUser) -> _OutlivingProcess:
        with self._log_file.open("ab") as log:
            return _OutlivingProcess(
                (program, "-D", self._data_folder),
                cwd="/",
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in our terminal is for us; we decide when the server ends.
                start_new_session=True,
                **user.process_options,
            )

    def _has_ended(self, pid: int) -> bool:
        # A child counts from the moment it is spawned: it takes a while to look like a server.
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is not None
        return not is_live(pid, self._data_folder)

    def _shorten_log(self) -> None:
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_BYTES_MAX:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))

    def _said_since(self, size_before: int) -> str:
        with self._log_file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(size_before, size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace").strip()
