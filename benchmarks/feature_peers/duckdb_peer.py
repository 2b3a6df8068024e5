"""The task in DuckDB: window frames by range, and an as-of join, on tables of its own."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from benchmarks.feature_peers.events import NANOSECONDS_PER_DAY
from benchmarks.feature_peers.task import DAYS, OPERATORS, features_of

__all__ = ["DuckDB"]

_LOAD: Final = "CREATE TABLE {name} AS SELECT * FROM given"
_WINDOWS: Final = "SELECT position, {features} FROM events WINDOW {windows}"
_JOIN: Final = """
    SELECT events.position, {features}
    FROM events ASOF LEFT JOIN updates ON events.payer = updates.payer AND events."at" > updates."at"
"""
_EXPRESSIONS: Final = {
    "count": "count(*) OVER {window}",
    "sum": "CAST(coalesce(sum(amount) OVER {window}, 0) AS BIGINT)",
    "mean": "avg(amount) OVER {window}",
    "max": "max(amount) OVER {window}",
}
# Both ends are whole nanoseconds: later than t - days, earlier than t.
_WINDOW: Final = (
    '{window} AS (PARTITION BY {key} ORDER BY "at" RANGE BETWEEN {widest} PRECEDING AND 1 PRECEDING)'
)


class DuckDB:
    """A database in memory that holds the events and updates before anything is measured."""

    def __init__(self, events: pl.DataFrame, updates: pl.DataFrame) -> None:
        self._connection = duckdb.connect()
        for name, frame in (("events", events), ("updates", updates)):
            self._connection.register("given", frame.to_arrow())
            self._connection.execute(_LOAD.format(name=name))
            self._connection.unregister("given")

    def windows(self) -> pl.DataFrame:
        """Return ``position`` and the 18 features as known before each event."""
        return self._connection.execute(_windows_statement()).pl()

    def join(self) -> pl.DataFrame:
        """Return ``position`` and the payer's last update before each event."""
        return self._connection.execute(_JOIN.format(features=", ".join(features_of("payer")))).pl()


def _windows_statement() -> str:
    features, windows = [], []
    for key, operators in OPERATORS.items():
        for days in DAYS:
            window = f"{key}_{days}d"
            widest = days * NANOSECONDS_PER_DAY - 1
            windows.append(_WINDOW.format(window=window, key=key, widest=widest))
            features += [
                f"{_EXPRESSIONS[operator].format(window=window)} AS {key}_{operator}_{days}d"
                for operator in operators
            ]
    return _WINDOWS.format(features=", ".join(features), windows=", ".join(windows))
