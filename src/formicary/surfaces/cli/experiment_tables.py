"""Tables of parties in files: their ids, their outcomes, and when they met an experiment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.base.ids import MalformedId, parse_id
from formicary.base.limits import EXPERIMENT_ROWS_MAX
from formicary.base.public_ids import Prefix, decode
from formicary.base.times import MalformedTime, parse_time
from formicary.factory.experiments.errors import OutcomesUnusable

__all__ = ["PartyTable"]

_HEX: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ID_BYTES: Final = 16
_WORD: Final = 2**64 - 1


class PartyTable:
    """Rows of parties.

    Parameters
    ----------
    path
        A Parquet file, or one of CSV where its name ends so.
    party
        The column of their ids: 32 hexadecimal digits, UUID text, ``pty_…``, or 16 bytes.

    Raises
    ------
    OutcomesUnusable
        It cannot be read, lacks the column, has too many rows, or what stands there is no id.
    """

    def __init__(self, path: Path, party: str) -> None:
        self._path = path
        self._frame = _read(path, party)
        if party not in self._frame.columns:
            self._refuse(f"has no column {party}")
        if len(self._frame) > EXPERIMENT_ROWS_MAX:
            self._refuse(f"has more than {EXPERIMENT_ROWS_MAX:,} rows")
        self.parties = self._ids(party)

    def reals(self, names: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
        """Return columns of numbers by name, those that there are, NaN where missing, (m,)."""
        found = {}
        for name in names:
            if name not in self._frame.columns:
                continue
            column = self._frame[name]
            if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
                self._refuse(f"has no numbers in the column {name}")
            found[name] = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return found

    def times(self, name: str) -> npt.NDArray[np.int64]:
        """Return a column of times as nanoseconds since 1970, (m,): such numbers, times, or RFC 3339."""
        if name not in self._frame.columns:
            self._refuse(f"has no column {name}")
        column = self._frame[name]
        if column.null_count():
            self._refuse(f"has rows without a time in the column {name}")
        if column.dtype == pl.Datetime:
            return np.asarray(column.dt.epoch("ns").to_numpy(), np.int64)
        if column.dtype.is_integer():
            return np.asarray(column.to_numpy(), np.int64)
        try:
            return np.array([parse_time(str(one)) for one in column.to_list()], np.int64)
        except MalformedTime as error:
            self._refuse(f"has no times in the column {name}", error)

    def _ids(self, party: str) -> npt.NDArray[np.uint64]:
        words = np.empty((len(self._frame), 2), np.uint64)
        for row, value in enumerate(self._frame[party].to_list()):
            try:
                found = _id_of(value)
            except MalformedId as error:
                self._refuse(f"has no id of a party in row {row + 1}", error)
            words[row] = found >> 64, found & _WORD
        return words

    def _refuse(self, why: str, cause: Exception | None = None) -> NoReturn:
        message = f"{self._path} {why}"
        raise OutcomesUnusable(message) from cause


def _read(path: Path, party: str) -> pl.DataFrame:
    try:
        if path.suffix == ".csv":
            # An id of digits alone is no number.
            return pl.read_csv(path, schema_overrides={party: pl.String})
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"{path} cannot be read: {error}"
        raise OutcomesUnusable(message) from error


def _id_of(value: Any) -> int:
    if isinstance(value, bytes) and len(value) == _ID_BYTES:
        return int.from_bytes(value)
    text = value if isinstance(value, str) else ""
    if _HEX.fullmatch(text):
        return int(text, 16)
    return decode(Prefix.PARTY, text) if text.startswith(Prefix.PARTY) else parse_id(text)
