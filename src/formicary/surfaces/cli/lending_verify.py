"""``formicary lending verify``: every decision about an application, taken again from the journal."""

from __future__ import annotations

import typer

from formicary.base.public_ids import Prefix, encode
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table

__all__ = ["register"]


def register(lending: typer.Typer) -> None:
    """Add the command to the group."""
    lending.command("verify")(verify)


def verify(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Take every recorded decision about an application again, and say where one comes out otherwise."""
    with progress("deciding again", 1) as step:
        found = program_of(context).verify_applications(step.reach)
    differing = [(encode(Prefix.APPLICATION, one.application), one) for one in found.differing]
    if as_json:
        counts = {name: getattr(found, name) for name in ("position", "applications", "models")}
        told = [
            {"application": application, "position": one.position, "differences": list(one.found)}
            for application, one in differing
        ]
        write_json({**counts, "differing": told, "sound": not told})
    else:
        rows = [
            ("position of the journal", f"{found.position:,}"),
            ("applications decided again", f"{found.applications:,}"),
            ("models that decided", f"{found.models:,}"),
            ("decisions that differ", f"{len(differing):,}"),
        ]
        write_table(("checked", ">"), rows)
        for application, one in differing:
            for difference in one.found:
                note(f"{application}, position {one.position:,}: {difference}")
    if differing:
        raise typer.Exit(ExitCode.FINDINGS)
