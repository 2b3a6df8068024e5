"""``formicary features``: what there is to read, for what purposes, and what is wrong with a definition."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from formicary.factory.engine.feature_reads import UnknownFeatureSet
from formicary.factory.features.catalogue import (
    CataloguedFeature,
    catalogue,
    catalogue_page,
    catalogued,
    window_text,
)
from formicary.factory.features.compiler import all_findings, features_of
from formicary.factory.features.errors import FeatureRefused
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, write_json, write_table

__all__ = ["register"]


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.command("list")(list_features)
    group.command("show")(show)
    group.command("lint")(lint)
    group.command("catalogue")(write_catalogue)


def list_features(
    context: typer.Context,
    *,
    of_set: Annotated[str | None, typer.Option("--set", help="Only those of a set.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every feature, with the bytes of a row of its key: features of a key share the row."""
    sets = program_of(context).feature_sets(None)
    if of_set is not None and of_set not in [one.name for one in sets]:
        raise UnknownFeatureSet
    found = [one for one in catalogue(sets) if of_set in (None, one.set)]
    if as_json:
        write_json({"features": [msgspec.to_builtins(one) for one in found]})
    else:
        columns = ("set", "feature", ">version", "unit", "owner", "purposes", "window", ">bytes")
        write_table(columns, [_row(one) for one in found])


def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the feature, or set.feature.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of a feature: its meaning, its purposes, where it is defined and kept."""
    one = catalogued(program_of(context).feature_sets(None), name)
    if as_json:
        write_json(msgspec.to_builtins(one))
    else:
        fields = {**msgspec.to_builtins(one), "key_bytes": f"{one.key_bytes:,}"}
        write_table(("field", "value"), [(field, escape(_text(value))) for field, value in fields.items()])


def lint(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="A file of definitions, in place of that of FORMICARY_FEATURES.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List all that is wrong with definitions, beside those of the products; each with file and line."""
    try:
        sets = program_of(context).feature_sets(file)
        findings = all_findings(sets)
    except FeatureRefused as refused:
        # The file could not be read to its end: what else is wrong in it shows when this is put right.
        sets, findings = (), [refused]
    if as_json:
        write_json({"findings": [_document(one) for one in findings]})
    else:
        # As compilers write it, so that editors find the line.
        sys.stdout.writelines(f"{one} ({one.code})\n" for one in findings)
        if not findings:
            note(f"{len(features_of(sets))} features of {len(sets)} sets: nothing is wrong")
    if findings:
        raise typer.Exit(ExitCode.FINDINGS)


def write_catalogue(
    context: typer.Context,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write the page to a file, not to stdout.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the catalogue of all features as a page of Markdown."""
    sets = program_of(context).feature_sets(None)
    page = catalogue_page(sets)
    if output is not None:
        _write(output, page)
    if as_json:
        write_json({"features": [msgspec.to_builtins(one) for one in catalogue(sets)]})
    elif output is None:
        sys.stdout.write(page)


def _write(output: Path, page: str) -> None:
    try:
        output.write_text(page)
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint="--output") from error


def _row(one: CataloguedFeature) -> Sequence[str]:
    kept = f"{one.key_bytes:,}" if one.key_bytes else ""
    purposes = " ".join(one.purposes)
    cells = (one.set, one.name, str(one.version), one.unit, one.owner, purposes, window_text(one), kept)
    return [escape(cell) for cell in cells]


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value)


def _document(finding: FeatureRefused) -> dict[str, str]:
    return {"code": finding.code, "place": finding.place, "name": finding.name, "message": finding.said}
