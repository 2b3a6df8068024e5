"""Snapshots share files of rows: each row is written once, and no snapshot depends on a later one's luck."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from formicary.base.limits import TIMERS_PER_STEP_MAX
from formicary.factory.follower import Follower, Pace, Restored, new_state
from formicary.factory.journal.access import Access
from formicary.factory.journal.snapshots import Snapshots
from tests.factory.engine.example_product import ESCROW_PRODUCT
from tests.factory.follower.house import House, open_house
from tests.factory.follower.tamper import tamper
from tests.fixtures_postgres import PostgresServer

# Above the room that is always kept free: rows of several snapshots stay in one generation.
GENERATION_ROWS = TIMERS_PER_STEP_MAX + 10_000


@pytest.fixture
def house(access: Access, tmp_path: Path) -> Iterator[House]:
    """Give an empty house."""
    with open_house(access, tmp_path, products=[ESCROW_PRODUCT]) as house:
        yield house


def _follower(house: House, *, name: str = "follower", generation_rows: int = GENERATION_ROWS) -> Follower:
    follower = house.follower(name=name, generation_rows=generation_rows)
    follower.open()
    return follower


def _snapshot(house: House, follower: Follower, *, seed: int) -> None:
    house.pay(40, seed=seed)
    follower.catch_up()
    follower.write_snapshot()


def _row_files(house: House) -> list[Path]:
    """Return the file of recent rows of every snapshot, in the order of their positions."""
    folders = sorted((house.folder / "snapshots" / "files").iterdir())
    return [max(folder.glob("rows-*")) for folder in folders]


def _inodes(house: House) -> list[int]:
    return [path.stat().st_ino for path in _row_files(house)]


def _restore(house: House, until: int | None = None) -> tuple[Restored, list[str]]:
    reported: list[str] = []
    restored = new_state(
        house.folder / "restored",
        house.snapshots,
        house.products,
        house.reader(),
        until=until,
        report=lambda error: reported.append(str(error)),
    )
    return restored, reported


def test_every_row_is_written_once(house: House) -> None:
    """The next snapshot adds its rows to the file of the last one, before and after a restart."""
    follower = _follower(house)
    _snapshot(house, follower, seed=1)
    _snapshot(house, follower, seed=2)
    follower = _follower(house, name="again")
    _snapshot(house, follower, seed=3)
    assert len(set(_inodes(house))) == 1
    assert _row_files(house)[0].stat().st_size == len(house.ledger.rows) * 216
    for position in house.snapshots.positions():
        restored, reported = _restore(house, until=position)
        assert (restored.state.position, reported) == (position, [])
    assert restored.state.state_hash == house.engine.state.state_hash


def test_the_same_snapshot_twice(house: House) -> None:
    """A snapshot that is written again at its position is whole."""
    follower = _follower(house)
    _snapshot(house, follower, seed=1)
    follower.write_snapshot()
    restored, reported = _restore(house)
    assert (restored.state.state_hash, reported) == (house.engine.state.state_hash, [])


def test_pruned_snapshots_leave_what_others_need(house: House) -> None:
    """Files go with the last snapshot that has them, also when generations change."""
    follower = _follower(house, generation_rows=100)
    for seed in range(6):
        _snapshot(house, follower, seed=seed)
    folders = sorted((house.folder / "snapshots" / "files").iterdir())
    positions = house.snapshots.positions()
    assert [int(folder.name) for folder in folders] == list(positions)
    for position in positions:
        house.snapshots.read(position)


def test_what_was_half_written_is_left_alone(house: House) -> None:
    """Where a writer died over a file, the next one begins a new file and the old snapshot stays sound."""
    follower = _follower(house)
    _snapshot(house, follower, seed=1)
    with _row_files(house)[0].open("ab") as file:
        file.write(bytes(1_000))
    again = _follower(house, name="again")
    _snapshot(house, again, seed=2)
    first, second = _inodes(house)
    assert first != second
    for position in house.snapshots.positions():
        assert _restore(house, until=position)[1] == []


def test_going_on_from_an_older_snapshot(house: House) -> None:
    """Who begins at an older snapshot does not write over what a later one has."""
    follower = _follower(house)
    _snapshot(house, follower, seed=1)
    _snapshot(house, follower, seed=2)
    contents = [path.read_bytes() for path in _row_files(house)]
    last = house.snapshots.positions()[-1]
    other = house.follower(name="other", generation_rows=GENERATION_ROWS)
    other._index.position = lambda: last - 1  # type: ignore[method-assign]
    assert other.open() == house.snapshots.positions()[0]
    _snapshot(house, other, seed=3)
    assert [path.read_bytes() for path in _row_files(house)][:2] == contents
    assert len(set(_inodes(house))) == 2
    assert _restore(house)[0].state.state_hash == house.engine.state.state_hash


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: list[Callable[[Path], None]] = [_flip, _shorten, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_journal_gives_damaged_rows_again(house: House, damage: Callable[[Path], None]) -> None:
    """A damaged, shortened or missing file of rows is reported; the next snapshot is whole again."""
    follower = _follower(house)
    _snapshot(house, follower, seed=1)
    _snapshot(house, follower, seed=2)
    damage(_row_files(house)[-1])
    restored, reported = _restore(house)
    assert restored.state.position == house.snapshots.positions()[-1]
    assert restored.state.state_hash == house.engine.state.state_hash
    assert len(reported) == 1
    assert "rows-" in reported[0]
    _snapshot(house, _follower(house, name="again"), seed=3)
    assert _restore(house)[1] == []


_CHANGE = """
    UPDATE journal.transfers SET rare = decode(repeat('00', 32) || repeat('01', 8) || repeat('00', 8), 'hex')
    WHERE position = (SELECT max(position) FROM journal.transfers)
