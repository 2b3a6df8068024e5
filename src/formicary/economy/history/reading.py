"""Reading a whole history: every file that a mapping names, as a plan and as rejected rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from formicary.economy.history.mapping import File, names_of
from formicary.economy.history.mapping_file import MappingFile
from formicary.economy.history.parties import declared_keys
from formicary.economy.history.plan import Plan, make_plan
from formicary.economy.history.rejections import REJECTIONS
from formicary.economy.history.rows import EventRows, columns_of, read_rows
from formicary.economy.history.sides import Parties
from formicary.economy.history.sources import ColumnMissing, Table, path_of

__all__ = ["History", "read_history"]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A history that was read.

    Attributes
    ----------
    events
        The rows of each event, in the order of the mapping.
    plan
        What to ask for.
    rejected
        Rows of all files that will not be asked for, of ``REJECTIONS``.
    """

    events: tuple[EventRows, ...]
    plan: Plan
    rejected: pl.DataFrame


def read_history(written: MappingFile, *, data_sets: Path | None, now: int) -> History:
    """Read all files of a mapping.

    Parameters
    ----------
    written
        The mapping.
    data_sets
        What ``${FORMICARY_DATA}`` stands for.
    now
        Nothing in the history happened after it, in nanoseconds.

    Raises
    ------
    MappingMalformed
        A file has no column of a name in the mapping, or there are no data sets.
    DataSetUnusable
        A file cannot be read.
    """
    reader = _Reader(written, data_sets)
    declared, rejected = reader.parties()
    parties = Parties(written.mapping, declared)
    events = [reader.rows(index, parties, now) for index in range(len(written.mapping.events))]
    return History(
        events=tuple(events),
        plan=make_plan(written.mapping, events, declared),
        rejected=pl.concat([REJECTIONS.to_frame(), *rejected, *(rows.rejected for rows in events)]),
    )


class _Reader:
    def __init__(self, written: MappingFile, data_sets: Path | None) -> None:
        self._written = written
        self._tables = {
            name: Table(self._path(name, file, data_sets), file)
            for name, file in written.mapping.files.items()
        }

    def parties(self) -> tuple[dict[str, pl.Series | None], list[pl.DataFrame]]:
        """Return the keys of parties that files declare, by the parties' names, and the rejected rows."""
        declared: dict[str, pl.Series | None] = {}
        rejected: list[pl.DataFrame] = []
        for name, party in self._written.mapping.parties.items():
            columns, place = names_of(party.key), f"$.parties.{name}"
            batches = self.batches(party.file, columns, place) if party.file is not None else ()
            with self._typed(place):
                declared[name], wrong = declared_keys(name, party, batches)
            rejected += wrong
        return declared, rejected

    def rows(self, index: int, parties: Parties, now: int) -> EventRows:
        """Return the rows of an event by its place in the mapping."""
        event, place = self._written.mapping.events[index], f"$.events[{index}]"
        batches = self.batches(event.file, columns_of(event), place)
        with self._typed(place):
            return read_rows(event, batches, parties=parties, now=now)

    def batches(self, name: str, columns: list[str], place: str) -> Iterator[pl.DataFrame]:
        """Yield a file's rows; ``place`` is where the mapping asks for these columns."""
        try:
            yield from self._tables[name].batches(columns)
        except ColumnMissing as missing:
            self._written.refuse(place, f"the file {name} has no column {missing}")

    @contextmanager
    def _typed(self, place: str) -> Iterator[None]:
        try:
            yield
        except pl.exceptions.PolarsError as error:
            first_line = str(error).partition("\n")[0]
            self._written.refuse(place, f"a column holds what cannot be used so: {first_line}")

    def _path(self, name: str, file: File, data_sets: Path | None) -> Path:
        path = path_of(file, folder=self._written.folder, data_sets=data_sets)
        if path is None:
            self._written.refuse(
                f"$.files.{name}.path", "FORMICARY_DATA is not set, and there is no folder of data sets"
            )
        return path
