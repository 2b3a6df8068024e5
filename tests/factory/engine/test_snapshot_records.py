"""Aggregates of a snapshot that another release wrote: what came later is zero, what changed is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.factory.engine.aggregates import Aggregates
from formicary.factory.engine.columnar import ColumnarAggregates
from formicary.factory.engine.products import AGGREGATE_HEADER
from formicary.factory.engine.snapshot_records import brought
from formicary.factory.journal.errors import SnapshotCorrupted

DTYPE = np.dtype([*AGGREGATE_HEADER, ("more", "<u4"), ("count", "<i8"), ("settings", "<i8", (3,))])


def records(dtype: np.dtype[Any]) -> Any:
    """Return two records, of ids 1 and 2, with ones wherever else."""
    made = np.ones(2, dtype)
    made["id_high"], made["id_low"] = 0, [1, 2]
    return made


def test_what_came_later_is_zero() -> None:
    """And there is as much room as asked for."""
    earlier = np.dtype([*AGGREGATE_HEADER, ("more", "<u4"), ("count", "<i8")])
    own = brought(records(earlier), DTYPE, room=5)
    assert own.dtype == DTYPE
    assert own["count"].tolist() == [1, 1, 0, 0, 0]
    assert not own["settings"].any()
    assert len(brought(records(earlier), DTYPE, room=0)) == 2


@pytest.mark.parametrize("home", [Aggregates, ColumnarAggregates])
@pytest.mark.parametrize(
    "field",
    [("settings", "<i8", (2,)), ("settings", "<i4", (3,)), ("gone", "<i8", (3,))],
    ids=["shape", "type", "gone"],
)
def test_what_changed_is_refused(home: Any, field: Any) -> None:
    """Nothing of it is taken over: whoever asked goes on with the journal."""
    other = np.dtype([*AGGREGATE_HEADER, ("more", "<u4"), ("count", "<i8"), field])
    with pytest.raises(SnapshotCorrupted, match=field[0]):
        home(DTYPE).restore(records(other))
