"""Rows of a Parquet file that never were events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formicary.factory.models.errors import TableUnusable
from formicary.factory.models.table_file import table_in
from tests.factory.models.kit import made_spec

ROWS: dict[str, Any] = {
    "debt": [1, 2, None],
    "income": [3.5, None, 1.0],
    "trade": ["baker", None, "miller"],
    "noise": [0.0, 1.0, 2.0],
    "bad": [True, False, True],
}


def written(folder: Path, **other: Any) -> Path:
    """Write the rows, some of them otherwise."""
    columns = {name: column for name, column in (ROWS | other).items() if column is not None}
    pq.write_table(pa.table(columns), folder / "rows.parquet")
    return folder / "rows.parquet"


def test_rows_of_a_file(tmp_path: Path) -> None:
    """Numbers and names, missing where null; the hash is of the file."""
    table, digest = table_in(written(tmp_path), made_spec(), "bad")
    nan = np.nan
    expected = [[1, 3.5, 0, 0], [2, nan, nan, 1], [nan, 1, 1, 2]]
    assert np.array_equal(table.values, expected, equal_nan=True)
    assert (table.labels.tolist(), table.categories) == ([1, 0, 1], {"trade": ("baker", "miller")})
    assert len(digest) == 32
    assert digest != table_in(written(tmp_path, noise=[5, 1, 2]), made_spec(), "bad")[1]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"noise": None}, "has no column noise"),
        ({"bad": None}, "has no column bad"),
        ({"bad": ["yes", "no", "no"]}, "the column bad of .* is not of numbers"),
        ({"bad": [1, None, 0]}, "1 labels are not what a classification takes"),
        ({"debt": ["a", "b", "c"]}, "the column debt is not of numbers"),
    ],
)
def test_files_that_cannot_be_learnt_from(tmp_path: Path, other: dict[str, Any], said: str) -> None:
    """What is wrong is named."""
    with pytest.raises(TableUnusable, match=said):
        table_in(written(tmp_path, **other), made_spec(), "bad")


def test_no_table(tmp_path: Path) -> None:
    """A file that is not there, or is something else."""
    (tmp_path / "text").write_text("no table")
    for name in ("text", "nothing"):
        with pytest.raises(TableUnusable, match=f"{name} cannot be read"):
            table_in(tmp_path / name, made_spec(), "bad")
