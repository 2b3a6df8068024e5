"""``formicary import``: the command; what it does is in ``import_run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of

__all__ = ["import_history"]


def import_history(
    context: typer.Context,
    mapping: Annotated[Path, typer.Argument(help="A YAML file that says what the columns of files mean.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything; import nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write every rejected row and why to this CSV file.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Import the first so many events in order of time.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import a team's own history, described by a mapping: parties, transfers and facts."""
    # The engine's process comes from the same command line and must not carry a data frame library.
    from formicary.surfaces.cli.import_run import run_import  # noqa: PLC0415

    program = program_of(context)
    if run_import(program, mapping, dry_run=dry_run, report=report, limit=limit, as_json=as_json):
        raise typer.Exit(ExitCode.FINDINGS)
