"""``formicary bench`` and ``learn replay``: run one of the repository's benchmarks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from formicary.base.errors import OperationalFault
from formicary.surfaces.cli.options import AsJson

__all__ = ["BenchmarksMissing", "bench", "replay"]

# Beside src/ in a checkout; an installed package has none.
_CHECKOUT: Final = Path(__file__).parents[4]


class BenchmarksMissing(OperationalFault):
    """Benchmarks and streams lie in the repository, not in the package: run them from a checkout."""


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which one: a module of benchmarks/.")] = "ledger",
    *,
    as_json: AsJson = False,
) -> None:
    """Measure this machine and print a table; arguments after ``--`` go to the benchmark."""
    _require_one_of("benchmarks", name)
    _run(name, context.args, as_json=as_json)


def replay(
    stream: Annotated[str, typer.Argument(help="Which one: a module of examples/streams/.")],
    *,
    threads: Annotated[int, typer.Option("--threads", min=1, help="How many cores trainings take.")] = 1,
    days: Annotated[int, typer.Option("--days", min=0, help="Of so many days only; 0 for all.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Live through a stream of the past as if it were now, with nobody's hand on it, beside other ways."""
    _require_one_of("examples/streams", stream)
    some = ["--days", str(days)] if days else []
    _run("learning", [stream, "--threads", str(threads), *some], as_json=as_json)


def _run(name: str, arguments: Sequence[str], *, as_json: bool) -> NoReturn:
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--json"] if as_json else []), *arguments]
    # A process of its own: nothing of this one disturbs the figures.
    done = subprocess.run(command, cwd=_CHECKOUT, check=False)  # noqa: S603, one of our own modules
    raise typer.Exit(done.returncode)


def _require_one_of(folder: str, name: str) -> None:
    known = sorted(path.stem for path in (_CHECKOUT / folder).glob("[a-z]*.py"))
    if not known:
        raise BenchmarksMissing
    if name not in known:
        message = f"{name!r} is none of {', '.join(known)}"
        raise typer.BadParameter(message, param_hint="name")
