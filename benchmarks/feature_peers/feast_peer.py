"""The join in Feast, in an environment of its own: it holds back versions of what we depend on."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

import polars as pl

from benchmarks.feature_peers.results import PeerResult
from benchmarks.feature_peers.task import expected_join, features_of, wrong_rows
from formicary.base.errors import OperationalFault

__all__ = ["FEAST_PYTHON", "FeastFailed", "feast_results"]

FEAST_PYTHON: Final = Path(__file__).parents[2] / "build" / "feast-venv" / "bin" / "python"
"""Where ``make feast`` puts its environment."""

_SCRIPT: Final = Path(__file__).with_name("feast_script.py")
_HISTORICAL: Final = "join"
_ONLINE: Final = "lookup"
# Feast pairs every decision with every update of its payer before it picks one: gigabytes from here on.
_PAIRS_MAX: Final = 25_000_000


class FeastFailed(OperationalFault):
    """Feast's process ended with an error, or left no figures."""


def feast_results(
    events: pl.DataFrame, updates: pl.DataFrame, *, python: Path, repeats: int = 3
) -> list[PeerResult]:
    """Return what Feast did with the join, and with lookups of one payer.

    Only the first events are used where all would be more pairs of decision and update than memory holds.
    """
    if not python.exists():
        return [
            PeerResult(
                name="Feast", task=task, rows_in=0, rows_out=0, rows_wrong=0, note="not installed: make feast"
            )
            for task in (_HISTORICAL, _ONLINE)
        ]
    rows = _feasible_rows(events)
    used, known = events.head(rows), updates.head(rows)
    with tempfile.TemporaryDirectory(prefix="formicary-feast-") as name:
        folder = Path(name)
        _write(folder, used, known)
        figures = _run(python, folder, repeats)
        return [_historical(folder, figures, used, known), _online(folder, figures, known)]


def _feasible_rows(events: pl.DataFrame) -> int:
    # The nth event of a payer makes 2n - 1 more pairs.
    more = 2 * pl.int_range(pl.len()).over("payer") + 1
    return events.filter(more.cum_sum() <= _PAIRS_MAX).height


def _write(folder: Path, events: pl.DataFrame, updates: pl.DataFrame) -> None:
    at = pl.col("at").cast(pl.Datetime("ns", "UTC")).alias("event_timestamp")
    updates.select("payer", at, *features_of("payer")).write_parquet(folder / "updates.parquet")
    # A nanosecond early: Feast takes an update of the decision's own time as known to it.
    decisions = events.select("position", "payer", pl.col("at") - 1).select("position", "payer", at)
    decisions.write_parquet(folder / "decisions.parquet")


def _run(python: Path, folder: Path, repeats: int) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), str(_SCRIPT), str(folder), "--repeats", str(repeats)],
        # No usage statistics, and nothing of this process's paths.
        env={**os.environ, "FEAST_USAGE": "False", "PYTHONPATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"Feast ended with {done.returncode}: {done.stderr[-2_000:]}"
        raise FeastFailed(message)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _historical(
    folder: Path, figures: dict[str, Any], events: pl.DataFrame, updates: pl.DataFrame
) -> PeerResult:
    found = pl.read_parquet(folder / "historical.parquet")
    newcomers = events["payer"].n_unique()
    return PeerResult(
        name=f"Feast {figures['version']}",
        task=_HISTORICAL,
        rows_in=events.height,
        rows_out=found.height,
        rows_wrong=wrong_rows(found, expected_join(events, updates)),
        rows_per_second=events.height / median(figures["historical_seconds"]),
        note=f"{newcomers:,} events are their payer's first",
    )


def _online(folder: Path, figures: dict[str, Any], updates: pl.DataFrame) -> PeerResult:
    online = figures["online"]
    found = pl.read_parquet(folder / "online.parquet")
    latest = updates.drop("at").unique("payer", keep="last", maintain_order=True)
    return PeerResult(
        name=f"Feast {figures['version']}",
        task=_ONLINE,
        rows_in=online["lookups"],
        rows_out=found.drop_nulls().height,
        rows_wrong=wrong_rows(found.drop_nulls(), latest, key="payer"),
        latency_p50_us=online["p50_us"],
        latency_p99_us=online["p99_us"],
        note=f"SQLite, {online['payers']:,} payers loaded in {online['load_seconds']:.0f} s",
    )
