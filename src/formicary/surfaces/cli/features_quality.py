"""``formicary features quality``: what features were told as, and whether they still are so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from formicary.base.errors import OperationalFault
from formicary.factory.features.quality.verdicts import FeatureSummary, summaries
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson
from formicary.surfaces.cli.output import note, write_json, write_table

__all__ = ["QualityReportNotWritten", "quality", "register"]

_COLUMNS = (
    "feature",
    ">rows",
    ">missing",
    ">withheld",
    ">1%",
    ">median",
    ">99%",
    ">PSI",
    ">distance",
    "found",
)


class QualityReportNotWritten(OperationalFault):
    """The file for the report cannot be written."""


def register(group: typer.Typer) -> None:
    """Add the command to its group."""
    group.command("quality")(quality)


def quality(
    table: Annotated[Path, typer.Argument(help="A training set's folder, a Parquet file, or a report.")],
    *,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="What to compare with: the same kinds of file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Keep the report in this file, to compare with later.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Profile every feature of a table; with a reference, find what drifted."""
    # Only this command reads Parquet; the others need not wait for it.
    from formicary.surfaces.cli.feature_tables import report_of  # noqa: PLC0415

    report = report_of(table)
    found = summaries(report, None if reference is None else report_of(reference))
    if output is not None:
        _keep(output, report.json())
    if as_json:
        write_json({"set": report.set, "rows": report.rows, "features": msgspec.to_builtins(found)})
    else:
        _write(report.set, report.rows, found)
    if any(one.verdicts for one in found):
        raise typer.Exit(ExitCode.FINDINGS)


def _keep(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise QualityReportNotWritten(message) from error


def _write(name: str, rows: int, found: Sequence[FeatureSummary]) -> None:
    title = f"{name}, {rows:,} rows"
    write_table(_COLUMNS, [_row(one) for one in found], title=title)
    wrong = sum(bool(one.verdicts) for one in found)
    note("Nothing is wrong." if not wrong else f"{wrong} feature(s) with findings.")


def _row(one: FeatureSummary) -> list[str]:
    distance = ""
    if one.distance_min is not None and one.distance_max is not None:
        distance = f"{one.distance_min:.3f} to {one.distance_max:.3f}"
    return [
        one.name,
        f"{one.rows:,}",
        _text(one.null_ratio, ".1%"),
        _text(one.withheld_ratio, ".1%"),
        *(_text(figure, ",.4g") for figure in (one.p1, one.p50, one.p99)),
        _text(one.psi, ".3f"),
        distance,
        ", ".join(one.verdicts),
    ]


def _text(figure: Any, form: str) -> str:
    return "" if figure is None else format(figure, form)
