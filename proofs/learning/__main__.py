"""``python -m proofs.learning``: what a learner refuses and undoes, and how soon it learns.

``sabotage``, ``injected`` or ``selection``; each in worlds drawn from seeds, and a table of what came of
them. The status is 0 if every aim was met.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from proofs.learning.charts import line_chart
from proofs.learning.injected import Injected, injected, sensed
from proofs.learning.sabotage import SABOTEURS, Outcome, sabotaged
from proofs.learning.selection import CYCLES, SHARE, Cycle, lent

__all__ = ["main"]

_SIZES: Final = (5, 10, 20, 40)
_OWN_LOST_MAX: Final = 0.1
_TRUE_KEPT_MIN: Final = 0.05
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
    for seed in seeds:
        outcomes += sabotaged(seed)
        print(f"seed {seed} done", file=sys.stderr)
    return sabotage_report(outcomes, len(seeds))


def sabotage_report(outcomes: list[Outcome], seeds: int) -> tuple[list[Table], Any, bool]:
    """Return what became of each kind of challenger, and whether all were treated as they must be."""
    table = Table(
        "challenger", "must be", "was", "by the one meant", "stood against it", "hours to alarm, then back"
    )
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
    sizes = Table("rows an hour", "hours to alarm, by seed")
    waits = {size: [sensed(seed, size) for seed in seeds] for size in _SIZES}
    for size, hours in waits.items():
        told = ("none in two days" if one is None else f"{one:.1f}" for one in hours)
        sizes.add_row(f"{size} beside 125", ", ".join(told))
    figures = {"attacks": [asdict(one) for one in found], "hours_to_alarm": waits}
    return [table, sizes], figures, all(one.is_right for one in found)


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
    off, on = ([list(lent(seed, share)) for seed in seeds] for share in (0.0, SHARE))
    table = Table(
        "cycle", "", "area: own", "true", "lent to", "default rate", "money", "drawn", "their money"
    )
    for number in range(CYCLES):
        for name, lenders in (("off", off), (f"{SHARE:.0%}", on)):
            table.add_row(str(number + 1), name, *_cycle_row([cycles[number] for cycles in lenders]))
    last = {name: [cycles[-1] for cycles in lenders] for name, lenders in (("off", off), ("on", on))}
    is_right = all(
        one.own_area - one.true_area > _OWN_LOST_MAX and other.true_area - one.true_area > _TRUE_KEPT_MIN
        for one, other in zip(last["off"], last["on"], strict=True)
    )
    _FIGURE.parent.mkdir(exist_ok=True)
    _FIGURE.write_text(selection_figure(off, on))
    totals = Table("lender", "money of all cycles", "of it from those drawn")
    for name, lenders in (("off", off), (f"{SHARE:.0%}", on)):
        money, drawn = (
            sum(sum(getattr(one, field) for one in cycles) for cycles in lenders) // len(seeds)
            for field in ("money", "explored_money")
        )
        totals.add_row(name, f"{money // 100:,}", f"{drawn // 100:,}")
    figures = {"off": [[asdict(one) for one in cycles] for cycles in off]}
    figures["on"] = [[asdict(one) for one in cycles] for cycles in on]
    return [table, totals], figures, is_right


def _cycle_row(cycles: list[Cycle]) -> list[str]:
    def of(field: str) -> float:
        return float(mean(getattr(one, field) for one in cycles))

    return [
        f"{of('own_area'):.3f}",
        f"{of('true_area'):.3f}",
        f"{of('approved'):.1%}",
        f"{of('default_rate'):.1%}",
        f"{of('money') / 100:,.0f}",
        f"{of('explored'):,.0f}",
        f"{of('explored_money') / 100:,.0f}",
    ]


def selection_figure(off: list[list[Cycle]], on: list[list[Cycle]]) -> str:
    """Return the areas under the curve, cycle by cycle, as SVG."""
    lines = {
        f"{name}: {said}": [mean(getattr(one[number], field) for one in lenders) for number in range(CYCLES)]
        for name, lenders in (("no exploring", off), (f"{SHARE:.0%} explored", on))
        for said, field in (("true", "true_area"), ("own", "own_area"))
    }
    return line_chart("Area under the curve of each cycle's refit model", lines, low=0.5, high=0.9)


_LABS: Final[dict[str, tuple[Callable[[range], tuple[list[Table], Any, bool]], int]]] = {
    "sabotage": (_sabotage, 50),
    "injected": (_injected, 5),
    "selection": (_selection, 5),
}
"""By name: what runs it, and in how many worlds."""


if __name__ == "__main__":
    sys.exit(main())
