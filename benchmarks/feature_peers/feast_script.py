"""Feast's part, run by the Python of its own environment: pandas and Feast, nothing of the project.

Reads ``updates.parquet`` and ``decisions.parquet`` in the folder given, writes what Feast answered to
``historical.parquet`` and ``online.parquet`` there, and prints its figures as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType, __version__
from feast.types import Float64, Int64

__all__ = ["main"]

_VIEW: Final = "payer_features"
_WARM_UP: Final = 50
_DAY: Final = timedelta(days=1)


def _opened(folder: Path, names: Sequence[str]) -> FeatureStore:
    """Return a store of one view; offline and online stores are those Feast chooses for local use."""
    store = FeatureStore(
        config=RepoConfig(
            project="peers",
            provider="local",
            registry=str(folder / "registry.db"),
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    payer = Entity(name="payer", join_keys=["payer"], value_type=ValueType.INT64)
    kinds = {name: Float64 if "mean" in name else Int64 for name in names}
    view = FeatureView(
        name=_VIEW,
        entities=[payer],
        # Nothing expires: a shorter life would lose rows by declaration.
        ttl=timedelta(0),
        schema=[Field(name=name, dtype=kind) for name, kind in {"payer": Int64, **kinds}.items()],
        source=FileSource(path=str(folder / "updates.parquet"), timestamp_field="event_timestamp"),
    )
    store.apply([payer, view])
    return store


def _historical(store: FeatureStore, folder: Path, features: list[str], repeats: int) -> list[float]:
    """Return the seconds of each retrieval of all decisions' features."""
    decisions = pd.read_parquet(folder / "decisions.parquet")
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        found = store.get_historical_features(entity_df=decisions, features=features).to_df()
        taken.append(time.perf_counter() - began)
    found.to_parquet(folder / "historical.parquet")
    return taken


def _online(store: FeatureStore, folder: Path, features: list[str], lookups: int) -> dict[str, float]:
    """Return how long it took to load the online store, and the latencies of one payer's features."""
    keys = pd.read_parquet(folder / "updates.parquet", columns=["payer", "event_timestamp"])
    times = keys["event_timestamp"].dt.floor("s")
    began = time.perf_counter()
    store.materialize(times.min().to_pydatetime() - _DAY, times.max().to_pydatetime() + _DAY)
    loaded = time.perf_counter() - began
    payers = keys["payer"].drop_duplicates()
    drawn = payers.sample(min(lookups, len(payers)), random_state=1)
    latencies, rows = [], []
    for payer in [*drawn[:_WARM_UP], *drawn]:
        began = time.perf_counter()
        found = store.get_online_features(features=features, entity_rows=[{"payer": int(payer)}]).to_dict()
        latencies.append(time.perf_counter() - began)
        rows.append({name: values[0] for name, values in found.items()})
    pd.DataFrame(rows[-len(drawn) :]).to_parquet(folder / "online.parquet")
    p50, p99 = np.quantile(np.array(latencies[-len(drawn) :]) * 1e6, (0.5, 0.99))
    return {
        "load_seconds": loaded,
        "payers": len(payers),
        "p50_us": float(p50),
        "p99_us": float(p99),
        "lookups": len(drawn),
    }


def main() -> None:
    """Measure both and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--lookups", type=int, default=2_000)
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    columns = pq.read_schema(folder / "updates.parquet").names
    names = [name for name in columns if name not in {"payer", "event_timestamp"}]
    features = [f"{_VIEW}:{name}" for name in names]
    figures: dict[str, Any] = {"version": __version__}
    # Feast tells of its progress on stdout, where only the document may stand.
    with contextlib.redirect_stdout(sys.stderr):
        store = _opened(folder, names)
        figures["historical_seconds"] = _historical(store, folder, features, arguments.repeats)
        figures["online"] = _online(store, folder, features, arguments.lookups)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
