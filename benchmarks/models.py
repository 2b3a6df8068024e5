"""How well forests and scorecards rank and calibrate on public credit data, beside what others reached.

``formicary bench models``: each data set by its protocol, repeated stratified cross-validation or its
published test part; what is chosen, is chosen within the rows learnt from alone. Then the platform's own
check for leaks, on every data set and on one with a column that was written after the outcome. Metrics are
means over the parts that were left out: area under the curve, Brier score, expected calibration error in ten
bins, and the share of rows on the wrong side of a chance of one half.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from benchmarks._credit_data import CREDIT_DATA, LEAKING_TERM, CreditData
from benchmarks._folds import stratified_folds
from benchmarks._machine import machine
from formicary.base.errors import OperationalFault
from formicary.factory.models.calibration import choose_calibration
from formicary.factory.models.leaks import suspicions
from formicary.factory.models.metrics import area_under_roc, brier_score, calibration_error
from formicary.factory.models.model import scorecard_columns
from formicary.factory.models.table import TrainingTable, table_of
from formicary.factory.models.trainer import train_forest
from formicary.factory.models.training import scorecard_of
from formicary.runtime.settings import read_settings

__all__ = ["main"]

Flags: TypeAlias = npt.NDArray[np.bool_]

_METRICS: Final = ("AUC", "Brier", "calibration", "wrong")
_BEHIND_MAX: Final = 0.015
"""How far behind others' additive model a scorecard may rank."""


class DataSetsMissing(OperationalFault):
    """The public data sets are not there: set FORMICARY_DATA to the folder of data sets."""


def left_out_parts(
    data: CreditData, table: TrainingTable, is_test: Flags | None, *, repeats: int
) -> list[Flags]:
    """Return which rows are left out, (n,), one part after the other."""
    if is_test is not None:
        return [is_test]
    folds = [stratified_folds(table.labels == 1, folds=data.folds, seed=seed) for seed in range(repeats)]
    return [fold == number for fold in folds for number in range(data.folds)]


def measured(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.float64]) -> list[float]:
    """Return the metrics of predictions for rows that were left out."""
    return [
        area_under_roc(scores=probabilities, labels=labels),
        brier_score(probabilities=probabilities, labels=labels),
        calibration_error(probabilities=probabilities, labels=labels),
        float(((probabilities > 0.5) != (labels == 1)).mean()),  # noqa: PLR2004, an even chance
    ]


def measure(data: CreditData, folder: Path, *, repeats: int, threads: int) -> dict[str, Any]:
    """Return the means of the metrics over all parts that are left out, and what is suspected."""
    columns, labels, frame = data.read(folder)
    table = table_of(data.spec, columns, labels)
    is_test = data.is_test(frame) if data.is_test else None
    forests, scorecards = [], []
    began = time.perf_counter()
    parts = left_out_parts(data, table, is_test, repeats=repeats)
    for left_out in parts:
        learnt = table.rows(~left_out)
        trained = train_forest(data.spec, learnt, threads=threads)
        is_judged = ~np.isnan(trained.left_out)
        calibration = choose_calibration(
            scores=trained.left_out[is_judged], labels=learnt.labels[is_judged], seed=data.spec.seed
        )
        raw = np.asarray(trained.booster.predict(table.values[left_out], raw_score=True))
        forests.append(measured(calibration.apply(raw), table.labels[left_out]))
        log_odds = scorecard_of(data.spec, learnt).score(scorecard_columns(data.spec, table.values[left_out]))
        scorecards.append(measured(expit(log_odds), table.labels[left_out]))
        seconds = time.perf_counter() - began
        sys.stderr.write(f"{data.name}: {len(forests)} of {len(parts)} parts, {seconds:.0f} s\n")
    return {
        "data": data.name,
        "rows": len(table.labels),
        "positives": float(table.labels.mean()),
        "parts": len(forests),
        "forest": dict(zip(_METRICS, np.mean(forests, axis=0).tolist(), strict=True)),
        "scorecard": dict(zip(_METRICS, np.mean(scorecards, axis=0).tolist(), strict=True)),
        "published": {"forest": data.forest, "scorecard": data.additive, "additive": data.additive_name},
        "suspected": [one.column for one in suspicions(data.spec, table)],
        "seconds": time.perf_counter() - began,
    }


def measure_leak(folder: Path) -> list[str]:
    """Return what is suspected where the term of a loan is a column."""
    data = next(data for data in CREDIT_DATA if data.name == LEAKING_TERM.name)
    _, labels, frame = data.read(folder)
    columns = {column.name: frame[column.name].to_numpy() for column in LEAKING_TERM.columns}
    table = table_of(LEAKING_TERM, columns, labels)
    return [f"{one.column}: {one.said}" for one in suspicions(LEAKING_TERM, table)]


def _aim(row: dict[str, Any], name: str) -> float:
    """Return the area under the curve to reach: others' of a forest, nearly others' of a scorecard."""
    reached = float(row["published"][name]["AUC"])
    return reached if name == "forest" else reached - _BEHIND_MAX


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=110)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(("", *_METRICS, "aim of AUC")):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for row in figures["data sets"]:
        others = row["published"]
        table.add_row(f"{row['data']}, {row['rows']:,} rows, {row['positives']:.1%} bad")
        for name, who in (("forest", "boosted trees"), ("scorecard", others["additive"])):
            aim = _aim(row, name)
            reached = f"{aim:.3f} {'reached' if row[name]['AUC'] >= aim else 'missed'}"
            table.add_row(f"  our {name}", *(f"{row[name][metric]:.4f}" for metric in _METRICS), reached)
            shown = [f"{others[name][metric]:.4f}" if metric in others[name] else "" for metric in _METRICS]
            table.add_row(f"  published: {who}", *shown)
    output.print(table)
    for row in figures["data sets"]:
        suspected = ", ".join(row["suspected"]) or "no column"
        output.print(f"{row['data']}: {row['parts']} parts in {row['seconds']:.0f} s; suspected: {suspected}")
    output.print(f"sba_case with the leaking column: {'; '.join(figures['leak'])}")


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        nargs="*",
        default=[data.name for data in CREDIT_DATA],
        help="which data sets; all unless given",
    )
    parser.add_argument("--repeats", type=int, help="of the cross-validation, in place of the protocol's")
    parser.add_argument("--threads", type=int, default=1, help="for LightGBM; results do not depend on it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    folder = read_settings(os.environ, folder=Path.cwd(), is_root=False).data_sets
    if folder is None:
        raise DataSetsMissing
    figures: dict[str, Any] = {"machine": machine()}
    figures["data sets"] = [
        measure(data, folder, repeats=arguments.repeats or data.repeats, threads=arguments.threads)
        for data in CREDIT_DATA
        if data.name in arguments.data
    ]
    figures["leak"] = measure_leak(folder)
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)


if __name__ == "__main__":
    main()
