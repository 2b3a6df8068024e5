"""Files of sealed ids: written once, then shared by links between a state and its snapshots."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from formicary.factory.journal.errors import SnapshotCorrupted

__all__ = ["SealedFile", "SealedFolder"]

_POSITION_DIGITS: Final = 19


class SealedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of sealed ids: its name, its size in bytes, and its BLAKE2b-256 checksum in hexadecimal."""

    name: str
    size: int
    checksum: str


class SealedFolder:
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

    def keep(self, files: Sequence[Path], *, position: int) -> tuple[SealedFile, ...]:
        """Link files into the folder of the snapshot at ``position``, durably; return what they are."""
        target = self._of(position)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        kept = []
        for path in files:
            _link(path, target / path.name)
            kept.append(self._known.get(_identity(path)) or self._describe(path))
        _sync(target)
        _sync(self._folder)
        return tuple(kept)

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
            if not source.is_file() or source.stat().st_size != file.size:
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
        _sync(path)
        file = SealedFile(name=path.name, size=path.stat().st_size, checksum=_checksum(path))
        self._known[_identity(path)] = file
        return file


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
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
