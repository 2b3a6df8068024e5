"""``python -m proofs.simulator``: thousands of small histories full of faults, each from its seed.

A failure prints its seed and its trace; ``--seed`` lives through the very same history again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from proofs.simulator.campaign import Report, run_seeds, trace_of
from proofs.simulator.planted import PLANTED
from proofs.simulator.run import Verdict

__all__ = ["main"]

_TRACE_LINES = 40


def main(arguments: list[str] | None = None) -> int:
    """Run seeds; return 0 if every guarantee held, or if a planted bug was caught."""
    chosen = _parser().parse_args(arguments)
    seeds = range(chosen.start, chosen.start + chosen.seeds) if chosen.seed is None else [chosen.seed]
    # The first seed alone: it compiles or loads the kernels, which no rate should count.
    run_seeds([0])
    began = time.monotonic()
    report = run_seeds(seeds, planted=chosen.planted, jobs=min(chosen.jobs, len(seeds)))
    figures = report.figures() | {"seeds_per_minute": round(60 * report.seeds / (time.monotonic() - began))}
    if chosen.json:
        failures = [{"seed": one.seed, "failure": one.failure} for one in report.failures]
        print(json.dumps(figures | {"planted": chosen.planted, "failed": failures}, indent=2))
    else:
        _print_table(figures)
    for failed in report.failures:
        _print_failure(failed, planted=chosen.planted, lines=0 if chosen.trace else _TRACE_LINES)
    if chosen.trace and not report.failures:
        print(*trace_of(seeds[-1], planted=chosen.planted), sep="\n", file=sys.stderr)
    if chosen.planted:
        print(f"{chosen.planted}: {'caught' if report.failures else 'NOT caught'}", file=sys.stderr)
    return _status(report, planted=chosen.planted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="proofs.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument(
        "--trace", action="store_true", help="print the whole trace: of the failure, or of the last seed"
    )
    parser.add_argument("--planted", default="", choices=["", *PLANTED], help="a bug to put in first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _print_table(figures: dict[str, Any]) -> None:
    table = Table("figure", "measured")
    for name, value in figures.items():
        if name != "faults":
            table.add_row(name.replace("_", " "), f"{value:,}")
    for fault, count in figures["faults"].items():
        table.add_row(f"fault: {fault}", f"{count:,}")
    Console().print(table)


def _print_failure(failed: Verdict, *, planted: str, lines: int) -> None:
    again = f"--seed {failed.seed}" + (f" --planted {planted}" if planted else "")
    print(*failed.trace[-lines:], sep="\n", file=sys.stderr)
    print(f"seed {failed.seed}, step {failed.steps}: {failed.failure}", file=sys.stderr)
    print(f"again: python -m proofs.simulator {again} --trace", file=sys.stderr)


def _status(report: Report, *, planted: str) -> int:
    return int(bool(report.failures) != bool(planted))


if __name__ == "__main__":
    sys.exit(main())
