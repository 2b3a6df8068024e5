"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, cast

import msgspec
import typer

from formicary.base.limits import QUERY_LIMIT_MAX
from formicary.factory.registry import messages
from formicary.surfaces.cli.ports import Program

__all__ = [
    "AccountArgument",
    "AsJson",
    "IdempotencyKey",
    "Limit",
    "Newest",
    "Note",
    "PeriodEnd",
    "PeriodStart",
    "Reason",
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


def _fits(kind: Any, what: str) -> Callable[[str], str]:
    """Return what lets only texts of a type through, and says otherwise what they are."""

    def fitting(text: str) -> str:
        try:
            return cast("str", msgspec.convert(text, kind))
        except msgspec.ValidationError as error:
            message = f"it is {what}"
            raise typer.BadParameter(message) from error

    return fitting


_REASON: Final = "one line of 1 to 200 characters"
_NOTE: Final = "at most 1,000 characters"

Reason = Annotated[
    str, typer.Option("--reason", callback=_fits(messages.Reason, _REASON), help=f"Why: {_REASON}.")
]
Note = Annotated[
    str,
    typer.Option("--note", callback=_fits(messages.Note, _NOTE), help=f"What else is to be known: {_NOTE}."),
]
