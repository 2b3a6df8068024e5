"""Reading files of data sets."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from formicary.economy.data_sets import DataSetUnusable, read_columns, whole_units


def test_binary_fractions_become_whole_units(tmp_path: Path) -> None:
    """0.1 + 0.2 pounds are thirty pence: what a binary fraction is off by is no decimal."""
    path = tmp_path / "amounts.parquet"
    pl.DataFrame({"amount": [0.1 + 0.2, 38_970.0, -11_062.06]}).write_parquet(path)
    read = read_columns(path, whole_units("amount", units_per_one=100, name="pence"))
    assert read.to_dict(as_series=False) == {"pence": [30, 3_897_000, -1_106_206]}


def test_too_many_decimals_are_refused(tmp_path: Path) -> None:
    """A price with a decimal more than its unit would be off by what was rounded away."""
    path = tmp_path / "amounts.parquet"
    pl.DataFrame({"amount": [1.001]}).write_parquet(path)
    with pytest.raises(DataSetUnusable, match="amount with too many decimals"):
        read_columns(path, whole_units("amount", units_per_one=100, name="pence"))


def test_another_file_is_refused(tmp_path: Path) -> None:
    """A file without the column is named."""
    path = tmp_path / "other.parquet"
    pl.DataFrame({"other": [1]}).write_parquet(path)
    with pytest.raises(DataSetUnusable, match=r"other\.parquet is not the file"):
        read_columns(path, [pl.col("amount")])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(DataSetUnusable, match=r"none\.parquet"):
        read_columns(tmp_path / "none.parquet", [pl.col("amount")])
