"""All peers on one stream of events."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from benchmarks.feature_peers import polars_peer
from benchmarks.feature_peers.duckdb_peer import DuckDB
from benchmarks.feature_peers.feast_peer import FEAST_PYTHON, feast_results
from benchmarks.feature_peers.results import Contender, PeerResult, measure
from benchmarks.feature_peers.task import expected_join, expected_windows, wrong_rows

__all__ = ["run_peers"]

_WINDOWS: Final = "windows"
_JOIN: Final = "join"


def run_peers(events: pl.DataFrame, *, feast: Path = FEAST_PYTHON, repeats: int = 3) -> list[PeerResult]:
    """Return what every peer did with events (n) of ``EVENTS``.

    Parameters
    ----------
    events
        Positions from 0 and strictly increasing times.
    feast
        The Python of Feast's environment; where there is none, its results say so.
    repeats
        Runs of each peer; a rate is the median's.
    """
    began = time.perf_counter()
    in_windows = expected_windows(events)
    loop_rate = events.height / (time.perf_counter() - began)
    updates = polars_peer.updates_of(events)
    joined = expected_join(events, updates)
    loop = PeerResult(
        name="Python loop",
        task=_WINDOWS,
        rows_in=events.height,
        rows_out=in_windows.height,
        rows_wrong=0,
        rows_per_second=loop_rate,
        note="what the others are checked against; one run",
    )
    contenders = _contenders(events, updates, in_windows, joined)
    return [
        loop,
        *measure(contenders, repeats=repeats),
        *feast_results(events, updates, python=feast, repeats=repeats),
    ]


def _contenders(
    events: pl.DataFrame, updates: pl.DataFrame, in_windows: pl.DataFrame, joined: pl.DataFrame
) -> list[Contender]:
    database = DuckDB(events, updates)
    polars_name, duckdb_name = f"polars {pl.__version__}", f"DuckDB {duckdb.__version__}"
    # An update tells what its windows held then; events have left them since.
    stale = wrong_rows(joined.drop_nulls(), in_windows.select(joined.columns)) / max(events.height, 1)
    note = f"{stale:.0%} of the rows are stale at the decision"
    return [
        Contender(
            name=polars_name,
            task=_WINDOWS,
            run=lambda: polars_peer.windows(events),
            expected=in_windows,
            note="rolling sums in groups",
        ),
        Contender(
            name=duckdb_name, task=_WINDOWS, run=database.windows, expected=in_windows, note="RANGE frames"
        ),
        Contender(
            name=polars_name,
            task=_JOIN,
            run=lambda: polars_peer.join(events, updates),
            expected=joined,
            note=f"join_asof; {note}",
        ),
        Contender(
            name=duckdb_name, task=_JOIN, run=database.join, expected=joined, note=f"ASOF JOIN; {note}"
        ),
    ]
