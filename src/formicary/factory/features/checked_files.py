"""Files that are there whole or not at all, each with a checksum that its manifest keeps."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["CheckedFile", "read_checked", "write_checked", "write_whole"]

_CHECKSUM_BYTES: Final = 32
_PARTIAL_SUFFIX: Final = ".partial"


class CheckedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as its manifest knows it; ``checksum`` is BLAKE2b-256 in hexadecimal digits."""

    name: str
    size_bytes: int
    checksum: str


def write_checked(folder: Path, name: str, data: bytes) -> CheckedFile:
    """Write a file durably, over one of the same name; return what its manifest notes."""
    write_whole(folder, name, data)
    return CheckedFile(name=name, size_bytes=len(data), checksum=_checksum(data))


def read_checked(folder: Path, file: CheckedFile) -> bytes | None:
    """Return what is in a file, None where it is missing or not as it was written."""
    try:
        data = (folder / file.name).read_bytes()
    except OSError:
        return None
    return data if len(data) == file.size_bytes and _checksum(data) == file.checksum else None


def write_whole(folder: Path, name: str, data: bytes) -> None:
    """Write a file under another name, and give it its own when all of it is on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}{_PARTIAL_SUFFIX}"
    with partial.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(folder / name)
    # The new name is durable only when the folder is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_CHECKSUM_BYTES).hexdigest()
