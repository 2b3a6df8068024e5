"""A Parquet file of rows that never were events of a journal, as a model learns from them.

Nothing here runs where decisions are made: this module loads pyarrow.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from formicary.factory.models.errors import TableUnusable
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import TrainingTable, table_of

__all__ = ["table_in"]


def table_in(path: Path, spec: ModelSpec, label: str) -> tuple[TrainingTable, str]:
    """Return the rows of a file for a specification, and their hash, 32 hexadecimal digits.

    Columns have the specification's names; ``label`` names one of 0 and 1, or of truth values.

    Raises
    ------
    TableUnusable
        The file cannot be read, lacks a column, or see ``table_of``.
    """
    try:
        data = path.read_bytes()
        rows = pq.read_table(pa.BufferReader(data))
    except (OSError, pa.ArrowException) as error:
        message = f"{path} cannot be read: {error}"
        raise TableUnusable(message) from error
    for name in (label, *spec.names):
        if name not in rows.column_names:
            message = f"{path} has no column {name}"
            raise TableUnusable(message)
    columns = {column.name: _column(rows, column.name, column.is_category) for column in spec.columns}
    try:
        labels = np.asarray(rows.column(label).to_pylist(), np.float64)
    except (TypeError, ValueError) as error:
        message = f"the column {label} of {path} is not of numbers: {error}"
        raise TableUnusable(message) from error
    return table_of(spec, columns, labels), hashlib.blake2b(data, digest_size=16).hexdigest()


def _column(rows: pa.Table, name: str, is_category: bool) -> Any:  # noqa: FBT001, as the column says
    values = rows.column(name).to_pylist()
    return values if is_category else [np.nan if value is None else value for value in values]
