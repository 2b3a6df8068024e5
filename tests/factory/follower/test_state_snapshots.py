"""Snapshots hold the whole state; what cannot be trusted is skipped, and said."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.factory.follower import Restored, StateSnapshots, new_state, state_snapshots
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalTooNew, SnapshotCorrupted
from tests.factory.engine.example_product import ESCROW_PRODUCT
from tests.factory.follower.house import House, open_house
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer

POSITIONS = 3


@pytest.fixture
def house(access: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house with three snapshots, of which the later ones have files of sealed ids."""
    with open_house(access, tmp_path, products=[ESCROW_PRODUCT]) as house:
        follower = house.follower()
        follower.open()
        for seed in range(POSITIONS):
            house.pay(60, seed=seed)
            follower.catch_up()
            follower.write_snapshot()
        yield house


def _ignore(_: SnapshotCorrupted) -> None:
    """Report to nobody."""


def _restore(house: House, **options: Any) -> tuple[Restored, list[str]]:
    reported: list[str] = []
    restored = new_state(
        house.folder / "restored",
        house.snapshots,
        house.products,
        house.reader(),
        report=lambda error: reported.append(str(error)),
        **options,
    )
    return restored, reported


def _snapshot_files(house: House) -> list[Path]:
    return sorted((house.folder / "snapshots").glob("*.snapshot"))


def _folders(house: House) -> list[Path]:
    return sorted((house.folder / "snapshots" / "files").iterdir())


def _sealed_file(house: House) -> Path:
    """Return a file of sealed ids of the last snapshot."""
    return next(_folders(house)[-1].glob("ids-*"))


def _row_file(house: House) -> Path:
    """Return the last snapshot's file of recent rows."""
    return max(_folders(house)[-1].glob("rows-*"))


def test_the_latest_snapshot_is_the_state(house: House) -> None:
    """The latest snapshot restores to the engine's state, with the files of sealed ids."""
    restored, reported = _restore(house)
    assert reported == []
    assert restored.state.state_hash == house.engine.state.state_hash
    assert [path.parent.name for path in restored.state.machine.sealed.files] == ["restored"]
    assert len(restored.entry_counts) == len(house.account_ids)


def test_without_snapshots_the_state_is_empty(house: House) -> None:
    """Before the first snapshot, and in a fresh folder, everything is folded from the first row."""
    first = house.snapshots.positions()[0]
    restored, reported = _restore(house, until=first - 1)
    assert (restored.state.position, len(restored.entry_counts), reported) == (0, 0, [])
    fresh = StateSnapshots(house.folder / "fresh")
    assert new_state(house.folder / "other", fresh, (), house.reader()).state.position == 0


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.unlink()
    path.write_bytes(content)


def _shorten(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-8])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda house: _flip(_snapshot_files(house)[-1]), "is damaged"),
        (lambda house: _shorten(_sealed_file(house)), "lacks its file"),
        (lambda house: _sealed_file(house).unlink(), "lacks its file"),
    ],
)
def test_a_damaged_snapshot_is_skipped(house: House, damage: Callable[[House], None], reason: str) -> None:
    """The one before is used, and the reason is reported."""
    damage(house)
    restored, reported = _restore(house)
    assert restored.state.position == house.snapshots.positions()[-2]
    assert len(reported) == 1
    assert reason in reported[0]


def test_damage_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Without anybody to report to, what was skipped stands in the log."""
    _flip(_snapshot_files(house)[-1])
    restored = new_state(house.folder / "restored", house.snapshots, house.products, house.reader())
    assert restored.state.position == house.snapshots.positions()[-2]
    assert "is damaged" in caplog.text


def test_a_snapshot_of_another_journal_is_skipped(house: House, postgres: PostgresServer) -> None:
    """A journal that was set back and went on otherwise is not mixed with snapshots of what never was."""
    last = house.snapshots.positions()[-1]
    latest = "last = (SELECT max(last) FROM journal.commits)"
    tamper(postgres, house.access, f"UPDATE journal.commits SET state_hash = 5 WHERE {latest}")  # noqa: S608 - text of ours.
    restored, reported = _restore(house)
    assert restored.state.position == house.snapshots.positions()[-2]
    assert reported == [f"the snapshot at position {last} is not of this journal"]


def test_a_snapshot_beyond_the_journal_is_not_used(house: House, postgres: PostgresServer) -> None:
    """A snapshot after the head of a restored database is none of its own."""
    tamper(postgres, house.access, "UPDATE journal.writer SET position = position - 1")
    restored, reported = _restore(house)
    assert restored.state.position == house.snapshots.positions()[-2]
    assert reported == []


def test_a_snapshot_that_lies_about_its_state(house: House) -> None:
    """A snapshot whose content does not give the hash that it names is not used."""
    snapshot = house.snapshots.read(house.snapshots.positions()[-1])
    snapshot.sections["ledger.scalars"]["rows_hash"] += np.uint64(1)
    folder = house.folder / "lie"
    folder.mkdir()
    state = new_state(folder, StateSnapshots(house.folder / "none"), house.products, house.reader()).state
    with pytest.raises(SnapshotCorrupted, match="does not hold the state it names"):
        house.snapshots.restore(snapshot, state, folder, reader=house.reader(), report=_ignore)


def test_a_newer_release_is_not_understood(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot of newer semantics stops the recovery: an older release must not go on with it."""
    monkeypatch.setattr(state_snapshots, "SEMANTICS", 0)
    with pytest.raises(JournalTooNew):
        _restore(house)


def test_reading_one_snapshot(house: House) -> None:
    """A certain snapshot is read, or is an error: damaged, or not there."""
    first, *_, last = house.snapshots.positions()
    assert house.snapshots.read(last).header.position == last
    _flip(_snapshot_files(house)[-1])
    with pytest.raises(SnapshotCorrupted, match="is damaged"):
        house.snapshots.read(last)
    for position in (first - 1, last - 1):
        with pytest.raises(SnapshotCorrupted, match="there is no snapshot"):
            house.snapshots.read(position)


def test_old_snapshots_take_their_files_with_them(house: House) -> None:
    """Only the files of the snapshots that are kept remain; the content of each is checked by request."""
    kept = [f"{position:019d}" for position in house.snapshots.positions()]
    assert [path.name for path in _folders(house)] == kept
    follower = house.follower()
    follower.open()
    house.pay(20, seed=50)
    follower.catch_up()
    follower.write_snapshot()
    assert [path.name for path in _folders(house)] == [f"{p:019d}" for p in house.snapshots.positions()]
    snapshot = house.snapshots.read(house.snapshots.positions()[-1])
    house.snapshots.check_sealed(snapshot)
    path = _sealed_file(house)
    _flip(path)
    with pytest.raises(SnapshotCorrupted, match=f"{path.name} of the snapshot .* is damaged"):
        house.snapshots.check_sealed(snapshot)
    path.unlink()
    with pytest.raises(SnapshotCorrupted, match="is damaged"):
        house.snapshots.check_sealed(snapshot)


def test_without_links_files_are_copied(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no links, a snapshot is as good, only larger."""

    def refuse(*_: Any) -> None:
        raise OSError(errno.EXDEV, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    restored, _ = _restore(house)
    assert restored.state.state_hash == house.engine.state.state_hash
    paths = restored.state.machine.sealed.files
    assert [path.stat().st_nlink for path in paths] == [1]
