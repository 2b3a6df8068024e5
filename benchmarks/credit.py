"""How well loans are told apart by what the applicant wrote and by what an account's history adds.

``formicary bench credit``: on a Czech bank's loans (``berka``) and on guaranteed loans to small firms
(``sba_case``), boosted trees and an additive scorecard, each with the application alone and with everything.
What each adds is told in ranking and in a lender's money, then what share of loans may be approved at which
default rate. Features of accounts come from imported transactions through the features' own store, strictly
before the loan; models from the factory's own trainers, whose search sees the rows that are learnt from
alone. ``--fairness`` adds whether groups are treated alike that no model knows of, on ``german_credit`` and
``taiwan_default``.

Protocols are those of the data sets' READMEs. Which columns there are, and their directions, was written
down with a run over the folds in sight, and four trials in place of eight; hyper-parameters were not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from rich.console import Console

from benchmarks._berka_loans import (
    AGGREGATES,
    APPLICATION,
    FOLDER,
    HISTORY,
    WITH_HISTORY,
    read_aggregates,
    read_loans,
)
from benchmarks._credit_fairness import AUDITS, audited
from benchmarks._credit_page import page_of
from benchmarks._credit_tables import print_figures
from benchmarks._folds import stratified_folds
from benchmarks._frontier import frontier
from benchmarks._horse_race import (
    CELLS,
    Contest,
    forest_run,
    intervals,
    protocol_figures,
    race,
    resamples,
    run_of,
    scorecard_run,
)
from benchmarks._lending import worth
from benchmarks._machine import machine
from benchmarks._sba_loans import sba_contest
from formicary.base.errors import OperationalFault
from formicary.factory.models.metrics import area_under_roc, average_precision
from formicary.factory.models.table import table_of
from formicary.runtime.settings import read_settings

__all__ = ["berka_contest", "main"]

_PARTS: Final = ("berka", "berka_history", "berka_aggregates", "sba_case")
_FOLDS: Final = 10
_REPEATS: Final = 5
_PAGES: Final = Path(__file__).parents[1] / "build"

_PUBLISHED: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "berka": (
        ("data set's README: LightGBM, same protocol", "0.938", "0.063", "0.773", "0.0392"),
        ("data set's README: logistic regression", "0.934", "", "0.792", "0.0381"),
        ("getML: random split, loan's day and orders read", "0.9465", "", "", ""),
        ("zhouxu-ds: static and mean balance, 5-fold", "0.725", "", "", ""),
    ),
    "sba_case": (
        ("data set's README: LightGBM", "0.844", "", "", ""),
        ("Li, Mickel and Taylor: logistic, with Recession", "0.729", "", "", ""),
    ),
    "aggregates": (
        ("README, 1997-98 by 1993-96: LightGBM", "0.938", "", ""),
        ("README, the same: logistic regression", "0.940", "", ""),
        ("FEUP course, Kaggle in class, the same split", "0.951", "", ""),
        ("README, 5 x 10-fold: LightGBM", "0.903", "0.726", ""),
    ),
}


class DataSetsMissing(OperationalFault):
    """The public data sets are not there: set FORMICARY_DATA to the folder of data sets."""


def berka_contest(data_sets: Path, *, repeats: int) -> Contest:
    """Return the race on the 354 loans whose accounts' history is at hand."""
    loans = read_loans(data_sets)
    folds = [stratified_folds(loans.labels == 1, folds=_FOLDS, seed=seed) for seed in range(repeats)]
    return Contest(
        name=FOLDER,
        application=APPLICATION,
        everything=WITH_HISTORY,
        columns=loans.columns,
        labels=loans.labels,
        amounts=loans.amounts,
        parts=[[fold == number for number in range(_FOLDS)] for fold in folds],
        protocol=f"{repeats} x {_FOLDS}-fold",
        second="what the account's transactions tell",
        currency="CZK",
    )


def measure_history(contest: Contest) -> dict[str, Any]:
    """Return what both models reach with what transactions tell alone."""
    return {
        model: protocol_figures(contest, run_of(contest, HISTORY, model, cut_repeats=0))
        for model in ("forest", "scorecard")
    }


