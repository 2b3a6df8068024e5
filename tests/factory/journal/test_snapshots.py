"""Snapshots: whole, checked to the last bit, newest first."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.journal import snapshot_file
from formicary.factory.journal.errors import JournalTooNew, SnapshotCorrupted
from formicary.factory.journal.rows import ACCOUNT_ROW
from formicary.factory.journal.snapshot_file import Snapshot, SnapshotHeader, read_snapshot
from formicary.factory.journal.snapshots import Snapshots
from tests.factory.journal.kit import accounts

SECTIONS = {
    "accounts": accounts(1, 3),
    "slots": np.arange(10, dtype=np.uint32).reshape(2, 5),
    "scalar": np.array(7),
    "nothing": np.zeros(0, ACCOUNT_ROW),
    "every second": np.arange(6)[::2],
}


def header(position: int, *, semantics: int = 1) -> SnapshotHeader:
    """Return the header of a snapshot at ``position``."""
    return SnapshotHeader(
        semantics=semantics, position=position, timestamp=position + 1_000, state_hash=2**64 - position
    )


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    """Give a folder that keeps two."""
    return Snapshots(tmp_path / "snapshots", kept=2)


def test_what_is_written_is_read(snapshots: Snapshots) -> None:
    """Header and arrays come back, with their types and shapes, and can be written to."""
    assert snapshots.latest(semantics=1) is None
    snapshots.write(header(5), SECTIONS)
    found = snapshots.latest(semantics=1)
    assert isinstance(found, Snapshot)
    assert found.header == header(5)
    assert list(found.sections) == list(SECTIONS)
    for name, array in SECTIONS.items():
        assert found.sections[name].dtype == array.dtype
        assert np.array_equal(found.sections[name], array)
        assert found.sections[name].flags.writeable


def test_the_last_few_are_kept(snapshots: Snapshots, tmp_path: Path) -> None:
    """Older ones go, and so does what a dead process left half written."""
    for position in (5, 100, 20):
        (tmp_path / "snapshots").mkdir(exist_ok=True)
        (tmp_path / "snapshots" / "77.partial").touch()
        snapshots.write(header(position), {})
    assert snapshots.positions() == (20, 100)
    assert len(list((tmp_path / "snapshots").iterdir())) == 2
    found = snapshots.latest(semantics=1, until=99)
    assert found is not None
    assert found.header.position == 20


def test_damaged_bits_are_found(snapshots: Snapshots, tmp_path: Path) -> None:
    """Bits in every byte of a file are under a checksum, and so is its length."""
    path = snapshots.write(header(5), {"words": np.arange(3, dtype=np.uint8)})
    sound = path.read_bytes()
    damaged = tmp_path / "damaged.snapshot"
    for place in range(0, 8 * len(sound), 7):
        data = bytearray(sound)
        data[place // 8] ^= 1 << place % 8
        damaged.write_bytes(data)
        with pytest.raises(SnapshotCorrupted):
            read_snapshot(damaged, semantics=1)
    for length in (0, 10, 40, len(sound) - 64, len(sound) - 1):
        damaged.write_bytes(sound[:length])
        with pytest.raises(SnapshotCorrupted):
            read_snapshot(damaged, semantics=1)
    damaged.write_bytes(sound + b"\0")
    with pytest.raises(SnapshotCorrupted, match="goes on"):
        read_snapshot(damaged, semantics=1)


def test_a_damaged_one_is_reported_and_skipped(
    snapshots: Snapshots, caplog: pytest.LogCaptureFixture
) -> None:
    """The next older one is used; without one there is none."""
    snapshots.write(header(5), SECTIONS)
    newest = snapshots.write(header(6), SECTIONS)
    newest.write_bytes(newest.read_bytes()[:-1])
    reported: list[SnapshotCorrupted] = []
    found = snapshots.latest(semantics=1, report=reported.append)
    assert found is not None
    assert found.header.position == 5
    assert [newest.name in str(error) for error in reported] == [True]
    with caplog.at_level(logging.ERROR):
        assert snapshots.latest(semantics=1) is not None
    assert newest.name in caplog.text


def test_an_older_form_is_skipped(snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot of a form that is not read any more is no snapshot."""
    reported: list[SnapshotCorrupted] = []
    monkeypatch.setattr(snapshot_file, "FORMAT", 1)
    snapshots.write(header(6), {})
    monkeypatch.undo()
    assert snapshots.latest(semantics=1, report=reported.append) is None
    assert "the format 1, which is not read any more" in str(reported[0])


def test_one_of_a_newer_release_is_refused(snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer format is told from a damaged file; newer semantics are not loaded either."""
    snapshots.write(header(5, semantics=2), {})
    with pytest.raises(JournalTooNew, match="semantics 2"):
        snapshots.latest(semantics=1)
    monkeypatch.setattr(snapshot_file, "FORMAT", 3)
    snapshots.write(header(6), {})
    monkeypatch.undo()
    with pytest.raises(JournalTooNew, match="format 3"):
        snapshots.latest(semantics=1)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """What is no file is no snapshot."""
    with pytest.raises(SnapshotCorrupted, match="cannot be used"):
        read_snapshot(tmp_path, semantics=1)


def test_python_objects_are_refused(snapshots: Snapshots) -> None:
    """A snapshot holds numbers."""
    with pytest.raises(ProgrammingError, match="section bad"):
        snapshots.write(header(1), {"bad": np.array([object()])})


def test_one_alone_is_not_enough(tmp_path: Path) -> None:
    """The newest may be damaged."""
    with pytest.raises(ProgrammingError, match="two snapshots"):
        Snapshots(tmp_path, kept=1)


def test_headers_are_plain_json(snapshots: Snapshots) -> None:
    """A person can read what a snapshot is of."""
    path = snapshots.write(header(5), {"words": np.arange(3, dtype=np.uint8)})
    text = path.read_bytes()[32:]
    assert msgspec.json.decode(text[: text.index(b"]}") + 2])["position"] == 5
