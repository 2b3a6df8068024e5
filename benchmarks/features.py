"""How fast features are told: replayed, online, and beside what others do with the same rows.

``formicary bench features``: events a second of one core at 27 and 60 windowed features, of a handful of
keys whose rows stay in the caches, of few and of many; one event online; bytes a key; a snapshot of many
keys; then polars, DuckDB and Feast on the same rows in the same run, with the rows that each of them loses.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks._feature_sets import as_events, feature_set, peers_task
from benchmarks._machine import machine
from benchmarks.feature_peers.events import made_events
from benchmarks.feature_peers.feast_peer import FEAST_PYTHON
from benchmarks.feature_peers.results import PeerResult
from benchmarks.feature_peers.run import run_peers
from benchmarks.feature_peers.task import expected_windows, wrong_rows
from formicary.base.purposes import Purpose
from formicary.factory.features._kernels import replay_events
from formicary.factory.features._layout import NO_CONSENT_NEEDED, Events
from formicary.factory.features.columns import events_of
from formicary.factory.features.compiler import Compiled, compile_sets
from formicary.factory.features.store import FeatureStore

_GROUP = 8_192
_HOT_KEYS = 20
_ONLINE_EVENTS = 2_000
_ONLINE_REPEATS = 5
_MICROSECONDS = 1e6


def _part(events: Events, first: int, end: int) -> Events:
    return Events(*(column[first:end] for column in events))


def _replayed(compiled: Compiled, name: str, events: Events) -> Callable[[], float]:
    """Return what replays the second half of events after the first, and tells its seconds of processor time.

    What is told goes to the same room again and again, as it does for a decision.
    """
    half = len(events.kinds) // 2
    out, withheld = np.empty((_GROUP, len(compiled.views[name].names))), np.zeros(_GROUP, np.int64)
    asked = np.ones(_GROUP, np.bool_)

    def run() -> float:
        store = FeatureStore(compiled)
        store.follow(_part(events, 0, half))
        groups = [_part(events, first, first + _GROUP) for first in range(half, 2 * half, _GROUP)]
        began = time.thread_time()
        for group in groups:
            store.make_room(len(group.kinds))
            note, wanted = store.note(name), asked[: len(group.kinds)]
            replay_events(note, group, NO_CONSENT_NEEDED, wanted, out, withheld)
        return (time.thread_time() - began) / sum(len(group.kinds) for group in groups)

    return run


def measure_kernels(events: int, repeats: int) -> list[dict[str, Any]]:
    """Return the rates at both sizes of sets, for a handful of keys, few and many, in turns."""
    runs: dict[tuple[int, str], Callable[[], float]] = {}
    keys: dict[tuple[int, str], tuple[int, int]] = {}
    for count in (27, 60):
        compiled = compile_sets([feature_set(count)])
        for said, payer_events in (("hot keys", 60), ("few keys", events // 100), ("many keys", 60)):
            made = made_events(events, seed=1, payer_events_max=payer_events)
            if said == "hot keys":
                made = made.with_columns(pl.col("payer", "payee") % _HOT_KEYS + 1)
            runs[count, said] = _replayed(compiled, f"of_{count}", as_events(compiled, made))
            keys[count, said] = made["payer"].n_unique(), made["payee"].n_unique()
            runs[count, said]()
    taken: dict[tuple[int, str], list[float]] = {named: [] for named in runs}
    for _ in range(repeats):
        for named, run in runs.items():
            taken[named].append(run())
    return [
        {
            "features": count,
            "keys": said,
            "payers": keys[count, said][0],
            "payees": keys[count, said][1],
            "events_per_second": round(1 / median(seconds)),
            "best": round(1 / min(seconds)),
        }
        for (count, said), seconds in taken.items()
    ]


def measure_online(events: int) -> dict[str, float]:
    """Return microseconds to read an event's 27 features and to let it change its rows.

    Called from Python for one event, most of it is the way into the kernel and back; decisions are made
    inside.
    """
    compiled = compile_sets([feature_set(27)])
    given = as_events(compiled, made_events(events, seed=2))
    store = FeatureStore(compiled)
    store.follow(_part(given, 0, events - _ONLINE_EVENTS))
    reads, updates = [], []
    for place in range(events - _ONLINE_EVENTS, events):
        one = _part(given, place, place + 1)
        began = time.perf_counter()
        store.read("of_27", one, purpose=Purpose.FRAUD)
        read = time.perf_counter()
        store.follow(one)
        reads.append((read - began) * _MICROSECONDS)
        updates.append((time.perf_counter() - read) * _MICROSECONDS)
    both = np.add(reads, updates)
    run = _replayed(compiled, "of_27", given)
    inside = [run() * _MICROSECONDS for _ in range(_ONLINE_REPEATS)]
    return {
        "in_a_kernel_us": round(median(inside), 2),
        "read_p50_us": round(float(np.median(reads)), 1),
        "update_p50_us": round(float(np.median(updates)), 1),
        "both_p50_us": round(float(np.median(both)), 1),
        "both_p99_us": round(float(np.quantile(both, 0.99)), 1),
    }


def measure_snapshot(keys: int, folder: Path) -> dict[str, float]:
    """Return bytes a key, and seconds to write and to restore a snapshot of 9 features of so many payers."""
    compiled = compile_sets([feature_set(9)])
    store = FeatureStore(compiled)
    kind = compiled.kinds[1]
    payers = np.stack([np.zeros(keys, np.int64), np.arange(1, keys + 1)], axis=1)
    at = 1_600_000_000 * 10**9 + np.arange(keys) * 10**6
    columns = {"payer": payers, "amount": np.full(keys, 100), "payee": payers % 1_000 + 1}
    store.follow(events_of(compiled, kind, at=at, columns=columns))
    began = time.perf_counter()
    path = folder / "features.npz"
    with path.open("wb") as file:
        for array in store.sections().values():
            np.save(file, array)
    written = time.perf_counter()
    again = FeatureStore(compiled)
    with path.open("rb") as file:
        again.restore({name: np.load(file) for name in store.sections()})
    restored = time.perf_counter()
    if again.state_hash != store.state_hash:
        message = "the restored rows are not those that were written"
        raise SystemExit(message)
    return {
        "keys": store.keys,
        "bytes_per_key": round(store.bytes_used / store.keys),
        "megabytes": round(path.stat().st_size / 1e6),
        "write_s": round(written - began, 2),
        "restore_s": round(restored - written, 2),
    }


def measure_ours(events: pl.DataFrame, repeats: int) -> PeerResult:
    """Return what our replay does with the peers' task, checked in the same way."""
    # The most popular payee's month must fit its ring, or windows are missing.
    most = int(events["payee"].value_counts()["count"].to_numpy().max())
    compiled = compile_sets([peers_task(1 << most.bit_length())])
    given = as_events(compiled, events)
    seconds = []
    for _ in range(repeats + 1):
        store = FeatureStore(compiled, bytes_max=1 << 42)
        began = time.perf_counter()
        told = store.replay("peers", given, purpose=Purpose.FRAUD)
        seconds.append(time.perf_counter() - began)
    found = pl.DataFrame({"position": events["position"]} | dict(zip(told.names, told.values.T, strict=True)))
    return PeerResult(
        name="formicary",
        task="windows",
        rows_in=events.height,
        rows_out=found.height,
        rows_wrong=wrong_rows(found.fill_nan(None), expected_windows(events)),
        rows_per_second=events.height / median(seconds[1:]),
        note="one core, exact windows",
    )


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=110)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    table = _table("features", "keys", "payers", "payees", "events/s of a core", "best")
    for row in figures["kernels"]:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else value for value in row.values()))
    output.print(table)
    for name in ("online", "bytes of an event's keys", "snapshot"):
        output.print(name + ": " + ", ".join(f"{key} {value:,}" for key, value in figures[name].items()))
    table = _table("who", "task", "rows/s", "we: times", "rows in", "lost", "wrong", "p50 µs", "p99 µs")
    ours = figures["peers"][0]["rows_per_second"]
    for row in figures["peers"]:
        rate = row["rows_per_second"]
        speeds = (f"{rate:,.0f}", f"{ours / rate:,.1f}") if rate else ("", "")
        counts = (row["rows_in"], row["rows_in"] - row["rows_out"], row["rows_wrong"])
        latencies = (row["latency_p50_us"], row["latency_p99_us"])
        table.add_row(
            row["name"],
            row["task"],
            *speeds,
            *(f"{value:,}" for value in counts),
            *(f"{value:,.0f}" if value else "" for value in latencies),
        )
    output.print(table)
    for row in figures["peers"]:
        output.print(f"{row['name']} {row['task']}: {row['note']}", style="dim")


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < 2 else "right", no_wrap=True)  # noqa: PLR2004, names
    return table


