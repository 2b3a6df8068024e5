"""Many loans at once are each what it is alone, wherever the batch is cut."""

from __future__ import annotations

import numpy as np

from benchmarks.schedules import batch, value_block
from formicary.products.lending.schedules import check_loans, valued_rows

COUNT = 300


def test_a_batch_is_its_loans_one_by_one() -> None:
    """The benchmark's mixed loans: no loan knows of another."""
    loans, movements, starts = batch(7, COUNT)
    check_loans(loans, movements, starts)
    rows = valued_rows(loans, movements, starts)
    for place in range(COUNT):
        part = movements[starts[place] : starts[place + 1]]
        alone = valued_rows(loans[place : place + 1], part, np.array([0, len(part)]))
        assert alone.of(0).tolist() == rows.of(place).tolist()
        assert rows.of(place)["balance"][-1] == 0
    assert value_block((loans, movements, starts)) == (
        sum(len(rows.of(place)) for place in range(COUNT)),
        sum(int(rows.of(place)["interest"].sum()) for place in range(COUNT)),
    )


def test_a_batch_may_be_cut_anywhere() -> None:
    """Two halves have the rows of the whole."""
    loans, movements, starts = batch(8, COUNT)
    whole = valued_rows(loans, movements, starts)
    cut, edge = 113, starts[113]
    first = valued_rows(loans[:cut], movements[:edge], starts[: cut + 1])
    second = valued_rows(loans[cut:], movements[edge:], starts[cut:] - edge)
    assert np.array_equal(np.concatenate([first.records, second.records]), whole.records)
    assert np.array_equal(np.concatenate([first.counts, second.counts]), whole.counts)
