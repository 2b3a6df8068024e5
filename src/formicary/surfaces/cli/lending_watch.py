"""``formicary lending watch``: the run of early warning, by hand; ``up`` does it each week."""

from __future__ import annotations

from typing import Final

import typer

from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import Stages, note, write_json, write_table

__all__ = ["register"]

_COLUMNS: Final = ("party", ">usual week", ">last week", ">weeks of fall", ">evidence", ">cut")
_MILLION: Final = 1_000_000


def register(lending: typer.Typer) -> None:
    """Add the command to the group."""
    lending.command("watch")(watch)


def watch(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Go over all lines, cut those of whose sales fall, and show who is warned of; the engine must run."""
    with Stages("watched") as stages:
        run = program_of(context).watch(stages.tell)
    if as_json:
        write_json({"run": run})
        return
    if run is None:
        note("There was never a line: nothing was looked at.")
        return
    rows = [
        (
            str(one["party"]),
            _tenths(one["usual"]),
            f"{one['last']:,}",
            f"{one['weeks']}",
            _tenths(one["evidence"]),
            f"{100 * one['share'] // _MILLION} %",
        )
        for one in run["parties"]
    ]
    write_table(_COLUMNS, rows)
    note(f"Of {run['borrowers']:,} borrowers {len(rows):,} are warned of; {run['cut']:,} lines were cut.")


def _tenths(millionths: int) -> str:
    return f"{millionths / _MILLION:,.1f}"