def main() -> None:
    """Measure and print tables, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="for the rates of kernels")
    parser.add_argument("--peer-events", type=int, default=200_000, help="for all who are compared")
    parser.add_argument("--keys", type=int, default=1_000_000, help="in the snapshot")
    parser.add_argument("--feast", type=Path, default=FEAST_PYTHON, help="the Python that has Feast")
    parser.add_argument("--repeats", type=int, default=5, help="of each; rates are medians")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    figures["kernels"] = measure_kernels(arguments.events, arguments.repeats)
    figures["online"] = measure_online(min(arguments.events, 200_000))
    figures["bytes of an event's keys"] = {
        f"features_{count}": compile_sets([feature_set(count)]).views[f"of_{count}"].key_bytes
        for count in (9, 27, 60)
    }
    with tempfile.TemporaryDirectory() as folder:
        figures["snapshot"] = measure_snapshot(arguments.keys, Path(folder))
    events = made_events(arguments.peer_events, seed=3)
    results = [
        measure_ours(events, arguments.repeats),
        *run_peers(events, feast=arguments.feast, repeats=min(arguments.repeats, 3)),
    ]
    figures["peers"] = [
        {field: getattr(result, field) for field in PeerResult.__dataclass_fields__} for result in results
    ]
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)


if __name__ == "__main__":
    main()
