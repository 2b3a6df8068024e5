"""``formicary bench``: run one of the repository's benchmarks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from formicary.base.errors import OperationalFault
from formicary.surfaces.cli.options import AsJson

__all__ = ["BenchmarksMissing", "bench"]

# Beside src/ in a checkout; an installed package has none.
_CHECKOUT: Final = Path(__file__).parents[4]


class BenchmarksMissing(OperationalFault):
    """The benchmarks lie in the repository, not in the package: run them from a checkout."""


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which one: a module of benchmarks/.")] = "ledger",
    *,
    as_json: AsJson = False,
) -> None:
    """Measure this machine and print a table; arguments after ``--`` go to the benchmark."""
    folder = _CHECKOUT / "benchmarks"
    known = sorted(path.stem for path in folder.glob("[a-z]*.py")) if folder.is_dir() else []
    if not known:
        raise BenchmarksMissing
    if name not in known:
        message = f"{name!r} is none of {', '.join(known)}"
        raise typer.BadParameter(message, param_hint="name")
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--json"] if as_json else []), *context.args]
    # A process of its own: nothing of this one disturbs the figures.
    done = subprocess.run(command, cwd=_CHECKOUT, check=False)  # noqa: S603, one of our own modules
    raise typer.Exit(done.returncode)
