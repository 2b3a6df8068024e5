"""``formicary lending preapprove``: the run over all parties, by hand; ``up`` does it each day."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from formicary.base import currencies
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import Stages, note, write_json, write_table

__all__ = ["register"]

_COLUMNS: Final = ("currency", ">offers renewed", ">parties looked at", ">offered", ">limits")


def register(lending: typer.Typer) -> None:
    """Add the command to the group."""
    lending.command("preapprove")(preapprove)


def preapprove(
    context: typer.Context,
    *,
    currency: Annotated[
        str | None, typer.Option("--currency", help="ISO 4217 code; all that are lent in unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go over all parties and leave an offer for each that may have credit; the engine must run."""
    number = None if currency is None else currencies.currency(currency).number
    with Stages("parties") as stages:
        runs = program_of(context).preapprove(number, stages.tell)
    if as_json:
        write_json({"runs": runs})
        return
    names = ("offers", "parties", "offered", "limits")
    rows = [(str(run["currency"]), *(f"{run[name]:,}" for name in names)) for run in runs if "offers" in run]
    write_table(_COLUMNS, rows)
    for run in runs:
        if "offers" not in run:
            note(f"In {run['currency']} nothing was looked at: no model is the champion.")
