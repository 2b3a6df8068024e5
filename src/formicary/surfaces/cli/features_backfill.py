"""``formicary features backfill`` and ``archive``: features of all of history, for models to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from formicary.base.purposes import purpose_named
from formicary.factory.features.archive_manifest import ArchiveManifest
from formicary.factory.features.training_manifest import TrainingManifest
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table

__all__ = ["register"]

Folder = Annotated[
    Path, typer.Argument(help="Where the archive is; made if it is not there.", file_okay=False)
]


def register(group: typer.Typer) -> None:
    """Add the commands to ``formicary features``."""
    group.command("backfill")(backfill)
    group.command("archive")(archive)


def backfill(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SET", help="Name of the set of features.")],
    *,
    purpose: Annotated[str, typer.Option("--purpose", help="What the values are for: fraud, credit, ….")],
    output: Annotated[Path, typer.Option("--output", help="Folder of the training set.", file_okay=False)],
    first: Annotated[int, typer.Option("--from", min=1, help="First position of the journal.")] = 1,
    last: Annotated[
        int | None, typer.Option("--until", min=1, help="Last position; the end unless given.")
    ] = None,
    archived: Annotated[
        Path | None,
        typer.Option("--archive", help="Read this archive, not the journal.", exists=True, file_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what each asking event of history would have been told, one row each, as Parquet."""
    program = program_of(context)
    with progress(f"replaying {name}", 1) as step:
        written = program.backfill(
            name,
            purpose=purpose_named(purpose),
            folder=output,
            first=first,
            last=last,
            archive=archived,
            progress=step.reach,
        )
        step.reach(written.request.last, written.request.last)
    if as_json:
        write_json(_training_document(written, output))
    else:
        _write_training(written, output)


def archive(context: typer.Context, folder: Folder, *, as_json: AsJson = False) -> None:
    """Write the journal to an archive in Parquet, from where the archive ends."""
    with progress("archiving the journal", 1) as step:
        manifest = program_of(context).archive_journal(folder, step.reach)
        step.reach(manifest.position, manifest.position)
    if as_json:
        write_json(_archive_document(manifest, folder))
        return
    rows = [("last position", f"{manifest.position:,}"), ("bytes", f"{manifest.size_bytes:,}")]
    write_table(("archived", ">"), rows)
    note(f"The archive is in {folder}.")


def _training_document(written: TrainingManifest, folder: Path) -> dict[str, Any]:
    request = written.request
    return {
        "folder": str(folder),
        "set": request.set,
        "purpose": request.purpose,
        "first": request.first,
        "last": request.last,
        "rows": written.rows,
        "files": len(written.parts),
        "bytes": sum(part.size_bytes for part in written.parts),
        "features": len(request.features),
        "state_hash": written.state_hash,
    }


def _write_training(written: TrainingManifest, folder: Path) -> None:
    request = written.request
    rows = [
        ("positions", f"{request.first:,} to {request.last:,}"),
        ("rows", f"{written.rows:,}"),
        ("features", f"{len(request.features):,}"),
        ("files", f"{len(written.parts):,}"),
        ("bytes", f"{sum(part.size_bytes for part in written.parts):,}"),
        ("state hash of the features", written.state_hash),
    ]
    write_table((f"{request.set} for {request.purpose}", ">"), rows)
    note(f"The training set is in {folder}.")


def _archive_document(manifest: ArchiveManifest, folder: Path) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "position": manifest.position,
        "parts": len(manifest.parts),
        "bytes": manifest.size_bytes,
    }
