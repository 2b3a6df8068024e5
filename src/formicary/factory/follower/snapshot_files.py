"""The files beside a snapshot: of rows and of sealed ids, written once and shared by links.

Each snapshot has a folder of its own, so a file is there for as long as a snapshot needs it, and nobody
has to count who does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy.typing as npt

from formicary.factory.follower.row_files import RowFile, append_rows, described, read_rows
from formicary.factory.journal.errors import SnapshotCorrupted

__all__ = ["SealedFile", "SnapshotFiles"]

Rows = npt.NDArray[Any]

_POSITION_DIGITS: Final = 19


class SealedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of sealed ids: its name, its size in bytes, and its SHA-256 checksum in hexadecimal."""

    name: str
    size: int
    checksum: str


class SnapshotFiles:
    """A folder of links for each snapshot.

    Parameters
    ----------
    folder
        Created when the first snapshot is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # By inode and time of change. Made once for each file: it never changes, and there are many.
        self._known: dict[tuple[int, int], SealedFile] = {}
        self._unsynced: list[Path] = []
        # By their first position: files of the snapshot that was written or restored last.
        self._rows: dict[int, tuple[Path, RowFile]] = {}

    def keep(
        self, generations: Sequence[Rows], sealed: Sequence[Path], *, position: int
    ) -> tuple[tuple[RowFile, ...], tuple[SealedFile, ...]]:
        """Bring the files of the snapshot at ``position`` into its folder; return what they are.

        They are durable after ``sync``. The arrays are not needed any more.

        Parameters
        ----------
        generations
            The rows in memory. Those that the last snapshot has are not written again.
        sealed
            Files of sealed ids.
        """
        target = self._of(position)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        rows = tuple(self._keep_rows(each, target) for each in generations)
        self._rows = {file.first: (target / file.name, file) for file in rows if file.count}
        kept = []
        for path in sealed:
            _link(path, target / path.name)
            kept.append(self._known.get(_identity(path)) or self._describe(path))
        self._unsynced += [target, self._folder]
        return rows, tuple(kept)

    def sync(self) -> None:
        """Make durable what was kept."""
        while self._unsynced:
            _sync(self._unsynced[0])
            del self._unsynced[0]

    def _keep_rows(self, rows: Rows, target: Path) -> RowFile:
        first = int(rows["position"][0]) if len(rows) else 0
        source, known = self._rows.get(first, (None, None))
        # What stands behind the rows that are known may be another snapshot's: such a file is left alone.
        if source is None or known is None or not _has_size(source, known.size) or known.count > len(rows):
            known = None
        else:
            _link(source, target / known.name)
        file = described(rows, known)
        written = known.count if known is not None else 0
        if written < file.count:
            append_rows(target / file.name, rows[written:])
            self._unsynced.append(target / file.name)
        return file

    def read_rows(self, files: Sequence[RowFile], *, position: int, room: int) -> list[Rows]:
        """Return the rows of a snapshot's files; see ``row_files.read_rows``."""
        return read_rows([self._of(position) / file.name for file in files], files, room=room)

    def go_on_from(self, files: Iterable[RowFile], *, position: int) -> None:
        """Let the next snapshot add to the rows of the one at ``position``, which were found sound."""
        self._rows = {file.first: (self._of(position) / file.name, file) for file in files if file.count}

    def forget_rows(self) -> None:
        """Let the next snapshot write all its rows: it follows none of those that are there."""
        self._rows = {}

    def bring(self, files: Iterable[SealedFile], *, position: int, folder: Path) -> list[Path]:
        """Link a snapshot's files into ``folder``; return them there, in order.

        Raises
        ------
        SnapshotCorrupted
            One is missing or has another size. Their content is looked at by ``check``: there may be far more
            of it than of the rest of a snapshot.
        """
        brought = []
        for file in files:
            source = self._of(position) / file.name
            if not _has_size(source, file.size):
                message = f"the snapshot at position {position} lacks its file {file.name}"
                raise SnapshotCorrupted(message)
            _link(source, folder / file.name)
            self._known[_identity(folder / file.name)] = file
            brought.append(folder / file.name)
        return brought

    def check(self, files: Iterable[SealedFile], *, position: int) -> None:
        """Raise ``SnapshotCorrupted`` unless the content of a snapshot's files is what it was."""
        for file in files:
            path = self._of(position) / file.name
            if not path.is_file() or _checksum(path) != file.checksum:
                message = f"the file {file.name} of the snapshot at position {position} is damaged"
                raise SnapshotCorrupted(message)

    def prune(self, positions: Iterable[int]) -> None:
        """Remove the folders of snapshots that are not at ``positions``."""
        kept = {self._of(position) for position in positions}
        for path in set(self._folder.iterdir()) - kept:
            shutil.rmtree(path)

    def _of(self, position: int) -> Path:
        return self._folder / f"{position:0{_POSITION_DIGITS}d}"

    def _describe(self, path: Path) -> SealedFile:
        self._unsynced.append(path)
        file = SealedFile(name=path.name, size=path.stat().st_size, checksum=_checksum(path))
        self._known[_identity(path)] = file
        return file


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one without links.
        shutil.copyfile(source, target)
        _sync(target)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