"""
_REMOVE = "DELETE FROM journal.transfers WHERE position = (SELECT max(position) FROM journal.transfers)"
_DROP = "DROP TABLE journal.transfers_0; DELETE FROM journal.commits WHERE first = 1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_CHANGE, "are not those that"),
        (_REMOVE, "cannot give the rows"),
        (_DROP, "cannot give the rows"),
    ],
)
def test_rows_that_nobody_has(house: House, postgres: PostgresServer, change: str, reason: str) -> None:
    """Where the journal cannot give the snapshot's rows either, it is not used."""
    _snapshot(house, _follower(house), seed=1)
    _flip(_row_files(house)[-1])
    tamper(postgres, house.access, *change.split(";"))
    restored, reported = _restore(house)
    assert restored.state.position == 0
    assert reason in reported[-1]


def test_a_snapshot_is_of_when_it_was_begun(house: House) -> None:
    """What is folded while a snapshot is written is not in it, and what goes wrong with it is raised."""
    follower = _follower(house)
    house.pay(40, seed=1)
    follower.catch_up()
    state = follower.state
    finish = house.snapshots.begin(Restored(state, np.zeros(5, np.uint8), follower._running().commit_first))
    position, state_hash = state.position, state.state_hash
    house.pay(40, seed=2)
    follower.catch_up()
    finish()
    restored, reported = _restore(house)
    assert (restored.state.position, restored.state.state_hash, reported) == (position, state_hash, [])
    files = house.folder / "snapshots" / "files"
    shutil.rmtree(files)
    files.write_text("no folder")
    with pytest.raises(OSError, match="files"):
        follower.write_snapshot()


def test_what_goes_wrong_beside_the_fold_is_raised(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot that cannot be written ends the call in which it was due."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr(Snapshots, "write", refuse)
    follower = house.follower(pace=Pace(snapshot_rows=1))
    follower.open()
    house.pay(40, seed=1)
    with pytest.raises(OSError, match="the disk is full"):
        follower.catch_up()
    monkeypatch.undo()
    house.pay(40, seed=2)
    follower.catch_up()
    assert _restore(house)[0].state.state_hash == house.engine.state.state_hash


def test_without_any_transfer(house: House) -> None:
    """A state without rows in memory needs no file of rows."""
    house.work(1, groups=0)
    follower = _follower(house)
    follower.catch_up()
    follower.write_snapshot()
    (folder,) = (house.folder / "snapshots" / "files").iterdir()
    assert list(folder.iterdir()) == []
    assert _restore(house)[0].state.state_hash == house.engine.state.state_hash
    folder.rmdir()
    assert _restore(house)[1] == []
