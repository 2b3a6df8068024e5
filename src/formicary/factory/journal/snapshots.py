"""A folder of snapshots: written whole or not at all, read newest first, the last few kept."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.journal.errors import SnapshotCorrupted
from formicary.factory.journal.snapshot_file import Snapshot, SnapshotHeader, read_snapshot, write_snapshot

__all__ = ["Snapshots"]

_LOG: Final = logging.getLogger(__name__)
_SUFFIX: Final = ".snapshot"
_PARTIAL_SUFFIX: Final = ".partial"
# Digits of the largest position, so that names sort as positions do.
_POSITION_DIGITS: Final = 19


class Snapshots:
    """The snapshots of one fold.

    Parameters
    ----------
    folder
        Created if it is not there.
    kept
        How many to keep, at least two: the newest may turn out damaged.
    """

    def __init__(self, folder: Path, *, kept: int = 3) -> None:
        if kept < 2:  # noqa: PLR2004 - said above.
            message = f"at least two snapshots are kept, not {kept}"
            raise ProgrammingError(message)
        self._folder = folder
        self._kept = kept

    def write(self, header: SnapshotHeader, sections: Mapping[str, npt.NDArray[Any]]) -> Path:
        """Write a snapshot durably, then drop the oldest; return its file.

        Another one of the same position is replaced.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{header.position:0{_POSITION_DIGITS}d}{_SUFFIX}"
        partial = path.with_suffix(_PARTIAL_SUFFIX)
        with partial.open("wb") as file:
            write_snapshot(file, header, sections)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        self._sync_folder()
        self._prune()
        return path

    def latest(
        self,
        *,
        semantics: int,
        until: int | None = None,
        report: Callable[[SnapshotCorrupted], None] | None = None,
    ) -> Snapshot | None:
        """Return the newest sound snapshot; None when there is none.

        Parameters
        ----------
        semantics
            The version of the kernels' semantics in this code.
        until
            Only snapshots at or before this position: one beyond the journal's head is not of this journal.
        report
            Called with each damaged one that was skipped; logged as an error unless given.

        Raises
        ------
        JournalTooNew
            The newest sound one is of a newer release.
        """
        for path in reversed(self._files()):
            if until is not None and int(path.stem) > until:
                continue
            try:
                return read_snapshot(path, semantics=semantics)
            except SnapshotCorrupted as error:
                (report or _log)(error)
        return None

    def positions(self) -> tuple[int, ...]:
        """Return the positions of the snapshots that are there, sound or not, in ascending order."""
        return tuple(int(path.stem) for path in self._files())

    def _files(self) -> list[Path]:
        return sorted(path for path in self._folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())

    def _sync_folder(self) -> None:
        # The new name is durable only when the folder is.
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _prune(self) -> None:
        for path in self._files()[: -self._kept]:
            path.unlink()
        # Left by a process that died while it wrote.
        for path in self._folder.glob(f"*{_PARTIAL_SUFFIX}"):
            path.unlink()


def _log(error: SnapshotCorrupted) -> None:
    _LOG.error("%s", error)
