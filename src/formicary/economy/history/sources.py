"""Rows of files, in batches: whatever a file's format, a frame of columns and the number of each row.

A row's number counts rows of data from 1: the header of a CSV is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from formicary.base.limits import IMPORT_BATCH_ROWS
from formicary.economy.data_sets import DataSetUnusable
from formicary.economy.history.mapping import File
from formicary.factory.ledger.reconciliation import CAMT_COLUMNS, MalformedStatement, camt053_rows

__all__ = ["ROW", "ColumnMissing", "Table", "path_of"]

ROW: Final = "$row"
"""The column that holds a row's number; a mapping may use it where a file has no key."""

_DATA: Final = "${FORMICARY_DATA}"


class ColumnMissing(KeyError):
    """A file has no column of this name."""


def path_of(file: File, *, folder: Path, data_sets: Path | None) -> Path | None:
    """Return where a file lies: below the data sets, or from the mapping's folder; None without data sets."""
    if not file.path.startswith(_DATA):
        return folder / file.path
    return None if data_sets is None else data_sets / file.path.removeprefix(_DATA).lstrip("/")


class Table:
    """One file as rows.

    Parameters
    ----------
    path
        Where it is.
    file
        What the mapping says of it.

    Raises
    ------
    DataSetUnusable
        It cannot be read, now or later on, when a batch is asked for.
    """

    def __init__(self, path: Path, file: File) -> None:
        self._path = path
        # A line with too many fields has shifted ones as well, whichever columns are wanted: look at all.
        self._plan = pl.QueryOptFlags(projection_pushdown=file.format != "csv")
        try:
            self._frame = _scan(path, file)
            self._columns = set(self._frame.collect_schema().names())
        except (OSError, pl.exceptions.PolarsError, MalformedStatement) as error:
            raise _unusable(path, error) from error

    def batches(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the rows with the columns asked for and ``ROW``, some at a time, in order.

        Raises
        ------
        ColumnMissing
            There is no such column.
        """
        wanted = list(dict.fromkeys(name for name in columns if name != ROW))
        for name in wanted:
            if name not in self._columns:
                raise ColumnMissing(name)
        numbered = self._frame.select(wanted).with_row_index(ROW, offset=1)
        try:
            yield from numbered.collect_batches(
                chunk_size=IMPORT_BATCH_ROWS, maintain_order=True, optimizations=self._plan
            )
        except (OSError, pl.exceptions.PolarsError) as error:
            raise _unusable(self._path, error) from error


def _scan(path: Path, file: File) -> pl.LazyFrame:
    if file.format == "parquet":
        return pl.scan_parquet(path, glob=False)
    if file.format == "csv":
        # As text: what a number or a time is, and why one is none, is for the mapping to say.
        return pl.scan_csv(path, separator=file.separator, infer_schema=False, glob=False)
    return pl.DataFrame(camt053_rows(path.read_bytes()), dict.fromkeys(CAMT_COLUMNS, pl.String)).lazy()


def _unusable(path: Path, error: Exception) -> DataSetUnusable:
    first_line = str(error).partition("\n")[0]
    return DataSetUnusable(f"{path} cannot be read: {first_line}")
