"""``formicary features daily``: what a day's transfers, devices and labels say of each party."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Final

import typer

from formicary.factory.features.slow.spans import day_of
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import progress, write_json, write_table

__all__ = ["register"]

_FIRST_DAY: Final = date(1970, 1, 1)


def register(group: typer.Typer) -> None:
    """Add the command to its group."""
    group.command("daily")(daily)


def daily(
    context: typer.Context,
    *,
    day: Annotated[
        str | None, typer.Option("--day", help="The day (UTC), as 2026-01-31; yesterday unless given.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="Kind of the facts that say which party is fraudulent.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the slow features of every party as of a day's end, and record them as facts."""
    program = program_of(context)
    number = day_of(program.now()) - 1 if day is None else _parse_day(day)
    named = (_FIRST_DAY + timedelta(days=number)).isoformat()
    with progress(f"slow features of {named}", 1) as step:
        done = program.daily(number, labels=labels, progress=step.reach)
        step.reach(1, 1)
    counts = {
        "position": done.position,
        "transfers": done.transfers,
        "devices": done.devices,
        "labels": done.labels,
        "parties": done.parties,
        "features": done.features,
        "recorded": done.recorded,
        "there": done.there,
    }
    if as_json:
        write_json({"day": named} | counts)
        return
    names = {"position": "known up to position", "recorded": "facts recorded", "there": "already there"}
    rows = [(names.get(name, name), f"{count:,}") for name, count in counts.items()]
    write_table((f"slow features of {named}", ">"), rows)


def _parse_day(text: str) -> int:
    try:
        day = (date.fromisoformat(text) - _FIRST_DAY).days
    except ValueError:
        day = -1
    if day < 0:
        message = f"{text!r} is no day since 1970 like 2026-01-31"
        raise typer.BadParameter(message, param_hint="--day")
    return day
