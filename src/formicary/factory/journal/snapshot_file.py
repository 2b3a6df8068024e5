"""The form of a snapshot file. Every bit of it is under a checksum.

::

    preamble   magic (8), format (4), header's length (4), BLAKE2b-128 of these (16)
    header     JSON: semantics, position, timestamp, state hash, and the sections
    checksum   BLAKE2b-256 of the header (32), then zeros to a multiple of 64
    sections   arrays in C order, each followed by zeros to a multiple of 64

The preamble is the same in every format, so that a file of a newer release is told from a damaged one.
Numbers are little-endian. The alignment lets an array be mapped into memory as it lies.
"""

from __future__ import annotations

import ast
import hashlib
import struct
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
import numpy.typing as npt
from numpy.lib.format import descr_to_dtype, dtype_to_descr

from formicary.base.errors import ProgrammingError
from formicary.factory.journal.errors import JournalTooNew, SnapshotCorrupted

__all__ = ["FORMAT", "Snapshot", "SnapshotHeader", "read_snapshot", "write_snapshot"]

Array = npt.NDArray[Any]

FORMAT: Final = 2
"""Raised with every change of the form, or of what files stand beside it, that others could not read."""

_MAGIC: Final = b"FRMCSNAP"
_PREAMBLE: Final = struct.Struct("<8sII16s")
_PREAMBLE_CHECKSUM_BYTES: Final = 16
_CHECKSUM_BYTES: Final = 32
_ALIGNMENT: Final = 64
# Checksums are the larger part of the time and do not hold the GIL.
_THREADS: Final = 2


class SnapshotHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is of: the state after the row at ``position``; ``timestamp`` is in ns since 1970."""

    semantics: int
    position: int
    timestamp: int
    state_hash: int


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    dtype: str
    shape: list[int]
    checksum: str


class _Header(SnapshotHeader, frozen=True, kw_only=True):
    sections: list[_Section]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A state read back: its header and its arrays by name, in memory of their own and writable."""

    header: SnapshotHeader
    sections: dict[str, Array]


def write_snapshot(file: BinaryIO, header: SnapshotHeader, sections: Mapping[str, Array]) -> None:
    """Write a whole snapshot to an empty file, without syncing it.

    Raises
    ------
    ProgrammingError
        An array holds Python objects.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in sections.items()}
    dtypes = [_described(name, array.dtype) for name, array in arrays.items()]
    checksums = _checksums(arrays)
    text = msgspec.json.encode(
        _Header(
            **msgspec.structs.asdict(header),
            sections=[
                _Section(name=name, dtype=dtype, shape=list(array.shape), checksum=checksum.hex())
                for (name, array), dtype, checksum in zip(arrays.items(), dtypes, checksums, strict=True)
            ],
        )
    )
    start = struct.pack("<8sII", _MAGIC, FORMAT, len(text))
    head = start + _digest(start, _PREAMBLE_CHECKSUM_BYTES) + text + _digest(text, _CHECKSUM_BYTES)
    file.write(head + _padding(len(head)))
    for array in arrays.values():
        file.write(_bytes(array))
        file.write(_padding(array.nbytes))


def read_snapshot(path: Path, *, semantics: int) -> Snapshot:
    """Return the snapshot in ``path`` after checking every bit of it.

    Raises
    ------
    JournalTooNew
        Its format, or its semantics, are newer than this release (``semantics``).
    SnapshotCorrupted
        Anything about the file is not as it was written.
    """
    try:
        with path.open("rb") as file:
            header = _read_header(file, path)
            if header.semantics > semantics:
                message = (
                    f"{path.name} has semantics {header.semantics}; this release knows up to {semantics}"
                )
                raise JournalTooNew(message)
            arrays = _read_sections(file, header, path)
    except OSError as error:
        raise _corrupted(path, str(error)) from error
    return Snapshot(
        header=SnapshotHeader(**{name: getattr(header, name) for name in SnapshotHeader.__struct_fields__}),
        sections=arrays,
    )


def _read_header(file: BinaryIO, path: Path) -> _Header:
    start = file.read(_PREAMBLE.size)
    if len(start) < _PREAMBLE.size:
        raise _corrupted(path, "it is shorter than a preamble")
    magic, version, length, checksum = _PREAMBLE.unpack(start)
    if magic != _MAGIC or _digest(start[:-_PREAMBLE_CHECKSUM_BYTES], _PREAMBLE_CHECKSUM_BYTES) != checksum:
        raise _corrupted(path, "its preamble is damaged")
    if version > FORMAT:
        message = f"{path.name} has the format {version} of a newer release; this one reads up to {FORMAT}"
        raise JournalTooNew(message)
    if version < FORMAT:
        raise _corrupted(path, f"it has the format {version}, which is not read any more")
    text = file.read(length)
    written = file.read(_CHECKSUM_BYTES)
    padding = _padding(_PREAMBLE.size + length + _CHECKSUM_BYTES)
    if _digest(text, _CHECKSUM_BYTES) != written or file.read(len(padding)) != padding:
        raise _corrupted(path, "its header is damaged")
    return msgspec.json.decode(text, type=_Header)


def _read_sections(file: BinaryIO, header: _Header, path: Path) -> dict[str, Array]:
    arrays = {}
    paddings: list[bytes] = []
    for section in header.sections:
        count = int(np.prod(section.shape, dtype=np.int64))
        array = np.fromfile(file, _dtype(section.dtype), count)
        if len(array) < count:
            raise _corrupted(path, f"it ends within section {section.name}")
        arrays[section.name] = array.reshape(section.shape)
        paddings.append(file.read(len(_padding(array.nbytes))))
    if file.read(1):
        raise _corrupted(path, "it goes on after its last section")
    checksums = _checksums(arrays)
    for section, array, padding, checksum in zip(
        header.sections, arrays.values(), paddings, checksums, strict=True
    ):
        if checksum.hex() != section.checksum or padding != _padding(array.nbytes):
            raise _corrupted(path, f"section {section.name} is damaged")
    return arrays


def _bytes(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _checksums(arrays: Mapping[str, Array]) -> list[bytes]:
    if len(arrays) < _THREADS:
        return list(map(_checksum, arrays.values()))
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_checksum, arrays.values()))


def _checksum(array: Array) -> bytes:
    return _digest(_bytes(array), _CHECKSUM_BYTES)


def _digest(data: bytes | memoryview, size: int) -> bytes:
    return hashlib.blake2b(data, digest_size=size).digest()


def _padding(length: int) -> bytes:
    return bytes(-length % _ALIGNMENT)


def _described(name: str, dtype: np.dtype[Any]) -> str:
    if dtype.hasobject:
        message = f"section {name} holds Python objects, which a snapshot cannot"
        raise ProgrammingError(message)
    return repr(dtype_to_descr(dtype))


def _dtype(text: str) -> np.dtype[Any]:
    return descr_to_dtype(ast.literal_eval(text))


def _corrupted(path: Path, reason: str) -> SnapshotCorrupted:
    return SnapshotCorrupted(f"the snapshot {path.name} cannot be used: {reason}")
