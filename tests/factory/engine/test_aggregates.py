"""A product's aggregates: found by id, hashed whatever their order."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from formicary.factory.engine.aggregates import Aggregates
from formicary.factory.engine.products import AGGREGATE_HEADER

DTYPE = np.dtype([*AGGREGATE_HEADER, ("count", "<i8")])
MANY = [(number << 64) | (number * 7) for number in range(1, 200)]


def counted(aggregates: Aggregates, subjects: list[int], count: int) -> None:
    """Add to the counts of some aggregates."""
    records = aggregates.take(subjects)
    records["count"] += count
    aggregates.put(subjects, records)


def test_a_new_aggregate_has_only_its_id() -> None:
    """What is taken for the first time is zero but for the id; nothing is kept before it is put."""
    aggregates = Aggregates(DTYPE)
    record = aggregates.take([2**127 + 3])[0]
    assert (int(record["id_high"]), int(record["id_low"]), int(record["count"])) == (2**63, 3, 0)
    assert aggregates.find(2**127 + 3) is None
    assert (len(aggregates), aggregates.hash) == (0, 0)


def test_what_is_found_is_a_copy() -> None:
    """A decider that writes into what it was given changes nothing."""
    aggregates = Aggregates(DTYPE)
    counted(aggregates, [1], 5)
    found: Any = aggregates.find(1)
    found["count"] = 9
    again: Any = aggregates.find(1)
    assert int(again["count"]) == 5


@pytest.mark.parametrize("seed", range(3))
def test_the_hash_does_not_know_the_order(seed: int) -> None:
    """However they came to be what they are, equal aggregates have equal hashes; a change shows."""
    plain, shuffled = Aggregates(DTYPE), Aggregates(DTYPE)
    counted(plain, MANY, 3)
    order = MANY.copy()
    Random(seed).shuffle(order)
    for subject in order:
        counted(shuffled, [subject], 1)
        counted(shuffled, [subject], 2)
    assert plain.hash == shuffled.hash
    counted(shuffled, order[:1], 1)
    assert plain.hash != shuffled.hash


def test_a_field_that_came_later_counts_where_it_says_something() -> None:
    """Without a value the hash is that of the records before it, and their snapshots are read."""
    later = np.dtype([*DTYPE.descr, ("more", "<u4")])
    aggregates, before = Aggregates(later, first_bytes=DTYPE.itemsize), Aggregates(DTYPE)
    counted(aggregates, MANY, 3)
    counted(before, MANY, 3)
    assert aggregates.hash == before.hash
    restored = Aggregates(later, first_bytes=DTYPE.itemsize)
    restored.restore(before.records.copy())
    assert restored.records.tobytes() == aggregates.records.tobytes()
    hashes = {before.hash}
    for more in (1, 256, 257):
        records = aggregates.take(MANY[:1])
        records["more"] = more
        aggregates.put(MANY[:1], records)
        hashes.add(aggregates.hash)
    assert len(hashes) == 4


def test_a_snapshot_restores_them() -> None:
    """The records alone bring back every aggregate, its order and the hash."""
    aggregates, restored = Aggregates(DTYPE), Aggregates(DTYPE)
    counted(aggregates, MANY, 3)
    restored.restore(aggregates.records.copy())
    assert restored.records.tobytes() == aggregates.records.tobytes()
    assert restored.hash == aggregates.hash
    assert len(restored) == len(MANY)
