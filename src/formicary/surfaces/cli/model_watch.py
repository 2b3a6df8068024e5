"""``formicary models watch``: whether a model that decides still sees and does what it did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
import typer

from formicary.base.times import time_text
from formicary.factory.monitoring.drift import Drift
from formicary.factory.monitoring.label_delay import DelayReport
from formicary.factory.monitoring.rates import DayRate
from formicary.factory.registry.reading import model_events, named_version, versions
from formicary.factory.registry.watched import PointWatch, Wanted, watch_model
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table

__all__ = ["register"]

_DAYS: Final = 7
_DAYS_MAX: Final = 366
_DAY: Final = 86_400_000_000_000
_DATE_LETTERS: Final = 10

_DRIFT: Final = ("column", ">rows", ">missing", ">PSI", ">by chance", ">distance", "found")
_RATES: Final = ("share of", "day", ">count", ">rows", ">share", ">usual", ">band", "found")
_DELAYS: Final = (">days", ">told", ">from", ">to", ">counted")


def register(group: typer.Typer) -> None:
    """Add the command to its group."""
    group.command("watch")(watch)


def watch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the model.")],
    *,
    days: Annotated[
        int, typer.Option("--days", min=1, max=_DAYS_MAX, help="Days of the reference, and of the window.")
    ] = _DAYS,
    first: Annotated[int, typer.Option("--first", min=1, help="The position to begin at.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Compare a model's last days of decisions with its first: scores, features, outcomes, missing values."""
    program = program_of(context)
    spec = program.model_specs().get(name)
    question = None if spec is None else spec.question
    with program.registry() as registry, progress("decisions", 1) as step:
        known = versions(model_events(registry.source))
        named_version(known, name)
        wanted = Wanted(
            hashes=[one.hash for one in known if one.model == name],
            points=tuple(program.decision_points.values()),
            label=None if question is None else question.label,
            days=days,
            first=first,
        )
        found = watch_model(registry.source, wanted, step.reach)
    if as_json:
        write_json({"model": name, "points": msgspec.to_builtins(found)})
    else:
        _write(found)
    if any(one.alarms for one in found):
        raise typer.Exit(ExitCode.FINDINGS)


# -- what is shown -------------------------------------------------------------------------


def _write(found: tuple[PointWatch, ...]) -> None:
    for one in found:
        reference = f"{_date(one.first_day)} to {_date(one.reference_until)}"
        window = f"{_date(one.window_since)} to {_date(one.last_day)}"
        title = f"{one.point}, {one.decisions:,} decisions: {window} compared with {reference}"
        write_table(_DRIFT, map(_drift_row, one.drift.columns), title=title)
        alarms = [*one.rates.alarms, *one.missing.alarms]
        if alarms:
            kinds = ["outcome"] * len(one.rates.alarms) + ["missing"] * len(one.missing.alarms)
            write_table(_RATES, map(_rate_row, kinds, alarms), title="Days outside their band")
        if one.delay is not None:
            title = f"Outcomes told: {one.delay.told:,} of {one.delay.rows:,}"
            write_table(_DELAYS, _delay_rows(one.delay), title=title)
        if one.unread:
            note(f"{one.unread:,} decision(s) with another number of features were not compared.")
    if not found:
        note("No decision has a score of it.")
    elif not any(one.alarms or one.unread for one in found):
        note("Nothing changed that is more than chance.")


def _drift_row(one: Drift) -> list[str]:
    return [
        one.name,
        f"{one.rows:,}",
        f"{one.missing:,}",
        _text(one.psi, ".3f"),
        _text(one.psi_chance, ".2g"),
        _text(one.distance_min, ".3f"),
        one.verdict,
    ]


def _rate_row(kind: str, one: DayRate) -> list[str]:
    return [
        f"{kind} {one.name}",
        _date(one.day),
        f"{one.count:,}",
        f"{one.rows:,}",
        f"{one.share:.2%}",
        _text(one.usual, ".2%"),
        f"{one.low:.2%} to {one.high:.2%}",
        one.verdict,
    ]


def _delay_rows(report: DelayReport) -> Iterator[list[str]]:
    for one in report.within:
        shares = (one.share, one.low, one.high, one.counted)
        yield [f"{one.horizon_ns / _DAY:g}", *(_text(share, ".1%") for share in shares)]


def _date(day: int) -> str:
    return time_text(day * _DAY)[:_DATE_LETTERS]


def _text(figure: Any, form: str) -> str:
    return "" if figure is None else format(figure, form)
