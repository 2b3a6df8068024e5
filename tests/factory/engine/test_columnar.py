"""Aggregates as columns: the same as a dictionary of records, whatever order and however many at once."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from formicary.factory.engine import _column_kernels
from formicary.factory.engine.aggregates import Aggregates
from formicary.factory.engine.columnar import ColumnarAggregates, ids_of, load_kernels
from formicary.factory.engine.products import AGGREGATE_HEADER

DTYPE = np.dtype([*AGGREGATE_HEADER, ("more", "<u4"), ("count", "<i8")])
MANY = [(number << 64) | (number * 7) for number in range(1, 200)]
WORD = 2**64 - 1

Either = Aggregates | ColumnarAggregates


def counted(aggregates: Either, subjects: list[int], count: int) -> None:
    """Add to the counts of some aggregates."""
    records = aggregates.take(subjects)
    records["count"] += count
    aggregates.put(subjects, records)


def hash_of(record: Any, first_words: int) -> int:
    """Return the hash of a record, in plain Python."""
    words = np.frombuffer(record.tobytes(), "<u8").tolist()
    while len(words) > first_words and not words[-1]:
        words.pop()
    value = 0xA24BAED4963EE407
    for word in words:
        value = ((value ^ word) * 0xD6E8FEB86659FD93) & WORD
        value ^= value >> 32
    value = (value * 0x9E3779B97F4A7C15) & WORD
    return value ^ (value >> 32)


def sum_of_hashes(aggregates: Either, first_words: int = DTYPE.itemsize // 8) -> int:
    """Return what the hash of all must be."""
    return sum(hash_of(record, first_words) for record in aggregates.records) & WORD


def ids(subjects: list[int]) -> Any:
    """Return ids as they come out of an event, which cannot be written to."""
    return np.frombuffer(ids_of(subjects).tobytes(), np.uint64).reshape(-1, 2)


@pytest.mark.parametrize("seed", range(4))
def test_they_do_what_a_dictionary_does(seed: int) -> None:
    """Taken, changed and put one by one or many at once, they are what plain aggregates are, in order."""
    random = Random(seed)
    columns, plain = ColumnarAggregates(DTYPE), Aggregates(DTYPE)
    # Ids that share a word, and some that begin at the same place of a small table.
    subjects = [(random.randrange(3) << 64) | random.randrange(400) for _ in range(300)]
    for _ in range(120):
        some = sorted(set(random.choices(subjects, k=random.choice((1, 1, 3, 40)))), key=str)
        random.shuffle(some)
        for aggregates in (columns, plain):
            counted(aggregates, some, len(some))
        assert columns.hash == sum_of_hashes(columns)
    assert columns.records.tobytes() == plain.records.tobytes()
    assert len(columns) == len(plain)
    for subject in subjects:
        one, other = columns.find(subject), plain.find(subject)
        assert (one is None) == (other is None)
        assert one is None or other is None or one.tobytes() == other.tobytes()


def test_what_is_found_and_taken_is_a_copy() -> None:
    """Nothing changes before it is put; what is new has its id and nothing else."""
    aggregates = ColumnarAggregates(DTYPE)
    (record,) = aggregates.take([2**127 + 3])
    assert (int(record["id_high"]), int(record["id_low"]), int(record["count"])) == (2**63, 3, 0)
    assert aggregates.find(2**127 + 3) is None
    assert (len(aggregates), aggregates.hash) == (0, 0)
    counted(aggregates, [1], 5)
    found: Any = aggregates.find(1)
    found["count"] = 9
    again: Any = aggregates.find(1)
    assert int(again["count"]) == 5


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1_000])
def test_many_are_created_at_once(count: int) -> None:
    """They come after those that are there, with their ids, their time and one event."""
    aggregates = ColumnarAggregates(DTYPE)
    counted(aggregates, MANY[:3], 1)
    fresh = [(5 << 64) | number for number in range(count)]
    assert aggregates.are_new(ids(fresh))
    aggregates.create(ids(fresh), timestamp=77)
    assert len(aggregates) == 3 + count
    created = aggregates.records[3:]
    assert [(int(high) << 64) | int(low) for high, low in created[["id_high", "id_low"]].tolist()] == fresh
    assert set(created["timestamp"].tolist()) | set(created["events"].tolist()) <= {77, 1}
    assert aggregates.hash == sum_of_hashes(aggregates)
    assert all(aggregates.find(subject) is not None for subject in [*MANY[:3], *fresh])
    assert not aggregates.are_new(ids(MANY[2:4]))


@pytest.mark.parametrize("doubled", [[7, 8, 7], [2**64, 0, 2**64]])
def test_ids_are_new_once(doubled: list[int]) -> None:
    """The same id twice is not new, even where no aggregate has it."""
    aggregates = ColumnarAggregates(DTYPE)
    assert aggregates.are_new(ids(doubled[:2]))
    assert not aggregates.are_new(ids(doubled))


@pytest.mark.parametrize(("first", "after"), [(0, 199), (0, 0), (5, 6), (198, 199), (10, 90)])
def test_a_sweep_changes_what_it_is_given(first: int, after: int) -> None:
    """Records are changed in place, no others, and the hash is as if they had been changed one by one."""
    swept, one_by_one = ColumnarAggregates(DTYPE), ColumnarAggregates(DTYPE)
    for aggregates in (swept, one_by_one):
        counted(aggregates, MANY, 3)

    def add(records: Any) -> None:
        records["count"] += 4

    swept.sweep(first, after, add)
    counted(one_by_one, MANY[first:after], 4)
    assert swept.records.tobytes() == one_by_one.records.tobytes()
    assert swept.hash == one_by_one.hash


def test_a_field_that_came_later_counts_where_it_says_something() -> None:
    """Without a value the hash is that of the records before it, and their snapshots are read."""
    later = np.dtype([*DTYPE.descr, ("late", "<i8"), ("later", "<i8")])
    aggregates, before = ColumnarAggregates(later, first_bytes=DTYPE.itemsize), ColumnarAggregates(DTYPE)
    counted(aggregates, MANY, 3)
    counted(before, MANY, 3)
    assert aggregates.hash == before.hash
    restored = ColumnarAggregates(later, first_bytes=DTYPE.itemsize)
    restored.restore(before.records.copy())
    assert restored.records.tobytes() == aggregates.records.tobytes()
    assert restored.hash == aggregates.hash
    hashes = {before.hash}
    for field in ("late", "later"):
        records = aggregates.take(MANY[:1])
        records[field] = 1
        aggregates.put(MANY[:1], records)
        hashes.add(aggregates.hash)
        assert aggregates.hash == sum_of_hashes(aggregates, DTYPE.itemsize // 8)
    assert len(hashes) == 3


@pytest.mark.parametrize("count", [0, 5, 64, 199])
def test_a_snapshot_restores_them(count: int) -> None:
    """The records alone bring back every aggregate, its order and the hash; then they go on."""
    aggregates, restored = ColumnarAggregates(DTYPE), ColumnarAggregates(DTYPE)
    counted(aggregates, MANY[:count], 3)
    restored.restore(aggregates.records.copy())
    for each in (aggregates, restored):
        counted(each, MANY, 1)
    assert restored.records.tobytes() == aggregates.records.tobytes()
    assert restored.hash == aggregates.hash
    assert len(restored) == len(MANY)


def test_kernels_are_loaded() -> None:
    """Nobody waits for them later."""
    load_kernels()
    entries = {name: one for name, one in vars(_column_kernels).items() if name.endswith("_records")}
    assert len(entries) == 7
    # What is not compiled at all, as where numba is switched off, has no signatures to lack.
    assert [name for name, one in entries.items() if getattr(one, "signatures", None) == []] == []
