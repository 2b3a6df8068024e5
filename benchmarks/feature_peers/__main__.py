"""The peers alone: ``python -m benchmarks.feature_peers``.

*windows*: 18 features of payer and payee over 1, 7 and 30 days, as known before each event. *join*: 12
features of the payer, computed at its last event and found by time. *lookup*: the same, of one payer now.
polars and DuckDB use every core.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks._machine import machine
from benchmarks.feature_peers.events import made_events, read_events
from benchmarks.feature_peers.feast_peer import FEAST_PYTHON
from benchmarks.feature_peers.results import PeerResult
from benchmarks.feature_peers.run import run_peers


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _table(results: Sequence[PeerResult]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("peer", "task"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows/s", "rows in", "lost", "wrong", "p50 µs", "p99 µs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        figures = (
            result.rows_per_second,
            result.rows_in,
            result.rows_lost,
            result.rows_wrong,
            result.latency_p50_us,
            result.latency_p99_us,
        )
        table.add_row(result.name, result.task, *map(_text, figures))
    return table


def main() -> None:
    """Run every peer and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=500_000, help="how many to make, or to read")
    parser.add_argument("--file", type=Path, help="read the Fraud Detection Handbook's payments instead")
    parser.add_argument("--feast", type=Path, default=FEAST_PYTHON, help="the Python that has Feast")
    parser.add_argument("--repeats", type=int, default=3, help="of each peer; rates are medians")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    seen_on = machine()
    count: int = arguments.events
    events = read_events(arguments.file).head(count) if arguments.file else made_events(count)
    results = run_peers(events, feast=arguments.feast, repeats=arguments.repeats)
    if arguments.json:
        document = {"machine": seen_on, "peers": [asdict(result) for result in results]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    output = Console()
    output.print("  ".join(f"{key} {value}" for key, value in seen_on.items()))
    output.print(_table(results))
    for result in results:
        output.print(f"{result.name}, {result.task}: {result.note}", highlight=False)


if __name__ == "__main__":
    main()
