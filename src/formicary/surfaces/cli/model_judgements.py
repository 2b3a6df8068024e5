"""``formicary models judge``: the model that a product declares for as long as there are no outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from formicary.factory.models.model_manifest import manifest_file
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, write_json, write_table

__all__ = ["register"]


def register(models: typer.Typer) -> None:
    """Add the command."""
    models.command("judge")(judge)


def judge(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name of the model, as a product declares it.")
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("--out", help="The model's file; in the home unless given.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the model that a product declares by judgement, for who has no outcomes to learn from."""
    judged = program_of(context).judge(name, output=output)
    manifest = judged.manifest
    if as_json:
        found = msgspec.to_builtins(manifest)
        write_json({"file": str(judged.file), "manifest": str(manifest_file(judged.file))} | found)
        return
    rows = (
        ("hash", manifest.hash),
        ("declaration", manifest.trained_on.hash),
        ("columns", f"{len(manifest.columns)}"),
    )
    write_table((f"{manifest.model} is a judgement", ""), rows)
    note(f"No data stand behind its chances. The model is in {judged.file}.")
