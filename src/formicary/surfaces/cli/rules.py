"""``formicary rules``: what is wrong with a set of rules, whether it says what it must, what it is worth."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from formicary.factory.decisions.cases import CaseResult, read_cases, run_cases
from formicary.factory.decisions.errors import CasesMalformed, RuleRefused
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, write_json, write_table
from formicary.surfaces.cli.rule_files import compiled, findings_in, text_of

__all__ = ["group"]

_WHEN: Final = re.compile(r"""(?:^|[\s{,-])["']?when["']?\s*:\s*(?P<quote>["']?)""")
_BLOCK: Final = re.compile(r"when\s*:\s*[|>][-+0-9]*\s*$")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A document of rules.")]
CasesFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A document of cases.")]


def group() -> typer.Typer:
    """Return the group of commands."""
    made = typer.Typer(no_args_is_help=True, help="Rules: what is wrong with them, and what they are worth.")
    made.command()(lint)
    made.command("test")(try_cases)
    made.command()(backtest)
    return made


def lint(context: typer.Context, file: File, *, as_json: AsJson = False) -> None:
    """List all that is wrong with a document of rules, each with file, line and column."""
    text = text_of(file)
    found = findings_in(text, str(file), program_of(context).decision_points)
    places = [(one, _column(text.splitlines(), one)) for one in found]
    if as_json:
        write_json({"findings": [_document(one, column) for one, column in places]})
    else:
        # As compilers write it, so that editors find the place.
        for one, column in places:
            rule = f"{one.rule}: " if one.rule else ""
            sys.stdout.write(f"{one.file}:{one.line}:{column}: {rule}{one.said} ({one.code})\n")
        if not found:
            note("nothing is wrong")
    if found:
        raise typer.Exit(ExitCode.FINDINGS)


def try_cases(context: typer.Context, file: CasesFile, *, as_json: AsJson = False) -> None:
    """Judge the cases of a document by its rules, and list those where something else comes out."""
    cases, wrong = read_cases(text_of(file), file=str(file))
    if wrong:
        raise wrong[0]
    rules = file.parent / cases.rules
    if not rules.is_file():
        message = f"there is no file {rules}"
        raise CasesMalformed(message, file=str(file), line=1)
    results, wrong = run_cases(cases, compiled(rules, program_of(context).decision_points))
    if wrong:
        raise wrong[0]
    failed = [one for one in results if one.failures]
    if as_json:
        write_json({"cases": len(results), "failed": [_failed(one) for one in failed]})
    else:
        if failed:
            columns = (">line", "case", "must come out", "came out", "what is wrong")
            write_table(columns, [_row(one) for one in failed])
        note(f"{len(results)} cases, {len(failed)} failed")
    if failed:
        raise typer.Exit(ExitCode.FINDINGS)


def backtest(
    context: typer.Context,
    file: File,
    *,
    table: Annotated[
        Path, typer.Option("--set", exists=True, help="A training set's folder, or a Parquet file.")
    ],
    against: Annotated[
        Path | None, typer.Option("--against", exists=True, dir_okay=False, help="Rules to compare with.")
    ] = None,
    costs: Annotated[
        Path | None, typer.Option("--costs", exists=True, dir_okay=False, help="A document of costs.")
    ] = None,
    segment: Annotated[
        str | None, typer.Option("--segment", help="Tell the money by the values of this column, too.")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="The column that is 1 for what was bad.")] = "label",
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="FILE of a model, which gives the score of its name, or NAME=FILE."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run rules over rows of the past, and count what that would have been worth."""
    # Only this command reads Parquet and models; the others need not wait for it.
    from formicary.surfaces.cli.rules_backtest import (  # noqa: PLC0415
        Wanted,
        run_backtest,
        write_backtest,
    )

    wanted = Wanted(
        rules=file,
        against=against,
        table=table,
        costs=costs,
        segment=segment,
        label=label,
        models=[_existing(one) for one in models or []],
    )
    found = run_backtest(wanted, program_of(context).decision_points)
    if as_json:
        write_json(found.document())
    else:
        write_backtest(found)


def _existing(text: str) -> str:
    file = text.rpartition("=")[2]
    if not Path(file).is_file():
        message = f"there is no file {file}"
        raise typer.BadParameter(message, param_hint="--model")
    return text


def _column(lines: Sequence[str], error: RuleRefused) -> int:
    """Return the column of the document, from 1, that an error stands in; 1 where its line has none."""
    line = lines[error.line - 1] if 0 < error.line <= len(lines) else ""
    if not error.column:
        return len(line) - len(line.lstrip(" ")) + 1
    found = _WHEN.search(line)
    if found:
        return found.end() + error.column
    # A line of a block: columns count from the indentation of its first line.
    place = error.line - 1
    while place and not _BLOCK.search(lines[place - 1]):
        place -= 1
    first = lines[place]
    return len(first) - len(first.lstrip(" ")) + error.column


def _document(error: RuleRefused, column: int) -> dict[str, Any]:
    return {
        "code": error.code,
        "file": error.file,
        "line": error.line,
        "column": column,
        "rule": error.rule,
        "message": error.said,
    }


def _failed(one: CaseResult) -> dict[str, Any]:
    return {
        "case": one.case.name,
        "line": one.case.line,
        "must_come_out": one.case.outcome,
        "came_out": one.outcome,
        "failures": list(one.failures),
    }


def _row(one: CaseResult) -> list[str]:
    cells = (str(one.case.line), one.case.name, one.case.outcome, one.outcome, "; ".join(one.failures))
    return [escape(cell) for cell in cells]
