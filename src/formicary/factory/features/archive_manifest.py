"""What an archive of the journal says it holds: parts without a gap, and the checksum of every file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from formicary.base.errors import OperationalFault
from formicary.factory.features.checked_files import CheckedFile, write_whole
from formicary.factory.journal.errors import JournalTooNew

__all__ = [
    "ArchiveCorrupted",
    "ArchiveManifest",
    "ArchivedFile",
    "ArchivedPart",
    "read_manifest",
    "write_manifest",
]

# 1 knew no decisions; an archive of it is read, and gone on with, as one that holds none.
_FORMAT: Final = 2
_NAME: Final = "manifest.json"


class ArchiveCorrupted(OperationalFault):
    """An archive of the journal lacks a file or a row, or has one that is not as it was written."""


class ArchivedFile(CheckedFile, frozen=True, kw_only=True):
    """The rows of one table; ``first`` and ``last`` are the positions of the outermost ones."""

    table: str
    rows: int
    first: int
    last: int


class ArchivedPart(msgspec.Struct, frozen=True, kw_only=True):
    """All rows after ``after`` up to ``until``; a table without rows has no file."""

    after: int
    until: int
    files: tuple[ArchivedFile, ...]


class ArchiveManifest(msgspec.Struct, frozen=True, kw_only=True):
    """All parts, in the order of their positions."""

    format: int = _FORMAT
    parts: tuple[ArchivedPart, ...] = ()

    @property
    def position(self) -> int:
        """The last position there is; 0 for none. Every position is one row."""
        return self.parts[-1].until if self.parts else 0

    @property
    def size_bytes(self) -> int:
        """The bytes of all files."""
        return sum(file.size_bytes for part in self.parts for file in part.files)


class _Format(msgspec.Struct):
    format: int


def read_manifest(folder: Path) -> ArchiveManifest | None:
    """Return the manifest of an archive, None where the folder has none.

    Raises
    ------
    ArchiveCorrupted
        It cannot be read, or its parts leave something out.
    JournalTooNew
        A newer release wrote it.
    """
    path = folder / _NAME
    if not path.exists():
        return None
    data = path.read_bytes()
    try:
        if msgspec.json.decode(data, type=_Format).format > _FORMAT:
            message = f"{path} is of a newer release; this one reads archives up to format {_FORMAT}"
            raise JournalTooNew(message)
        manifest = msgspec.json.decode(data, type=ArchiveManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise ArchiveCorrupted(message) from error
    position = 0
    for part in manifest.parts:
        rows = sum(file.rows for file in part.files)
        if part.after != position or rows != part.until - part.after:
            message = f"{path} does not hold every position after {position} up to {part.until} once"
            raise ArchiveCorrupted(message)
        position = part.until
    return manifest


def write_manifest(folder: Path, manifest: ArchiveManifest) -> None:
    """Write a manifest durably; the files it names are already there."""
    write_whole(folder, _NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