def measure(contest: Contest, *, cut_repeats: int) -> dict[str, Any]:
    """Race, and return what the four reached, what was gained, and the frontier of both with everything."""
    runs = race(contest, cut_repeats=cut_repeats)
    measured = {
        f"{model}, {columns}": protocol_figures(contest, runs[columns, model]) for columns, model in CELLS
    }
    judged = ~np.isnan(runs[CELLS[0]].scores[0])
    drawn = resamples(len(contest.labels), seed=0)
    each = worth(contest.labels, contest.amounts, contest.terms)
    return {
        "data": contest.name,
        "judged": int(judged.sum()),
        "bad": int(contest.labels[judged].sum()),
        "protocol": contest.protocol,
        "second": contest.second,
        "currency": contest.currency,
        "margin": contest.terms.margin_bp,
        "loss": contest.terms.loss_bp,
        "measured": measured,
        "published": _PUBLISHED.get(contest.name, ()),
        "race": intervals(contest, runs),
        "all approved": float(each[judged].sum() * 10_000.0 / contest.amounts[judged].sum()),
        "frontier": {
            model: frontier(runs["everything", model].scores, contest.labels, drawn)
            for model in ("scorecard", "forest")
        },
    }


def measure_aggregates(data_sets: Path) -> dict[str, Any]:
    """Return what models reach on all 682 loans: later ones by earlier ones, and by how loans stand."""
    columns, labels, is_late, has_ended = read_aggregates(data_sets)
    table = table_of(AGGREGATES, columns, labels)
    measured = {}
    for name, run in (("forest", forest_run), ("scorecard", scorecard_run)):
        said = run(AGGREGATES, table.rows(~is_late), table.values[is_late], seeks_cut=False)
        measured[f"1997-98 by 1993-96, our {name}"] = _judged(said.scores, labels[is_late])
    scores = np.empty(len(labels))
    fold = stratified_folds(labels == 1, folds=_FOLDS, seed=0)
    for number in range(_FOLDS):
        out = fold == number
        scores[out] = forest_run(AGGREGATES, table.rows(~out), table.values[out], seeks_cut=False).scores
    for name, rows in (("all", np.ones(len(labels), np.bool_)), ("A, B", has_ended), ("C, D", ~has_ended)):
        measured[f"10-fold once, our forest: {name}"] = _judged(scores[rows], labels[rows])
    return {"measured": measured, "published": _PUBLISHED["aggregates"]}


def _judged(scores: Any, labels: Any) -> dict[str, Any]:
    return {
        "AUC": area_under_roc(scores=scores, labels=labels),
        "AP": average_precision(scores=scores, labels=labels),
        "rows": f"{len(labels)}, {int(labels.sum())}",
    }


def main() -> None:
    """Measure and print tables, or JSON; write the page of frontiers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", nargs="*", default=_PARTS, choices=_PARTS, help="which parts; all unless given"
    )
    parser.add_argument("--fairness", action="store_true", help="audit two more data sets as well")
    parser.add_argument("--repeats", type=int, default=_REPEATS, help="of the cross-validation on berka")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    folder = read_settings(os.environ, folder=Path.cwd(), is_root=False).data_sets
    if folder is None:
        raise DataSetsMissing
    began = time.perf_counter()
    figures: dict[str, Any] = {"machine": machine(), "contests": [], "fairness": []}
    if _PARTS[0] in arguments.data:
        contest = berka_contest(folder, repeats=arguments.repeats)
        # A scorecard's cut-off takes four more scorecards a fold: one repeat of them is enough of money.
        figures["contests"].append(measure(contest, cut_repeats=1))
    if _PARTS[1] in arguments.data:
        figures["history"] = measure_history(berka_contest(folder, repeats=arguments.repeats))
    if _PARTS[2] in arguments.data:
        figures["aggregates"] = measure_aggregates(folder)
    if _PARTS[3] in arguments.data:
        for is_by_time in (False, True):
            figures["contests"].append(measure(sba_contest(folder, is_by_time=is_by_time), cut_repeats=1))
    if arguments.fairness:
        figures["fairness"] = [audited(audit, folder) for audit in AUDITS]
    figures["seconds"] = time.perf_counter() - began
    if figures["contests"]:
        _PAGES.mkdir(exist_ok=True)
        page = _PAGES / "credit.html"
        page.write_text(page_of(figures))
        sys.stderr.write(f"The page: {page.relative_to(Path(__file__).parents[1])}\n")
    if arguments.json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(figures), indent=2) + "\n")
    else:
        print_figures(figures, Console(width=130))


if __name__ == "__main__":
    main()
