"""``formicary demo``: the command; what it does is in ``demo_run``."""

from __future__ import annotations

from typing import Annotated

import typer

from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of

__all__ = ["demo"]


def demo(
    context: typer.Context,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with the data of the last demo: all of it exists already.")
    ] = False,
    lending: Annotated[
        bool, typer.Option(help="Lend beside the merchant's year: a line to it, loans to a small town.")
    ] = True,
    cards: Annotated[bool, typer.Option(help="Replay the card payments as well.")] = True,
    checked: Annotated[
        bool, typer.Option(help="Train a model of stolen cards as well, and check payments by it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Replay a merchant's year, lend, replay 1.3 m card payments, check others; prove that books balance."""
    # The engine's process comes from the same command line and must not carry a data frame library.
    from formicary.surfaces.cli.demo_run import run_demo  # noqa: PLC0415

    program = program_of(context)
    if not run_demo(program, keep=keep, lending=lending, cards=cards, checked=checked, as_json=as_json):
        raise typer.Exit(ExitCode.FINDINGS)
