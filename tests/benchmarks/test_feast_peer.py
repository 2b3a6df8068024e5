"""Feast is not part of what is installed for the tests."""

from __future__ import annotations

from pathlib import Path

from benchmarks.feature_peers import polars_peer
from benchmarks.feature_peers.events import made_events
from benchmarks.feature_peers.feast_peer import feast_results
from benchmarks.feature_peers.run import run_peers


def test_missing_feast_is_told(tmp_path: Path) -> None:
    """Without its environment Feast has no figures, and the others have theirs."""
    events = made_events(500)
    updates = polars_peer.updates_of(events)
    for result in feast_results(events, updates, python=tmp_path / "python"):
        assert result.note == "not installed: make feast"
        assert (result.rows_in, result.rows_per_second, result.latency_p50_us) == (0, None, None)
    results = run_peers(events, feast=tmp_path / "python", repeats=1)
    assert [(result.rows_lost, result.rows_wrong) for result in results] == [(0, 0)] * len(results)
    assert {result.task for result in results[:5]} == {"windows", "join"}
