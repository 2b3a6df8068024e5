"""Records that are opened from a note are those that were noted, compiled and not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pytest

from formicary.base import kernels
from formicary.base.kernels import kernel
from formicary.base.records import Note, Table, noted, opener, words_of


class First(NamedTuple):
    """Arrays of several types and dimensions."""

    words: npt.NDArray[np.int64]
    table: Table
    cube: Annotated[npt.NDArray[np.float64], 3]
    flags: npt.NDArray[np.bool_]


class Second(NamedTuple):
    """An integer and unsigned words."""

    number: int
    slots: npt.NDArray[np.uint64]


def records() -> tuple[First, Second]:
    """Return one of each."""
    first = First(
        np.arange(3),
        np.arange(6).reshape(2, 3),
        np.arange(8.0).reshape(2, 2, 2),
        np.array([False, True]),
    )
    return first, Second(7, np.array([2**64 - 1], np.uint64))


def test_a_kernel_opens_what_was_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads every field at its place, writes to the arrays themselves, and holds none of them."""
    monkeypatch.setattr(kernels, "_package_cache_folder", lambda: tmp_path / "kernels")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    open_first, open_second = opener(First), opener(Second)
    second_at = words_of(First)

    @kernel
    def look(note: Note) -> float:
        first = open_first(note, 0)
        second = open_second(note, second_at)
        first.words[1] = len(first.table) * 100 + first.table[1, 2]
        second.slots[0] += np.uint64(second.number)
        return float(first.cube[1, 0, 1]) + (10.0 if first.flags[1] and not first.flags[0] else 0.0)

    first, second = records()
    note = noted(first, second)
    assert len(note) == words_of(First, Second)
    assert look(note) == 15.0
    assert first.words.tolist() == [0, 205, 2]
    assert second.slots.tolist() == [6]


def test_plain_python_opens_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a debugger, the same arrays, those without elements included."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    first, second = records()
    empty = first._replace(table=np.zeros((0, 3), np.int64))
    note = noted(empty, second)
    opened = opener(First)(note, 0)
    assert opened.table.shape == (0, 3)
    assert (opened.cube == first.cube).all()
    assert opened.flags.tolist() == [False, True]
    opened.words[0] = 9
    assert first.words[0] == 9
    assert opener(Second)(note, words_of(First)).number == 7
