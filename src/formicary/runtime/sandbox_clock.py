"""A clock that a sandbox puts forward: the wall's, plus what a file says, for every process alike."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from formicary.base.clock import LiveClock

__all__ = ["FileClock"]


class FileClock:
    """The wall clock, put forward by the nanoseconds in a file.

    Parameters
    ----------
    path
        Of the file; processes that name the same one have the same time. It outlives them, so that the time
        does not go back when they are started again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._live = LiveClock()
        self._offset_ns = 0
        self._read_at: tuple[int, int] | None = None

    def now(self) -> int:
        """Return the time in nanoseconds since the Unix epoch."""
        return self._live.now() + self._offset()

    def advance(self, nanoseconds: int) -> int:
        """Put the clock forward for every process and return its time."""
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            offset = self._offset() + nanoseconds
            new = self._path.with_suffix(".new")
            new.write_text(str(offset))
            new.replace(self._path)
        return self.now()

    def _offset(self) -> int:
        try:
            found = os.stat(self._path)  # noqa: PTH116, a tenth of what Path costs
        except FileNotFoundError:
            return 0
        version = found.st_mtime_ns, found.st_ino
        if version != self._read_at:
            self._offset_ns = int(self._path.read_text())
            self._read_at = version
        return self._offset_ns
