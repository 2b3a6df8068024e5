"""Rows belong together, or are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.factory.learning.errors import StreamMalformed
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rows import UNKNOWN
from tests.factory.learning.learning_kit import FIRST, made_rows


def test_rows_are_chosen_with_all_their_columns() -> None:
    """By a time, by a flag, by a slice."""
    rows = made_rows(3)
    second = rows.between((FIRST + 1) * DAY, (FIRST + 2) * DAY)
    assert len(second) == len(rows) // 3
    assert second.at[0] == (FIRST + 1) * DAY
    few = rows.chosen(rows.labels == 1)
    assert len(few.segments["region"]) == len(few.parties) == len(few.values) == int(rows.labels.sum())
    assert not replace(rows, labels=np.full(len(rows), UNKNOWN, np.int8)).is_known.any()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amounts": np.zeros(2, np.int64)}, "columns of"),
        ({"at": np.arange(60, 0, -1)}, "order of time"),
        ({"labels": np.full(60, 2, np.int8)}, "a label is 1, 0 or -1"),
        ({"weights": np.ones(2)}, "columns of"),
        ({"weights": np.full(60, 0.5)}, "stands for itself"),
        ({"weights": np.full(60, np.inf)}, "stands for itself"),
    ],
)
def test_what_does_not_belong_together_is_refused(wrong: dict[str, Any], said: str) -> None:
    """With what is wrong."""
    with pytest.raises(StreamMalformed, match=said):
        replace(made_rows(1), **wrong)
