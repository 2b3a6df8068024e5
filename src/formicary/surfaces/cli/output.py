"""Writing answers: one JSON document or a table on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Self

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from formicary.base.errors import FormicaryError, Refusal
from formicary.client import ApiRefused
from formicary.factory.engine.client import EngineRefused
from formicary.surfaces.cli.exit_codes import ExitCode

__all__ = ["Stages", "Step", "note", "progress", "report_error", "write_json", "write_table"]

_UPDATES_PER_SECOND: Final = 4
# Where the output is no terminal, so that tables do not break off at 80 columns.
_WIDTH_ELSEWHERE: Final = 200


def write_json(document: Any) -> None:
    """Write one JSON document and nothing else to stdout."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Write a table to stdout; a column whose name begins with ``>`` is flush right and never broken."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        if column.startswith(">"):
            table.add_column(column.removeprefix(">"), justify="right", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    _console(stderr=False).print(table)


def note(message: str) -> None:
    """Tell a person something, on stderr."""
    _console(stderr=True).print(message, markup=False, highlight=False)


def report_error(error: FormicaryError, *, as_json: bool) -> ExitCode:
    """Tell why a command was not done, in one line with the documented code; return how to end."""
    code, refused = _code_of(error)
    message = " ".join(str(error).split())
    if as_json:
        write_json({"error": {"code": code, "message": message, "retry": not refused}})
    else:
        note(f"{'refused' if refused else 'failed'} ({code}): {message}")
    return ExitCode.REFUSED if refused else ExitCode.FAULT


class Step:
    """One bar of a progress display."""

    def __init__(self, bars: Progress, name: str, total: int | None) -> None:
        self._bars = bars
        self._task = bars.add_task(name, total=total)

    def advance(self, count: int) -> None:
        """Say that so many more are done."""
        self._bars.advance(self._task, count)

    def reach(self, count: int, total: int | None = None) -> None:
        """Say how many are done, of how many where that has changed."""
        self._bars.update(self._task, completed=count, total=total)


@contextmanager
def progress(name: str, total: int | None) -> Iterator[Step]:
    """Show a bar on stderr while something long is done; without a terminal, one line when it is done.

    Parameters
    ----------
    name
        What is done.
    total
        How many there are; None where nobody knows, or where one is as long as all.
    """
    counts = (BarColumn(), TaskProgressColumn(), MofNCompleteColumn())
    bars = Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        *(counts if total is not None else ()),
        TimeElapsedColumn(),
        console=_console(stderr=True),
        refresh_per_second=_UPDATES_PER_SECOND,
    )
    with bars:
        step = Step(bars, name, total)
        yield step
        # A step without counts is finished by having been left.
        if total is None:
            step.reach(1, 1)


class Stages:
    """A bar of progress for each stage of something long, one after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stage = ""
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def tell(self, stage: str, done: int, of: int) -> None:
        """Show how much of a stage is done."""
        if stage != self._stage:
            self._open.close()
            self._stage = stage
            self._step = self._open.enter_context(progress(f"{stage} {self._name}", of))
        self._step.reach(done, of)


def _code_of(error: FormicaryError) -> tuple[str, bool]:
    """Return the documented code of an error, and whether it is a refusal."""
    if isinstance(error, ApiRefused):
        # The API's word for it.
        return error.reason, True
    if isinstance(error, EngineRefused):
        # The engine's word for it; what is no refusal's code there is a fault, such as a full queue.
        return error.reason, error.reason in Refusal.codes()
    if isinstance(error, Refusal):
        return error.code, True
    return type(error).__name__, False


def _console(*, stderr: bool) -> Console:
    # What stands between two colons is a name of ours, and no picture.
    console = Console(stderr=stderr, emoji=False)
    return console if console.is_terminal else Console(stderr=stderr, emoji=False, width=_WIDTH_ELSEWHERE)
