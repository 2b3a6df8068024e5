"""Files of rows: written once, summed up in parts, and every damage to what is named is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from formicary.factory.follower.row_files import RowFile, append_rows, described, read_rows
from formicary.factory.journal.errors import SnapshotCorrupted
from formicary.factory.journal.rows import TRANSFER_ROW

Rows = npt.NDArray[Any]

CHUNK = 1 << 13


def _rows(count: int, *, seed: int = 1) -> Rows:
    drawn = np.random.default_rng(seed).integers(0, 256, count * TRANSFER_ROW.itemsize, np.uint8)
    rows = drawn.view(TRANSFER_ROW)
    rows["position"] = np.arange(7, 7 + count)
    return rows


@pytest.mark.parametrize("count", [1, 5, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_what_is_appended_is_read(tmp_path: Path, count: int) -> None:
    """Rows that came in two pieces are those that were written, with room behind them."""
    rows = _rows(count)
    half = count // 2
    append_rows(tmp_path / "rows", rows[:half])
    append_rows(tmp_path / "rows", rows[half:])
    file = described(rows)
    assert (file.first, file.last, file.count, file.name) == (7, 6 + count, count, f"rows-{7:019d}")
    assert file.size == (tmp_path / "rows").stat().st_size
    (found,) = read_rows([tmp_path / "rows"], [file], room=CHUNK)
    assert len(found) == max(CHUNK, count + 1)
    assert found[:count].tobytes() == rows.tobytes()
    assert not found[count:]["position"].any()


@pytest.mark.parametrize("known", [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK, 2 * CHUNK + 5])
def test_only_what_is_new_is_summed_up(known: int) -> None:
    """However much of a file was described before, the description is the same."""
    rows = _rows(2 * CHUNK + 5)
    assert described(rows, described(rows[:known])) == described(rows)


def test_no_rows_are_no_file(tmp_path: Path) -> None:
    """An empty generation is described, and read without a file."""
    assert described(_rows(0)) == RowFile()
    (found,) = read_rows([tmp_path / "none"], [RowFile()], room=10)
    assert len(found) == 10


def test_what_stands_behind_is_not_read(tmp_path: Path) -> None:
    """Rows that were appended after a file was described, or half a row, are no damage."""
    rows = _rows(CHUNK + 9)
    append_rows(tmp_path / "rows", rows)
    with (tmp_path / "rows").open("ab") as file:
        file.write(b"half a row")
    for count in (5, CHUNK, CHUNK + 1):
        (found,) = read_rows([tmp_path / "rows"], [described(rows[:count])], room=0)
        assert found[:count].tobytes() == rows[:count].tobytes()


@pytest.mark.parametrize("place", [0, 216 * CHUNK - 1, 216 * CHUNK, 216 * (CHUNK + 8)])
def test_damage_is_seen(tmp_path: Path, place: int) -> None:
    """A flipped bit, a missing end and a missing file are damage."""
    path, rows = tmp_path / "rows", _rows(CHUNK + 9)
    append_rows(path, rows)
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)
    with pytest.raises(SnapshotCorrupted, match=f"damaged or ends in its part {1 + place // (216 * CHUNK)}"):
        read_rows([path], [described(rows)], room=0)
    content[place] ^= 16
    path.write_bytes(content[: place + 1])
    with pytest.raises(SnapshotCorrupted, match="damaged or ends"):
        read_rows([path], [described(rows)], room=0)
    path.unlink()
    with pytest.raises(SnapshotCorrupted, match="cannot be read"):
        read_rows([path], [described(rows)], room=0)
