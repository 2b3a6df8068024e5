"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from formicary.base.limits import QUERY_LIMIT_MAX
from formicary.surfaces.cli.ports import Program

__all__ = [
    "AccountArgument",
    "AsJson",
    "IdempotencyKey",
    "Limit",
    "Newest",
    "PeriodEnd",
    "PeriodStart",
    "program_of",
]

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout.")]
AccountArgument = Annotated[str, typer.Argument(help="Id of the account: UUID text or a decimal number.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=QUERY_LIMIT_MAX, help="Write at most so many.")]
IdempotencyKey = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: the same one again does nothing twice.")
]
Newest = Annotated[bool, typer.Option("--newest", help="Begin with the newest.")]
PeriodStart = Annotated[str, typer.Option("--since", help="First moment of the period, RFC 3339.")]
PeriodEnd = Annotated[str, typer.Option("--until", help="Last moment of the period, RFC 3339.")]


def program_of(context: typer.Context) -> Program:
    """Return the program around the command line."""
    program: Program = context.obj
    return program
