"""A batch holds its positions exactly once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.journal.batch import Batch, first_gap
from formicary.factory.journal.errors import BatchRejected
from formicary.factory.journal.parts import parts_of
from tests.factory.journal.kit import NO_ACCOUNTS, NO_TRANSFERS, accounts, batch, decisions, event, transfers


def made(first: int, last: int, **parts: object) -> Batch:
    """Return a batch whose limits are given, not computed."""
    values = {"accounts": NO_ACCOUNTS, "transfers": NO_TRANSFERS, "events": (), **parts}
    return Batch(first=first, last=last, requests=1, state_hash=0, **values)  # type: ignore[arg-type]


def test_a_sound_batch_has_a_length() -> None:
    """The four parts may be mixed in any way."""
    parts = {"accounts": accounts(6, 1), "transfers": transfers(8, 2), "events": (event(5),)}
    assert len(made(5, 9, **parts, decisions=decisions(7, 1))) == 5


@pytest.mark.parametrize(
    ("first", "last", "position"),
    [(5, 7, 7), (4, 6, 4), (6, 6, 6)],
    ids=["too few", "begins later", "too many"],
)
def test_limits_that_do_not_fit(first: int, last: int, position: int) -> None:
    """The first position that is wrong is named."""
    with pytest.raises(BatchRejected, match=f"position {position} exactly once"):
        made(first, last, transfers=transfers(5, 2))


def test_a_doubled_position() -> None:
    """Two parts may not claim the same position."""
    with pytest.raises(BatchRejected, match="position 6 exactly once"):
        made(5, 7, transfers=transfers(5, 2), accounts=accounts(5, 1))


def test_transfers_out_of_order() -> None:
    """Rows come in the order of their positions."""
    with pytest.raises(BatchRejected, match="position 5"):
        made(5, 6, transfers=transfers(5, 2)[::-1])


@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 2)])
def test_a_batch_is_not_empty(first: int, last: int) -> None:
    """There is no commit without a row, and no position below one."""
    with pytest.raises(BatchRejected, match="at least one position"):
        made(first, last)


def test_other_arrays_are_refused() -> None:
    """The rows have exactly the journal's layout."""
    with pytest.raises(BatchRejected, match="ACCOUNT_ROW"):
        made(1, 1, transfers=np.zeros(1, "<i8"))
    with pytest.raises(BatchRejected, match="ACCOUNT_ROW"):
        made(1, 1, accounts=transfers(1, 1))


@given(st.lists(st.integers(1, 9), max_size=9).map(sorted), st.integers(1, 5), st.integers(1, 9))
def test_first_gap_names_the_first_wrong_place(positions: list[int], first: int, last: int) -> None:
    """It is zero exactly when all positions are there once."""
    gap = first_gap(np.array(positions, np.int64), first=first, last=last)
    expected = list(range(first, last + 1))
    assert (gap == 0) == (positions == expected)
    if gap:
        assert positions[: gap - first] == expected[: gap - first]


@pytest.mark.parametrize("segment_positions", [1, 3, 7, 100])
def test_parts_hold_everything_once(segment_positions: int) -> None:
    """Cutting loses nothing, and no part is empty or lies in two segments."""
    events = [event(19), event(20)]
    whole = batch(
        accounts=accounts(4, 5), transfers=transfers(9, 10), events=events, decisions=decisions(21, 5)
    )
    parts = parts_of(whole, segment_positions)
    positions: list[int] = []
    for part in parts:
        own = (
            [row.position for row in part.rows] if part.table == "events" else part.rows["position"].tolist()
        )
        assert own
        assert {(position - 1) // segment_positions for position in own} == {part.segment}
        positions += own
    assert sorted(positions) == list(range(4, 26))
