"""How fast a whole base of parties is pre-approved on one core, and what a decision costs.

``formicary bench preapproval``: 200 trees over 30 columns are learnt from parties that are made up, whose
defaults depend on six of the columns, and calibrated on parties they did not see. Then a whole base is
decided about, with all that a nightly run does: scores, chances, limits by sales and affordability, price,
what own funds and cash carry, expected losses, and up to four reasons of whoever gets nothing, by the
forest's paths. Everything runs in one thread. A part is decided again, party by party with the book that the
one before left, and must come out the same.

Beside that the whole path is measured: a base of parties in an engine on a durable journal, each part of a
run committed before the next, by the model that is declared (``benchmarks._whole_base``).

Money is in yuan, beside the figures that are told of MYbank: about 3 a loan, and about 2,000 at a bank
(press, not audited). Those hold data, people and premises; ours is the processor's time of the decision
alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt
from rich import box
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from benchmarks._machine import machine
from benchmarks._whole_base import measure_whole
from formicary.base.errors import OperationalFault
from formicary.factory.models.calibration import Calibration, platt
from formicary.factory.models.forest import Forest, Scorer, forest_of
from formicary.products.lending.millionths import MILLION, millionths_of
from formicary.products.lending.underwriting.capital import Binding, Book, CapitalPolicy
from formicary.products.lending.underwriting.policy import CreditPolicy, TurnoverBand
from formicary.products.lending.underwriting.preapproval import NEVER_WARNED, Parties, decide
from formicary.products.lending.underwriting.reasons import needs_columns, principal_reasons

__all__ = ["main"]

Reals = npt.NDArray[np.float64]

_COLUMNS: Final = 30
_TRAINING_ROWS: Final = 20_000
_LEAVES: Final = 31
_SEGMENTS: Final = 40
_ALONE: Final = 300
"""Parties that are decided again one by one."""
_AT_ONCE: Final = 16_384
_SECONDS_PER_HOUR: Final = 3_600
_MYBANK_YUAN: Final = 3
_BANK_YUAN: Final = 2_000

_POLICY: Final = CreditPolicy(
    currency="CNY",
    bands=(
        TurnoverBand(default_millionths=10_000, sales_millionths=2_000_000),
        TurnoverBand(default_millionths=30_000, sales_millionths=1_000_000),
        TurnoverBand(default_millionths=60_000, sales_millionths=500_000),
    ),
    cost_per_line=300,
)
_CAPITAL: Final = CapitalPolicy(leverage_min_millionths=100_000)


class ResultsDiffer(OperationalFault):
    """A party came out otherwise alone than in the batch: the figures mean nothing."""


class Base(NamedTuple):
    """Parties that are made up."""

    rows: Reals
    """What the model reads, (n, columns)."""
    sales: npt.NDArray[np.int64]
    """Of 30 days, in fen, (n,)."""
    segments: npt.NDArray[np.int64]

    def part(self, first: int, count: int) -> Base:
        """Return so many of them."""
        some = slice(first, first + count)
        return Base(self.rows[some], self.sales[some], self.segments[some])


def made_up(count: int, seed: int) -> tuple[Base, Reals]:
    """Return parties, and whether each defaults, (n,): about one in thirty."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(count, _COLUMNS))
    odds = -4.2 + rows[:, :6] @ np.array([0.9, 0.7, 0.5, -0.6, -0.4, 0.3])
    sales = np.exp(chance.normal(14.5, 1.1, count)).astype(np.int64)
    segments = chance.integers(0, _SEGMENTS, count)
    return Base(rows, np.minimum(sales, 10**10), segments), (chance.random(count) < expit(odds)).astype(float)


