"""``python -m proofs.learning``: what a learner refuses and undoes, and how soon it learns.

``sabotage``, ``injected`` or ``selection``; each in worlds drawn from seeds, and a table of what came of
them. The status is 0 if every aim was met.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from proofs.learning.charts import line_chart
from proofs.learning.injected import ALARM_MINUTES_MAX, AN_HOUR, Injected, injected, quiet_alarms, sensed
from proofs.learning.sabotage import SABOTEURS, Outcome, outcomes_of
from proofs.learning.selection import CYCLES, SHARE, Cycle, behind, is_right, lent
from proofs.learning.worlds import HOUR

__all__ = ["main"]

_SIZES: Final = (5, 10, 20, AN_HOUR, 40)
_WORLDS_EACH: Final = 4
"""Looks without a model are quick: so many times as many worlds are looked at."""
_TOLD: Final = "told all"
_LENDERS: Final = {"off": (0.0, False), f"{SHARE:.0%}": (SHARE, False), _TOLD: (0.0, True)}
"""By name: of what share of those it would refuse each draws, and whether it is told of the others."""
_FIGURE: Final = Path("build") / "selection.svg"


def main(arguments: list[str] | None = None) -> int:
    """Run a lab; return 0 if every aim was met."""
    parser = argparse.ArgumentParser(prog="proofs.learning", description=__doc__)
    parser.add_argument("name", choices=list(_LABS))
    parser.add_argument("--seeds", type=int, default=0, help="how many; each lab has its own number")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args(arguments)
    run, seeds = _LABS[chosen.name]
    tables, figures, is_right = run(range(chosen.seeds or seeds))
    if chosen.json:
        print(json.dumps(figures, indent=2))
    else:
        for table in tables:
            Console(width=110).print(table)
    return 0 if is_right else 1


# -- saboteurs -----------------------------------------------------------------------------


def _sabotage(seeds: range) -> tuple[list[Table], Any, bool]:
    outcomes: list[Outcome] = []
    # A world each: what one learns, another does not wait for.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for seed, found in zip(seeds, pool.map(outcomes_of, seeds), strict=True):
            outcomes += found
            wrong = ", ".join(one.kind for one in found if not one.is_right)
            print(f"seed {seed} done{wrong and ': wrong about '}{wrong}", file=sys.stderr)
    return sabotage_report(outcomes, len(seeds))


def sabotage_report(outcomes: list[Outcome], seeds: int) -> tuple[list[Table], Any, bool]:
    """Return what became of each kind of challenger, and whether all were treated as they must be."""
    table = Table(
        "challenger", "must be", "was", "by the one meant", "stood against it", "hours to alarm, then back"
    )
    table.add_column("then rules alone")
    for kind in dict.fromkeys(one.kind for one in outcomes):
        of_kind = [one for one in outcomes if one.kind == kind]
        right = sum(one.is_right for one in of_kind)
        by = Counter(name for one in of_kind for name in one.by)
        meant = SABOTEURS[kind][1] if kind in SABOTEURS else ""
        waits = [one.hours_to_alarm for one in of_kind if one.hours_to_alarm is not None]
        backs = [one.hours_to_rollback for one in of_kind if one.hours_to_rollback is not None]
        must = "refused" if meant else "let in" if kind == "honest" else "rolled back"
        table.add_row(
            kind,
            must,
            f"{right} of {seeds}",
            f"{meant}: {by[meant]}" if meant else "",
            ", ".join(f"{name} {count}" for name, count in by.most_common()),
            f"{median(waits):.0f}, at most {max(waits):.0f}; {max(backs):.0f}" if waits and backs else "",
            str(sum(one.is_alone for one in of_kind)) if must == "rolled back" else "",
        )
    # A seed whose honest challenger was not let in has nobody to break later.
    return [table], [asdict(one) for one in outcomes], all(one.is_right for one in outcomes)


# -- an attack -----------------------------------------------------------------------------


def _injected(seeds: range) -> tuple[list[Table], Any, bool]:
    found = []
    for seed in seeds:
        found.append(injected(seed))
        print(f"seed {seed} done", file=sys.stderr)
    table = Table("seed", "minutes to alarm", "false alarms", "held", "others held", "labels known, day")
    for name in ("champion, day", "caught", "frozen", "by schedule, day"):
        table.add_column(name)
    for one in found:
        table.add_row(*_injected_row(one))
    more = range(_WORLDS_EACH * len(seeds))
    waits = {size: [sensed(seed, size) for seed in more] for size in _SIZES}
    print("sizes done", file=sys.stderr)
    quiet = [quiet_alarms(seed) for seed in more]
    figures = {"attacks": [asdict(one) for one in found], "minutes_to_alarm": waits, "quiet": quiet}
    return [table, _sizes_table(waits), _quiet_table(quiet)], figures, all(one.is_right for one in found)


def _sizes_table(waits: dict[int, list[float | None]]) -> Table:
    table = Table("rows an hour", "worlds", "seen within the hour", "median minutes", "at most")
    for size, minutes in waits.items():
        seen = [math.inf if one is None else one for one in minutes]
        within = sum(one <= ALARM_MINUTES_MAX for one in seen)
        told = ("none in two days" if math.isinf(one) else f"{one:.0f}" for one in (median(seen), max(seen)))
        table.add_row(f"{size} beside 125", str(len(seen)), str(within), *told)
    return table


def _quiet_table(quiet: list[tuple[int, list[int]]]) -> Table:
    alarms = [now for _, found in quiet for now in found]
    on_the_hour = sum(now % HOUR == 0 for now in alarms)
    table = Table("quiet worlds", "looks", "of them alarmed", "and were on the hour")
    table.add_row(
        str(len(quiet)), f"{sum(looks for looks, _ in quiet):,}", str(len(alarms)), str(on_the_hour)
    )
    return table


def _injected_row(one: Injected) -> list[str]:
    return [
        str(one.seed),
        "never" if one.minutes_to_alarm is None else f"{one.minutes_to_alarm:.0f}",
        str(one.false_alarms),
        f"{one.held:.1%}",
        f"{one.held_good:.1%}",
        str(one.labels_day),
        "never" if one.champion_day is None else str(one.champion_day),
        f"{one.caught:.1%}",
        f"{one.caught_frozen:.1%}",
        "never" if one.scheduled_day is None else str(one.scheduled_day),
    ]


# -- selection -----------------------------------------------------------------------------


def _selection(seeds: range) -> tuple[list[Table], Any, bool]:
    lenders: dict[str, list[list[Cycle]]] = {name: [] for name in _LENDERS}
    for seed in seeds:
        for name, (share, is_told) in _LENDERS.items():
            lenders[name].append(list(lent(seed, share, is_told=is_told)))
        print(f"seed {seed} done", file=sys.stderr)
    _FIGURE.parent.mkdir(exist_ok=True)
    _FIGURE.write_text(selection_figure(lenders))
    figures = {name: [[asdict(one) for one in cycles] for cycles in each] for name, each in lenders.items()}
    is_met = all(is_right(*worlds) for worlds in zip(*lenders.values(), strict=True))
    return selection_tables(lenders), figures, is_met


def selection_tables(lenders: dict[str, list[list[Cycle]]]) -> list[Table]:
    """Return cycle by cycle the means over the worlds, and what each lender came to."""
    table = Table(
        "cycle", "", "area: own", "true", "behind", "lent to", "default rate", "money", "drawn", "their money"
    )
    told = lenders[_TOLD]
    lost = {
        name: [behind(cycles, best) for cycles, best in zip(each, told, strict=True)]
        for name, each in lenders.items()
    }
    for number in range(CYCLES):
        for name, each in lenders.items():
            cells = _cycle_row([cycles[number] for cycles in each], mean(one[number] for one in lost[name]))
            table.add_row(str(number + 1), name, *cells, end_section=name == _TOLD)
    totals = Table("lender", "money of all cycles", "of it from those drawn", "behind at last", "at most")
    for name, each in lenders.items():
        money, drawn = (
            sum(sum(getattr(one, field) for one in cycles) for cycles in each) // len(each)
            for field in ("money", "explored_money")
        )
        last, most = (max(how(one) for one in lost[name]) for how in (lambda one: one[-1], max))
        totals.add_row(name, f"{money // 100:,}", f"{drawn // 100:,}", f"{last:.3f}", f"{most:.3f}")
    return [table, totals]


def _cycle_row(cycles: list[Cycle], lost: float) -> list[str]:
    def of(field: str) -> float:
        return float(mean(getattr(one, field) for one in cycles))

    return [
        f"{of('own_area'):.3f}",
        f"{of('true_area'):.3f}",
        f"{lost:.3f}",
        f"{of('approved'):.1%}",
        f"{of('default_rate'):.1%}",
        f"{of('money') / 100:,.0f}",
        f"{of('explored'):,.0f}",
        f"{of('explored_money') / 100:,.0f}",
    ]


def selection_figure(lenders: dict[str, list[list[Cycle]]]) -> str:
    """Return the areas under the curve, cycle by cycle, as SVG."""
    lines = {
        f"{name}: {said}": [mean(getattr(one[number], field) for one in each) for number in range(CYCLES)]
        for name, each in lenders.items()
        for said, field in (("true", "true_area"), ("own", "own_area"))
    }
    return line_chart("Area under the curve of the refit model, cycle by cycle", lines, low=0.5, high=0.9)


_LABS: Final[dict[str, tuple[Callable[[range], tuple[list[Table], Any, bool]], int]]] = {
    "sabotage": (_sabotage, 50),
    "injected": (_injected, 5),
    "selection": (_selection, 3),
}
"""By name: what runs it, and in how many worlds."""


if __name__ == "__main__":
    sys.exit(main())
