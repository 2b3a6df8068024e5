"""Whether a server really lives behind a data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PidFile", "is_live", "read_pid_file", "remove_stale_locks"]

_PROC: Final = Path("/proc")
_READY: Final = "ready"
_LINES_MIN: Final = 5
_STATUS_LINE: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """What the server notes in ``postmaster.pid``."""

    pid: int
    socket_folder: str
    status: str

    @property
    def ready(self) -> bool:
        """Whether it takes connections."""
        return self.status == _READY


def read_pid_file(data_folder: Path) -> PidFile | None:
    """Return what ``postmaster.pid`` says; None without one, or while it is being written."""
    try:
        lines = (data_folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < _LINES_MIN or not lines[0].isdigit():
        return None
    status = lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""
    return PidFile(pid=int(lines[0]), socket_folder=lines[4], status=status)


def is_live(pid: int, data_folder: Path, *, proc: Path = _PROC) -> bool:
    """Return whether process ``pid`` is a running server of ``data_folder``.

    A zombie is not, nor is a stranger that got the number of a dead server: the data folder is one of a
    server's arguments. (It is its working folder too, but in a container even root may not look at that
    of another user's process.) Where there is no ``/proc`` any process of that number counts.
    """
    if not proc.exists():
        return _exists(pid)
    try:
        state = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        arguments = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    names = {os.fsencode(data_folder), os.fsencode(data_folder.resolve())}
    return state not in "ZX" and not names.isdisjoint(arguments)


def remove_stale_locks(data_folder: Path, socket_folder: Path) -> None:
    """Remove lock files that name a process which is alive but is no server of ours.

    After a restart of the machine a dead server's number is soon another process's, and the server would
    refuse to start. Where no process has the number the server sees that itself, and its own look at
    shared memory for survivors is better than ours.
    """
    for path in (data_folder / "postmaster.pid", *socket_folder.glob(".s.PGSQL.*.lock")):
        first = path.read_text().partition("\n")[0].strip() if path.exists() else ""
        if first.isdigit() and _exists(int(first)) and not is_live(int(first), data_folder):
            path.unlink()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
