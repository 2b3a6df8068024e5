"""Which accounts launder money: slow features of the transfer graph on IBM's AMLSim sample.

``formicary bench amlsim`` or ``python -m benchmarks.amlsim``. A forest is trained on the daily job's features
as of the end of the data, in five stratified folds. No feature is an id, an order or a time of fraud; a label
is used of training folds only. It ends with 1 if the features alone rank worse than the baseline.

In this sample an honest account pays each counterparty once, and only launderers pay one again. The figures
say how much of such a pattern the features see, not how well they would do among people.

Three sets of features:

``slow features``       what ``formicary.factory.features.slow`` computes from the transfers alone
``… and balance``       with the first balance of each account, which the baseline's accounts have
``… and known fraud``   with the hops to fraud known from training folds; a training row sees the labels of
                        neither its own fold nor the test's
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import lightgbm
import numpy as np
import numpy.typing as npt
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks._folds import stratified_folds
from benchmarks._machine import machine
from formicary.base.errors import OperationalFault
from formicary.economy import amlsim
from formicary.factory.features.slow.distance import fraud_hops
from formicary.factory.features.slow.graph import TransferGraph, graph_of, pack
from formicary.factory.features.slow.job import daily
from formicary.factory.features.slow.spans import day_of, day_start
from formicary.factory.models.metrics import area_under_roc, average_precision
from formicary.runtime.settings import read_settings

__all__ = ["main"]

FOLDS: Final = 5
BASELINE: Final = {"AUC": 0.895, "AP": 0.754}
"""LightGBM on 20 simple features of the accounts, five folds, as published with the data set."""

_METRICS: Final = {"AUC": area_under_roc, "AP": average_precision}
_ROUNDS: Final = 400
_FOREST: Final = {
    "objective": "binary",
    "learning_rate": 0.02,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "verbose": -1,
}

_Matrix: TypeAlias = npt.NDArray[np.float64]
_Results: TypeAlias = dict[str, list[float]]


class DataSetMissing(OperationalFault):
    """The data set ``amlsim`` is not there: set FORMICARY_DATA to the folder of data sets."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """The sample: features (n, f) of its accounts, whether each is fraudulent (n,), its fold (n,)."""

    features: _Matrix
    balance: _Matrix
    graph: TransferGraph
    is_fraud: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.int64]

    def plain(self, _: int) -> _Matrix:
        """Return the slow features."""
        return self.features

    def with_balance(self, _: int) -> _Matrix:
        """Return the slow features and the first balance."""
        return np.column_stack([self.features, self.balance])

    def with_known_fraud(self, test: int) -> _Matrix:
        """Return the slow features and the hops to fraud that is known when ``test`` is the test's fold."""
        hops = np.empty(len(self.fold))
        for own in range(FOLDS):
            is_known = self.is_fraud & (self.fold != test) & (self.fold != own)
            is_own = self.fold == own
            hops[is_own] = fraud_hops(self.graph, is_known)["fraud_hops"][is_own]
        return np.column_stack([self.features, hops])


def read_sample(folder: Path | None, *, seed: int) -> tuple[Sample, float]:
    """Return the sample and how many seconds its features took.

    Raises
    ------
    DataSetMissing
        The files are not there.
    DataSetUnusable
        A file is not the one of the data set.
    """
    if folder is None or not (folder / amlsim.TRANSFERS).is_file():
        raise DataSetMissing
    transfers = amlsim.read_transfers(folder / amlsim.TRANSFERS)
    # In order of the graph's nodes.
    accounts = amlsim.read_accounts(folder / amlsim.ACCOUNTS).sort("party")
    until = day_start(day_of(int(transfers["at"].to_numpy().max())) + 1)
    began = time.perf_counter()
    # Nobody's device is known, and no label beforehand.
    devices = pl.DataFrame(schema={"party": pl.Int64, "device": pl.Int64, "at": pl.Int64})
    labels = pl.DataFrame(schema={"party": pl.Int64, "at": pl.Int64, "is_fraud": pl.Boolean})
    features = daily(transfers, devices, labels, until).drop("fraud_hops")
    seconds = time.perf_counter() - began
    rows = accounts.join(features, left_on="party", right_on="node", how="left", maintain_order="left")
    is_fraud = accounts["is_fraud"].to_numpy()
    sample = Sample(
        features=rows.select(features.columns[1:]).cast(pl.Float64).fill_null(np.nan).to_numpy(),
        balance=accounts.select(pl.col("balance").cast(pl.Float64)).to_numpy(),
        graph=graph_of(pack(transfers, until, others=accounts["party"].to_numpy())),
        is_fraud=is_fraud,
        fold=stratified_folds(is_fraud, folds=FOLDS, seed=seed),
    )
    return sample, seconds


def cross_validate(sample: Sample, features_of: Callable[[int], _Matrix], *, seed: int) -> _Results:
    """Return each metric on each of the folds, for a forest that is trained on the others."""
    results: _Results = {name: [] for name in _METRICS}
    for test in range(FOLDS):
        features, is_test = features_of(test), sample.fold == test
        training = lightgbm.Dataset(features[~is_test], sample.is_fraud[~is_test])
        forest = lightgbm.train({**_FOREST, "seed": seed}, training, _ROUNDS)
        scores = np.asarray(forest.predict(features[is_test]))
        for name, metric in _METRICS.items():
            results[name].append(metric(scores=scores, labels=sample.is_fraud[is_test]))
    return results


def _print(figures: dict[str, Any]) -> None:
    table = Table("features", "metric", *(f"fold {fold}" for fold in range(1, FOLDS + 1)), "mean")
    for name, results in figures["results"].items():
        for metric, values in results.items():
            mean = f"{np.mean(values):.3f}"
            table.add_row(name, metric, *(f"{value:.3f}" for value in values), mean)
    for metric, value in BASELINE.items():
        table.add_row("baseline: 20 simple features", metric, *[""] * FOLDS, f"{value:.3f}")
    output = Console()
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    output.print(f"{figures['features']} features of {figures['transfers']:,} transfers", end=" ")
    output.print(f"in {figures['features_seconds']} s")
    output.print(table)


def main() -> int:
    """Train on every set of features and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--seed", type=int, default=1, help="of the folds and of the forests")
    arguments = parser.parse_args()
    settings = read_settings(os.environ, folder=Path.cwd(), is_root=False)
    measured_on = machine()
    sample, seconds = read_sample(settings.data_sets, seed=arguments.seed)
    sets = {
        "slow features": sample.plain,
        "slow features and balance": sample.with_balance,
        "slow features and known fraud": sample.with_known_fraud,
    }
    results = {
        name: cross_validate(sample, features_of, seed=arguments.seed) for name, features_of in sets.items()
    }
    figures = {
        "machine": measured_on,
        "transfers": int(sample.graph.count.sum()),
        "features": sample.features.shape[1],
        "features_seconds": round(seconds, 1),
        "results": results,
        "baseline": BASELINE,
    }
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    is_better = all(np.mean(results["slow features"][name]) >= least for name, least in BASELINE.items())
    return 0 if is_better else 1


if __name__ == "__main__":
    sys.exit(main())