def learnt(trees: int) -> tuple[Forest, Calibration]:
    """Return a forest, and the calibration of its scores."""
    base, labels = made_up(_TRAINING_ROWS, 1)
    settings = {"objective": "binary", "num_leaves": _LEAVES, "learning_rate": 0.03, "verbose": -1, "seed": 1}
    data = lightgbm.Dataset(base.rows, labels)
    forest = forest_of(lightgbm.train({**settings, "num_threads": 1}, data, trees))
    other, outcomes = made_up(_TRAINING_ROWS // 2, 2)
    return forest, platt(scores=forest.raw_scores(other.rows), labels=outcomes)


def asked(base: Base, chances: Reals, first: int) -> Parties:
    """Return parties in columns as the policy reads them; ``first`` is the number of the first."""
    count = len(chances)
    return Parties(
        default=millionths_of(chances),
        loss=np.full(count, 450_000),
        sales_30d=base.sales,
        sales_90d=base.sales * 3,
        debt_service=base.sales // 20,
        history_days=30 + (np.arange(count) + first) % 700,
        arrears_days=((np.arange(count) + first) % 50 == 0).astype(np.int64),
        warned_days=np.full(count, NEVER_WARNED),
        is_stopped=(np.arange(count) + first) % 500 == 0,
        segments=base.segments,
        groups=np.arange(count) + first,
        retained=np.full(count, MILLION),
    )


def preapprove(scorer: Scorer, calibration: Calibration, base: Base, book: Book) -> tuple[Any, Any, Book]:
    """Return decisions and reasons about all parties, and the book afterwards."""
    decisions, reasons = [], []
    for first in range(0, len(base.rows), _AT_ONCE):
        block = base.part(first, _AT_ONCE)
        chances = calibration.apply(scorer.raw_scores(block.rows))
        told = decide(_POLICY, _CAPITAL, book, asked(block, chances, first))
        added = scorer.explain(block.rows[needs_columns(told.decisions)]).attributions
        reasons.append(principal_reasons(told.decisions, added))
        decisions.append(told.decisions)
        book = told.book
    return np.concatenate(decisions), np.concatenate(reasons), book


def compare(scorer: Scorer, calibration: Calibration, base: Base, book: Book, decisions: Any) -> float:
    """Decide about the first parties one by one; return the processor's seconds for each.

    Raises
    ------
    ResultsDiffer
        A party came out otherwise.
    """
    count, began = min(_ALONE, len(decisions)), time.process_time()
    for place in range(count):
        one = base.part(place, 1)
        parties = asked(one, calibration.apply(scorer.raw_scores(one.rows)), place)
        told = decide(_POLICY, _CAPITAL, book, parties)
        book = told.book
        if told.decisions[0] != decisions[place]:
            raise ResultsDiffer
    return (time.process_time() - began) / count


def measure(*, parties: int, trees: int, repeats: int, core_hour: float) -> dict[str, Any]:
    """Return the figures: rates are medians of the repeats, of the processor's time."""
    forest, calibration = learnt(trees)
    scorer = Scorer(forest)
    base, _ = made_up(parties, 3)
    # Own funds that carry half of what would be lent: limits bind within the run.
    wanted = preapprove(scorer, calibration, base, Book(own_funds=10**16, cash=10**18))[2].exposure
    book = Book(own_funds=wanted // 20, cash=10**18)
    taken, waited = [], []
    for _ in range(repeats):
        began, clock = time.process_time(), time.perf_counter()
        decisions, reasons, after = preapprove(scorer, calibration, base, book)
        taken.append(time.process_time() - began)
        waited.append(time.perf_counter() - clock)
    alone = compare(scorer, calibration, base, book, decisions)
    seconds = float(np.median(taken))
    each = seconds / parties
    lent = decisions["limit"] > 0
    return {
        "parties": parties,
        "trees": forest.tree_count,
        "columns": _COLUMNS,
        "parties_per_second": round(parties / seconds),
        "parties_per_second_wall": round(parties / float(np.median(waited))),
        "cpu_seconds_per_decision": each,
        "yuan_per_core_hour": core_hour,
        "yuan_per_decision": each / _SECONDS_PER_HOUR * core_hour,
        "offers_share": float(lent.mean()),
        "cut_or_refused_by_own_funds": int((decisions["binding"] != Binding.NOTHING).sum()),
        "with_reasons": int((reasons[:, 0] > 0).sum()),
        "lent_share_of_wanted": (after.exposure - book.exposure) / wanted,
        "alone_as_in_the_batch": min(_ALONE, parties),
        "cpu_microseconds_alone": round(alone * 10**6),
    }


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=110)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    table = Table("figure", "value", box=box.SIMPLE, pad_edge=False)
    yuan = figures["yuan_per_decision"]
    rows = [
        ("parties", f"{figures['parties']:,}"),
        ("forest", f"{figures['trees']} trees over {figures['columns']} columns"),
        ("parties/s of a core", f"{figures['parties_per_second']:,}"),
        ("parties/s by the clock on the wall", f"{figures['parties_per_second_wall']:,}"),
        ("CPU seconds a decision", f"{figures['cpu_seconds_per_decision']:.2e}"),
        (f"yuan a decision, at {figures['yuan_per_core_hour']:g} a core-hour", f"{yuan:.2e}"),
        (f"of MYbank's {_MYBANK_YUAN} a loan (press)", f"1 / {_MYBANK_YUAN / yuan:,.0f}"),
        (f"of a bank's {_BANK_YUAN:,} a loan (press)", f"1 / {_BANK_YUAN / yuan:,.0f}"),
        ("parties with an offer", f"{figures['offers_share']:.1%}"),
        ("cut or refused by own funds", f"{figures['cut_or_refused_by_own_funds']:,}"),
        ("parties with reasons", f"{figures['with_reasons']:,}"),
        ("decided again alone, the same", f"{figures['alone_as_in_the_batch']:,}"),
        ("CPU microseconds of each alone", f"{figures['cpu_microseconds_alone']:,}"),
        *_whole_rows(figures),
    ]
    for row in rows:
        table.add_row(*row)
    output.print(table)


def _whole_rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    if not figures["whole_parties"]:
        return []
    return [
        ("the whole path: parties in an engine", f"{figures['whole_parties']:,}"),
        ("loans that they owe", f"{figures['whole_loans']:,}"),
        ("parties/s by the clock, durable", f"{figures['whole_parties_per_second']:,}"),
        ("parties/s of a core", f"{figures['whole_parties_per_second_of_a_core']:,}"),
        ("parties that have an offer then", f"{figures['whole_offers']:,}"),
        ("milliseconds of the longest of all parts", f"{figures['whole_longest_part_ms']:,}"),
        ("the next night: offers and parties/s", f"{figures['whole_second_night_per_second']:,}"),
    ]


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parties", type=int, default=200_000)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3, help="rates are medians")
    parser.add_argument("--core-hour", type=float, default=1.0, help="what an hour of a core costs, in yuan")
    parser.add_argument(
        "--whole", type=int, default=20_000, help="parties of the whole path; 0 leaves it out"
    )
    parser.add_argument(
        "--borrowers", type=int, default=0, help="percent of the whole path's parties that owe loans"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    figures = {
        "machine": machine(),
        **measure(
            parties=arguments.parties,
            trees=arguments.trees,
            repeats=arguments.repeats,
            core_hour=arguments.core_hour,
        ),
        **(
            measure_whole(arguments.whole, borrowers=arguments.borrowers)
            if arguments.whole
            else {"whole_parties": 0}
        ),
    }
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)


if __name__ == "__main__":
    main()
