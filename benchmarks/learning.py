"""A stream lived through by the factory that learns by itself, beside other ways to keep a model up to date.

``formicary learn replay fraud_handbook``: no model at first, no hand on it; labels come as late as the stream
says. Week by week the scores that decided are measured, and those of a model that is never trained again, of
one that is trained every month, and of the best recipe that was published, on the same rows. Every promotion
is listed with its evidence, and drawn into a page.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks._learning_page import page_of
from benchmarks._machine import machine
from formicary.base.errors import OperationalFault
from formicary.factory.learning.learner import Learner
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.rivals import rival_scores
from formicary.factory.learning.standing import Happened, Stage, StageEntered
from formicary.factory.learning.stream import JudgedStream, Lived, live_through
from formicary.runtime.settings import read_settings

__all__ = ["main"]

Reals: TypeAlias = npt.NDArray[np.float64]

_OURS: Final = "learning"
_LAST_WEEKS: Final = 4
_EPOCH: Final = dt.date(1970, 1, 1)
_STREAMS: Final = Path(__file__).parents[1] / "examples" / "streams"
_PAGES: Final = Path(__file__).parents[1] / "build"


class DataSetsMissing(OperationalFault):
    """The folder of data sets is not there: set FORMICARY_DATA."""


def weeks_of(stream: JudgedStream, begins: int) -> list[int]:
    """Return the days on which whole weeks begin, the last one ending with the stream."""
    return sorted(range(stream.after - 7, begins, -7))


def measure(stream: JudgedStream, lived: Lived, *, threads: int) -> dict[str, Any]:
    """Return figures week by week, of those who decided and of their rivals."""
    first = next(at for at, one in lived.happened if _is_champion(one)) // DAY
    weeks = weeks_of(stream, first)
    scores = {_OURS: lived.scored}
    for rival in stream.rivals:
        scores[rival.name] = rival_scores(rival, stream, lived.rows, begins=first - 1, threads=threads)
    return {
        "weeks": [_date(day) for day in weeks],
        "measured": {name: [stream.measured(day, found) for day in weeks] for name, found in scores.items()},
        "said": {rival.name: rival.said for rival in stream.rivals},
    }


def _is_champion(one: Happened) -> bool:
    return isinstance(one, StageEntered) and one.stage == Stage.CHAMPION


def _date(day: int) -> str:
    return str(_EPOCH + dt.timedelta(days=day))


def means(figures: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the means of the last weeks by name and measure."""
    return {
        name: {
            measure: float(np.mean([week[measure] for week in weeks[-_LAST_WEEKS:]])) for measure in weeks[0]
        }
        for name, weeks in figures["measured"].items()
    }


def told(happened: list[tuple[int, Happened]]) -> list[dict[str, Any]]:
    """Return what happened as plain values, the evidence included."""
    return [
        {"day": _date(at // DAY), "what": type(one).__name__} | msgspec.to_builtins(one) | {"type": ""}
        for at, one in happened
    ]


def _print(figures: dict[str, Any]) -> None:
    output = Console(width=132)
    output.print("  ".join(f"{key} {value}" for key, value in figures["machine"].items()))
    output.print(f"{figures['rows']:,} rows lived through in {figures['seconds']:.0f} s, rivals included")
    names = list(figures["measured"])
    table = Table("week of", *(f"{name}: AUC · AP · CP" for name in names))
    for number, week in enumerate(figures["weeks"]):
        shown = [figures["measured"][name][number] for name in names]
        table.add_row(week, *(" · ".join(f"{value:.3f}" for value in one.values()) for one in shown))
    table.add_section()
    last = figures["last_weeks"]
    table.add_row(
        f"mean of {_LAST_WEEKS}",
        *(" · ".join(f"{value:.4f}" for value in last[name].values()) for name in names),
    )
    output.print(table)
    for name, said in figures["said"].items():
        output.print(f"{name}: {said}")
    events = Table("day", "what", "model", "said")
    for one in figures["happened"]:
        events.add_row(one["day"], one["what"], one["hash"][:8], _in_words(one))
    output.print(events)
    output.print(f"The page: {figures['page']}")


def _in_words(one: dict[str, Any]) -> str:
    match one["what"]:
        case "ChallengerJudged":
            against = [gate for gate in one["gates"] if not gate["is_passed"]]
            of_money = [gate for gate in one["gates"] if gate["name"] == "money"]
            shown = "; ".join(f"{gate['name']}: {gate['said']}" for gate in against or of_money)
            return f"{'refused' if against else 'passed'}, {one['learnt']:,} rows. {shown}"
        case "StageEntered":
            return f"{one['stage']}, {one['share'] / 10_000:g} % of parties: {one['reason']}"
        case "AlarmRaised":
            return f"{one['alarm']['name']}: {one['alarm']['said']}"
        case _:
            return str(one["reason"])


def main() -> int:
    """Live through a stream and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = sorted(path.stem for path in _STREAMS.glob("[a-z]*.py"))
    parser.add_argument("stream", choices=known)
    parser.add_argument("--threads", type=int, default=1, help="for LightGBM; results do not depend on it")
    parser.add_argument("--days", type=int, default=0, help="of so many days only; 0 for all")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    folder = read_settings(os.environ, folder=Path.cwd(), is_root=False).data_sets
    if folder is None:
        raise DataSetsMissing
    began = time.perf_counter()
    stream: JudgedStream = importlib.import_module(f"examples.streams.{arguments.stream}").open_stream(folder)
    if arguments.days:
        stream.after = min(stream.first + arguments.days, stream.after)
    learner = Learner(stream.spec, stream.plan, clock=time.perf_counter_ns, threads=arguments.threads)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("days", total=stream.after - stream.first)
        lived = live_through(
            stream, learner, report=lambda done, of: progress.update(task, completed=done, total=of)
        )
    figures = {"machine": machine(), "stream": arguments.stream, "rows": len(lived.rows)}
    figures |= measure(stream, lived, threads=arguments.threads)
    figures |= {"happened": told(list(lived.happened)), "last_weeks": means(figures)}
    figures["seconds"] = time.perf_counter() - began
    _PAGES.mkdir(exist_ok=True)
    page = _PAGES / f"learning-{arguments.stream}.html"
    page.write_text(page_of(figures))
    figures["page"] = str(page.relative_to(Path(__file__).parents[1]))
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
