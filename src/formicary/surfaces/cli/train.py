"""``formicary train``: a model out of the journal, with what it showed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from formicary.factory.models.model_manifest import ModelManifest, TrainedModel, TrainedOn, manifest_file
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import Stages, note, write_json, write_table

__all__ = ["train"]


def train(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name of the model, as a product declares it.")
    ],
    *,
    last: Annotated[
        int | None,
        typer.Option(
            "--last", min=1, help="Last position of the journal that is known; the end unless given."
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--from-archive", help="Read this archive, not the journal.", exists=True, file_okay=False
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table", help="Learn from this Parquet file, not from events.", exists=True, dir_okay=False
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The table's column of 0 and 1 that is to be predicted.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", help="The model's file; in the home unless given.", dir_okay=False)
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=1, help="How many cores; the model does not depend on it.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Train a model from the journal, judge it by rows that it did not learn from, and keep it as a file."""
    if (table is None) != (label is None):
        message = "a table and its label are given together"
        raise typer.BadParameter(message, param_hint="--label")
    if table is not None and not (last is None and archive is None):
        message = "a table has no positions and is in no archive"
        raise typer.BadParameter(message, param_hint="--table")
    with Stages(name) as stages:
        trained = program_of(context).train(
            name,
            last=last,
            archive=archive,
            table=None if table is None or label is None else (table, label),
            output=output,
            threads=threads,
            report=stages.tell,
        )
    if as_json:
        manifest = msgspec.to_builtins(trained.manifest)
        write_json({"file": str(trained.file), "manifest": str(manifest_file(trained.file))} | manifest)
    else:
        _write(trained)


def _write(trained: TrainedModel) -> None:
    manifest = trained.manifest
    write_table((f"{manifest.model} learnt from", ">"), _rows_of(manifest.trained_on))
    write_table(("it showed", ">forest", ">scorecard", ">gate"), _metrics_of(manifest))
    note(f"The model {manifest.hash} is in {trained.file}.")


def _rows_of(learnt: TrainedOn) -> list[tuple[str, str]]:
    found = [("rows", f"{learnt.rows:,}"), ("positives", f"{learnt.positives:,}")]
    if learnt.set:
        found += [
            ("immature, left out", f"{learnt.immature:,}"),
            ("named by no fact, left out", f"{learnt.unnamed:,}"),
            ("facts that told an outcome", f"{learnt.outcomes:,}"),
            ("facts passed over", f"{learnt.passed_over:,}"),
            ("positions", f"{learnt.first:,} to {learnt.last:,}"),
        ]
    return [*found, ("hash of the rows", learnt.hash)]


def _metrics_of(manifest: ModelManifest) -> list[tuple[str, str, str, str]]:
    forest, scorecard, gates = manifest.metrics.forest, manifest.metrics.scorecard, manifest.gates
    return [
        (name.replace("_", " "), f"{shown:.4f}", f"{scorecard[name]:.4f}", f"{gates.get(name, '')}")
        for name, shown in forest.items()
    ]
