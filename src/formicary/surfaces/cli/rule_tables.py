"""Tables that rules are run over: the columns of Parquet files, a training set's folder or a file alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from formicary.base.errors import Refusal
from formicary.base.limits import BACKTEST_ROWS_MAX

__all__ = ["TableUnreadable", "read_columns"]

_ID_BYTES: Final = 16


class TableUnreadable(Refusal):
    """There is no table to run rules over: no Parquet file, or one without a column that is needed."""

    code = "table_unreadable"


def read_columns(
    path: Path, wanted: Mapping[str, tuple[str, ...]], needed: Iterable[str]
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a table by the names that are wanted.

    Numbers are (n,) and NaN where null, ids of 16 bytes (n, 2) words and 0 where null, all else (n,) objects
    and None where null.

    Parameters
    ----------
    path
        A folder of Parquet files that are read in the order of their names, or one file.
    wanted
        By name, the columns that hold it; the first that there is counts.
    needed
        Which names cannot be done without.

    Raises
    ------
    TableUnreadable
        There is no such table, it has no rows or too many, or a needed column is not there.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    try:
        if not files:
            message = f"{path} holds no Parquet file"
            raise TableUnreadable(message)
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        if not 0 < rows <= BACKTEST_ROWS_MAX:
            message = f"{path} has {rows:,} rows, and one to {BACKTEST_ROWS_MAX:,} are run over"
            raise TableUnreadable(message)
        known = set(pq.read_schema(files[0]).names)
        held = {
            name: next((column for column in columns if column in known), "")
            for name, columns in wanted.items()
        }
        if lacking := [wanted[name][0] for name in needed if not held[name]]:
            message = f"{path} has no column {', '.join(lacking)}"
            raise TableUnreadable(message)
        read = sorted({column for column in held.values() if column})
        table = pa.concat_tables(pq.read_table(file, columns=read) for file in files)
        return {name: _column(table.column(held[name])) for name in held if held[name]}
    except (OSError, pa.ArrowException) as error:
        message = f"{path} cannot be read: {error}"
        raise TableUnreadable(message) from error


def _column(column: Any) -> npt.NDArray[Any]:
    kind = column.type
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == _ID_BYTES:
        nothing = bytes(_ID_BYTES)
        data = b"".join(nothing if one is None else one for one in column.to_pylist())
        return np.frombuffer(data, ">i8").reshape(-1, 2).astype(np.int64)
    if pa.types.is_integer(kind) and not column.null_count:
        return np.asarray(column.cast(pa.int64()).to_numpy())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        # By way of whole numbers, as truths become no floating-point ones.
        numbers = column.cast(pa.int64()) if pa.types.is_boolean(kind) else column
        return np.asarray(numbers.cast(pa.float64(), safe=False).to_numpy(), np.float64)
    return np.array(column.to_pylist() or [None], object)[: len(column)]
