"""Reading a file of a data set: all of it as expected, or an error that names the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from formicary.base.errors import OperationalFault

__all__ = ["DataSetUnusable", "read_columns", "whole_units"]

# A binary fraction is off by far less than this share of a unit, a decimal too many by far more.
_TOLERANCE_UNITS: Final = 1e-6
_INEXACT: Final = "inexact "


class DataSetUnusable(OperationalFault):
    """A file of a data set cannot be read, or does not hold what it should."""


def whole_units(column: str, *, units_per_one: int, name: str) -> tuple[pl.Expr, pl.Expr]:
    """Return a column of binary fractions as integers of a smaller unit, and which of them are none.

    Both go to ``read_columns``, which refuses a file that has any of the latter: no sum is off by
    what was rounded away.
    """
    exact = pl.col(column) * units_per_one
    off = (exact - exact.round()).abs() > _TOLERANCE_UNITS
    return exact.round().cast(pl.Int64).alias(name), off.alias(_INEXACT + column)


def read_columns(path: Path, columns: Sequence[pl.Expr]) -> pl.DataFrame:
    """Return expressions over the columns of a Parquet file.

    Raises
    ------
    DataSetUnusable
        The file cannot be read, a column is missing or of another type, or an amount has more
        decimals than its unit.
    """
    try:
        frame = pl.read_parquet(path).select(columns)
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"{path} is not the file of the data set: {error}"
        raise DataSetUnusable(message) from error
    marks = [name for name in frame.columns if name.startswith(_INEXACT)]
    for mark in marks:
        if frame[mark].any():
            message = f"{path} has amounts in {mark.removeprefix(_INEXACT)} with too many decimals"
            raise DataSetUnusable(message)
    return frame.drop(marks)
