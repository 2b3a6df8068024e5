"""Walking memory finds exactly the entries that are there."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from formicary.factory.history._walk import WANTED, walk_memory
from formicary.factory.journal.rows import TRANSFER_ROW


@pytest.mark.parametrize("seed", range(5))
def test_gaps_between_positions(seed: int) -> None:
    """Rows are found however many positions between them hold something else, in either generation."""
    random = Random(seed)
    positions = np.cumsum([random.choice((1, 1, 1, 2, 9, 200)) for _ in range(400)])
    rows = np.zeros(400, TRANSFER_ROW)
    rows["position"], rows["debit_account_id_low"], rows["timestamp"] = positions, 1, 5
    rows["previous_debit"][1:] = positions[:-1]
    wanted = np.zeros((), WANTED)
    wanted["account_low"], wanted["debits"] = 1, 1
    found = np.empty(1_000, TRANSFER_ROW)
    for cut in (0, 150, 399):
        count, cursor, passed = walk_memory(
            rows[:cut], rows[cut:], wanted[()], int(positions[-1]), 0, 1_000, found
        )
        assert (count, cursor, passed) == (400, 0, 400)
        assert found[:count]["position"].tolist() == positions[::-1].tolist()


@pytest.mark.parametrize(("position", "first"), [(7, 5), (9, 5), (20, 5), (7, 1), (4, 1)])
def test_a_position_that_is_not_in_memory(position: int, first: int) -> None:
    """A position that no row has, before, between or after those in memory, is left to the journal."""
    rows = np.zeros(2, TRANSFER_ROW)
    rows["position"] = [5, 8]
    older, recent = (rows[:0], rows) if first == 5 else (rows, rows[:0])
    wanted, found = np.zeros((), WANTED), np.empty(5, TRANSFER_ROW)
    assert walk_memory(older, recent, wanted[()], position, 0, 10, found) == (0, position, 0)


def test_a_walk_stops_where_it_must() -> None:
    """A walk ends at its floor, when it passed enough entries, and when it found enough."""
    rows = np.zeros(10, TRANSFER_ROW)
    rows["position"], rows["debit_account_id_low"] = np.arange(1, 11), 1
    rows["previous_debit"] = np.arange(10)
    wanted = np.zeros((), WANTED)
    wanted["account_low"], wanted["debits"] = 1, 1
    for floor, steps, room, expected in (
        (4, 99, 99, (6, 0, 6)),
        (0, 3, 99, (3, 7, 3)),
        (0, 99, 2, (2, 8, 2)),
    ):
        found = np.empty(room, TRANSFER_ROW)
        assert walk_memory(rows[:0], rows, wanted[()], 10, floor, steps, found) == expected
