"""Files of rows: written once as they lie in memory, and only ever appended to.

A file begins with the first row of a generation. What a snapshot says of it holds for the rows that it had
then: whatever stands behind them was written later, or by somebody who died over it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.journal.errors import SnapshotCorrupted
from formicary.factory.journal.rows import TRANSFER_ROW

__all__ = ["RowFile", "append_rows", "described", "read_rows"]

Rows = npt.NDArray[Any]

_ROW_BYTES: Final = TRANSFER_ROW.itemsize
# Rows under one checksum: small enough to be summed up again with every few rows that join the last ones.
_CHUNK_ROWS: Final = 1 << 13
_POSITION_DIGITS: Final = 19
# Checksums and reads do not hold the GIL.
_THREADS: Final = 2


class RowFile(msgspec.Struct, frozen=True, kw_only=True):
    """The first rows of a file.

    Attributes
    ----------
    first, last, count
        The positions of the first and the last of them, and how many there are; none is at position 0.
    checksums
        The SHA-256, in hexadecimal, of every 8,192 of them, and of what is left: with the instructions that
        processors have for it, it is the fastest that proves something.
    """

    first: int = 0
    last: int = 0
    count: int = 0
    checksums: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"rows-{self.first:0{_POSITION_DIGITS}d}"

    @property
    def size(self) -> int:
        """The bytes of these rows."""
        return self.count * _ROW_BYTES


def described(rows: Rows, known: RowFile | None = None) -> RowFile:
    """Return what a file of ``rows`` (n,) is; ``known`` is what their first ``known.count`` are."""
    if not len(rows):
        return RowFile()
    first, last = rows["position"][[0, -1]].tolist()
    whole = known.count // _CHUNK_ROWS if known is not None else 0
    checksums = known.checksums[:whole] if known is not None else ()
    fresh = map(_checksum, _chunks(rows[whole * _CHUNK_ROWS :]))
    return RowFile(first=first, last=last, count=len(rows), checksums=(*checksums, *fresh))


def append_rows(path: Path, rows: Rows) -> None:
    """Append rows (n,) to a file, without syncing it; it is made if it is not there."""
    with path.open("ab") as file:
        file.write(_bytes(np.ascontiguousarray(rows)))


def read_rows(paths: Sequence[Path], files: Sequence[RowFile], *, room: int) -> list[Rows]:
    """Return the rows of files, each an array with room for ``room`` rows and for one more than it holds.

    Raises
    ------
    SnapshotCorrupted
        A file is missing, too short or damaged.
    """
    found = [np.zeros(max(room, file.count + 1), TRANSFER_ROW) for file in files]
    with ThreadPoolExecutor(_THREADS) as pool:
        reads = (
            pool.submit(_read_chunk, path, index, chunk, checksum)
            for path, file, rows in zip(paths, files, found, strict=True)
            for index, (chunk, checksum) in enumerate(
                zip(_chunks(rows[: file.count]), file.checksums, strict=True)
            )
        )
        for read in list(reads):
            read.result()
    return found


def _read_chunk(path: Path, index: int, chunk: Rows, checksum: str) -> None:
    try:
        with path.open("rb") as file:
            file.seek(index * _CHUNK_ROWS * _ROW_BYTES)
            length = file.readinto(_bytes(chunk))
    except OSError as error:
        message = f"the file {path.name} cannot be read: {error}"
        raise SnapshotCorrupted(message) from error
    if length < chunk.nbytes or _checksum(chunk) != checksum:
        message = f"the file {path.name} is damaged or ends in its part {index + 1}"
        raise SnapshotCorrupted(message)


def _chunks(rows: Rows) -> Iterator[Rows]:
    return (rows[begin : begin + _CHUNK_ROWS] for begin in range(0, len(rows), _CHUNK_ROWS))


def _checksum(rows: Rows) -> str:
    return hashlib.sha256(_bytes(rows)).hexdigest()


def _bytes(rows: Rows) -> memoryview:
    return rows.view(np.uint8).data
