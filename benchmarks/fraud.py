"""How well a model of our own features finds card frauds, by the *Fraud Detection Handbook*'s protocol.

``formicary bench fraud``: all payments are replayed, each is told what ``examples.features.card_risk``
defines, as known before it, with labels seven days late. A forest learns from the 85 days until 2018-07-31
and ranks the payments of 2018-08-08 to 08-14, without the customers who were known as defrauded by then
(Le Borgne and others, 2022, chapter 3). Beside it, what the book's models reached on the same week.

How many rounds are trained is judged by the latest fifth of the days learnt from. The size of trees and the
features that are left out were chosen with that week in sight, so expect a little less of another one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks._machine import machine
from examples.features.card_risk import CARD_RISK
from examples.features.fraud_handbook import CARD_PAYMENT
from examples.streams.fraud_handbook import LOOKED_AT, card_fraud, tested
from formicary.base.errors import OperationalFault
from formicary.base.purposes import Purpose
from formicary.economy.fraud_handbook import DATA_SET
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.store import FeatureStore
from formicary.factory.models.forest import forest_of
from formicary.factory.models.metrics import area_under_roc, average_precision, card_precision
from formicary.factory.models.table import table_of
from formicary.factory.models.trainer import train_forest
from formicary.runtime.settings import read_settings

__all__ = ["main"]

Words: TypeAlias = npt.NDArray[np.int64]

_DAY: Final = 86_400 * 10**9
_LEARN_DAYS: Final = 85
_EPOCH: Final = dt.date(1970, 1, 1)
_LEARN_LAST: Final = (dt.date(2018, 7, 31) - _EPOCH).days
_TEST_FIRST: Final = (dt.date(2018, 8, 8) - _EPOCH).days

SPEC: Final = card_fraud(CARD_RISK.features)

PUBLISHED: Final = {
    "book: logistic regression": (0.871, 0.606, 0.291),
    "book: random forest": (0.867, 0.658, 0.287),
    "book: XGBoost": (0.862, 0.639, 0.273),
}
"""Area under the curve, average precision and card precision at 100 of the same week."""


class DataSetMissing(OperationalFault):
    """The data set ``fraud_handbook`` is not there: set FORMICARY_DATA to the folder of data sets."""


def told(path: Path) -> tuple[dict[str, npt.NDArray[np.float64]], pl.DataFrame]:
    """Return the features of every payment by name, (n,), and the payments in order of time."""
    columns = {
        "id": pl.col("TRANSACTION_ID").cast(pl.Int64),
        "at": pl.col("TX_DATETIME").dt.epoch("ns"),
        "customer": pl.col("CUSTOMER_ID").cast(pl.Int64),
        "terminal": pl.col("TERMINAL_ID").cast(pl.Int64),
        "cents": (pl.col("TX_AMOUNT") * 100).round().cast(pl.Int64),
        "fraud": pl.col("TX_FRAUD").cast(pl.Int64),
    }
    payments = pl.read_parquet(path).select(**columns).sort("at", "id")
    compiled = compile_sets([CARD_RISK])
    events = events_of(
        compiled,
        CARD_PAYMENT,
        at=payments["at"].to_numpy(),
        columns={
            "customer": key_words(payments["customer"].to_numpy()),
            "terminal": key_words(payments["terminal"].to_numpy()),
            "amount": payments["cents"].to_numpy(),
            "fraud": payments["fraud"].to_numpy(),
        },
    )
    found = FeatureStore(compiled).replay(CARD_RISK.name, events, purpose=Purpose.FRAUD)
    return dict(zip(found.names, found.values.T, strict=True)), payments


def measure(path: Path, *, threads: int) -> dict[str, Any]:
    """Replay, train, rank."""
    began = time.perf_counter()
    features, payments = told(path)
    replayed = time.perf_counter()
    at, labels = payments["at"].to_numpy(), payments["fraud"].to_numpy()
    customers, days = payments["customer"].to_numpy(), payments["at"].to_numpy() // _DAY
    learnt = (days > _LEARN_LAST - _LEARN_DAYS) & (days <= _LEARN_LAST)
    table = table_of(
        SPEC, {name: features[name][learnt] for name in SPEC.names}, labels[learnt], at=at[learnt]
    )
    forest = forest_of(train_forest(SPEC, table, threads=threads).booster)
    trained = time.perf_counter()
    rows = np.concatenate(list(tested(days, customers, labels, first=_TEST_FIRST)))
    scores = forest.raw_scores(np.column_stack([features[name][rows] for name in SPEC.names]))
    return {
        "payments": len(labels),
        "learnt": int(learnt.sum()),
        "trees": forest.tree_count,
        "tested": len(rows),
        "frauds": int(labels[rows].sum()),
        "area_under_roc": area_under_roc(scores=scores, labels=labels[rows]),
        "average_precision": average_precision(scores=scores, labels=labels[rows]),
        "card_precision": card_precision(
            scores=scores,
            labels=labels[rows],
            cards=customers[rows],
            days=days[rows],
            cards_per_day=LOOKED_AT,
        ),
        "replay_s": replayed - began,
        "train_s": trained - replayed,
    }


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=110)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    ours = figures["ours"]
    output.print(
        f"{ours['payments']:,} payments replayed in {ours['replay_s']:.1f} s; {ours['learnt']:,} learnt from "
        f"in {ours['train_s']:.0f} s, {ours['trees']} trees; {ours['tested']:,} ranked, {ours['frauds']} bad"
    )
    table = Table("who", "AUC", "AP", f"CP@{LOOKED_AT}")
    shown = (ours["area_under_roc"], ours["average_precision"], ours["card_precision"])
    for name, values in {"ours, flat forest": shown, **PUBLISHED}.items():
        table.add_row(name, *(f"{value:.3f}" for value in values))
    output.print(table)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="for LightGBM; results do not depend on it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    folder = read_settings(os.environ, folder=Path.cwd(), is_root=False).data_sets
    if folder is None or not (folder / DATA_SET).is_file():
        raise DataSetMissing
    figures = {"machine": machine(), "ours": measure(folder / DATA_SET, threads=arguments.threads)}
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)


if __name__ == "__main__":
    main()
