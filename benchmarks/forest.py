"""How fast a forest scores rows, with and without reasons, beside LightGBM in the same run.

``formicary bench forest``: 200 trees of 31 leaves over 60 features, trained on labels of pure chance with
random thresholds, so that nobody can guess where a row goes. All scores are compared bit for bit before any
rate is told. Everything is scored in one thread; times are of the processor.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Final

import lightgbm
import lightgbm.basic
import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks._machine import machine
from formicary.factory.models.forest import Scorer, forest_of
from formicary.factory.models.tree_shap import TreeShap

_MICROSECONDS: Final = 1e6
_FEATURES: Final = 60
_TRAINING_ROWS: Final = 20_000
_LEAVES: Final = 31
_RAW_SCORE: Final = 1
_FLOAT64: Final = 1

Rows = npt.NDArray[np.float64]
Scoring = Callable[[Rows], npt.NDArray[np.float64]]


def trained(trees: int, given: Rows | None = None, names: Sequence[str] | None = None) -> lightgbm.Booster:
    """Return a booster that learned nothing: its leaves are about equally likely, in no pattern.

    It learns from normal numbers, or from the first of the rows that are given, (n, features).
    """
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(_TRAINING_ROWS, _FEATURES)) if given is None else given[:_TRAINING_ROWS]
    parameters = {
        "objective": "binary",
        "num_leaves": _LEAVES,
        "extra_trees": True,
        "min_data_in_leaf": _TRAINING_ROWS // 80,
        "verbose": -1,
        "num_threads": 2,
        "seed": 1,
    }
    labels = (chance.random(len(rows)) < 0.5).astype(np.float64)  # noqa: PLR2004, a coin
    data = lightgbm.Dataset(rows, labels, feature_name="auto" if names is None else list(names))
    return lightgbm.train(parameters, data, trees)


def fast_single_rows(booster: lightgbm.Booster) -> Scoring:
    """Return LightGBM's fast path for single rows of its C interface, called once a row."""
    # Its Python interface has no way to the fast path.
    library: Any = vars(lightgbm.basic)["_LIB"]
    handle = booster._handle  # noqa: SLF001, the same
    fast = ctypes.c_void_p()
    code = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        handle, _RAW_SCORE, 0, -1, _FLOAT64, _FEATURES, ctypes.c_char_p(b"num_threads=1"), ctypes.byref(fast)
    )
    if code:
        message = "LightGBM has no fast path for single rows"
        raise SystemExit(message)
    predict = library.LGBM_BoosterPredictForMatSingleRowFast

    def score(rows: Rows) -> npt.NDArray[np.float64]:
        scores = np.zeros(len(rows))
        length = ctypes.c_int64()
        where = ctypes.byref(length)
        row_at, score_at = rows.ctypes.data, scores.ctypes.data
        for place in range(len(rows)):
            row = ctypes.c_void_p(row_at + place * _FEATURES * 8)
            predict(fast, row, where, ctypes.c_void_p(score_at + place * 8))
        return scores

    return score


def measured(score: Scoring, rows: Rows, repeats: int) -> list[float]:
    """Return microseconds of the processor a row, of each repeat after one that is not counted."""
    taken = []
    for _ in range(repeats + 1):
        began = time.thread_time()
        score(rows)
        taken.append((time.thread_time() - began) / len(rows) * _MICROSECONDS)
    return taken[1:]


def measure(*, rows_count: int, single_rows: int, trees: int, repeats: int) -> list[dict[str, Any]]:
    """Return what each way to score rows takes."""
    booster = trained(trees)
    forest = forest_of(booster)
    scorer = Scorer(forest)
    rows = np.random.default_rng(2).normal(size=(rows_count, _FEATURES))
    few = rows[:single_rows]

    def one_by_one(given: Rows) -> npt.NDArray[np.float64]:
        return np.array([scorer.explain(given[place : place + 1]).scores[0] for place in range(len(given))])

    def lightgbm_batch(given: Rows) -> npt.NDArray[np.float64]:
        return np.asarray(booster.predict(given, raw_score=True, num_threads=1))

    def lightgbm_reasons(given: Rows) -> npt.NDArray[np.float64]:
        reasons: Rows = np.asarray(booster.predict(given, pred_contrib=True, num_threads=1))
        return np.asarray(reasons.sum(axis=1))

    shap = TreeShap(forest)

    def shap_reasons(given: Rows) -> npt.NDArray[np.float64]:
        return np.asarray(shap.contributions(given).sum(axis=1) + shap.expected_score)

    ways: list[tuple[str, str, Scoring, Rows]] = [
        ("formicary", "batch", scorer.raw_scores, rows),
        ("formicary", "one row with reasons, in a kernel", lambda given: scorer.explain(given).scores, rows),
        ("formicary", "one row with reasons, from Python", one_by_one, few),
        ("formicary", "batch with exact SHAP reasons", shap_reasons, rows[: max(single_rows // 20, 1)]),
        ("LightGBM", "batch", lightgbm_batch, rows),
        ("LightGBM", "one row, C fast path by ctypes", fast_single_rows(booster), few),
        ("LightGBM", "batch with exact SHAP reasons", lightgbm_reasons, rows[: max(single_rows // 20, 1)]),
    ]
    expected = lightgbm_batch(rows)
    figures = []
    for who, way, score, given in ways:
        found = score(given)
        taken = measured(score, given, repeats)
        figures.append(
            {
                "who": who,
                "way": way,
                "rows": len(given),
                "microseconds": round(median(taken), 2),
                "best": round(min(taken), 2),
                "rows_per_second": round(_MICROSECONDS / median(taken)),
                "same_bits": bool(np.array_equal(found, expected[: len(given)])),
            }
        )
    if not all(row["same_bits"] for row in figures[:3]):
        message = "our scores are not those of LightGBM"
        raise SystemExit(message)
    return figures


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=110)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(
        ("who", "way", "rows", "µs a row", "best", "rows/s of a core", "same bits")
    ):
        table.add_column(heading, justify="left" if place < 2 else "right", no_wrap=True)  # noqa: PLR2004, names
    for row in figures["ways"]:
        table.add_row(
            row["who"],
            row["way"],
            f"{row['rows']:,}",
            f"{row['microseconds']:,.2f}",
            f"{row['best']:,.2f}",
            f"{row['rows_per_second']:,}",
            "yes" if row["same_bits"] else "no",
        )
    output.print(table)


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000, help="in a batch")
    parser.add_argument("--single-rows", type=int, default=4_000, help="that are scored one by one")
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5, help="of each; rates are medians")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    figures = {
        "machine": machine(),
        "ways": measure(
            rows_count=arguments.rows,
            single_rows=min(arguments.single_rows, arguments.rows),
            trees=arguments.trees,
            repeats=arguments.repeats,
        ),
    }
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)


if __name__ == "__main__":
    main()
