"""``formicary appeals``: what parties want a person to look at, and what the person says."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from formicary.surfaces.cli.api_output import new_group, write_document
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["group"]


def group() -> typer.Typer:
    """Return the commands."""
    appeals = new_group("Look at appeals of decisions, and decide them.")
    appeals.command("list")(list_appeals)
    appeals.command("decide")(decide)
    return appeals


def list_appeals(
    context: typer.Context,
    *,
    status: Annotated[str, typer.Option("--status", help="open, upheld or overturned.")] = "open",
    as_json: AsJson = False,
) -> None:
    """List appeals, the oldest first."""
    with program_of(context).client() as client:
        found = list(client.appeals(status))
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        write_table(
            ("appeal", "opened at", "outcome", "reasons"),
            [(one.id, one.opened_at, one.outcome, " ".join(one.reasons)) for one in found],
        )


def decide(
    context: typer.Context,
    appeal: Annotated[str, typer.Argument(help="Id of the appeal, apl_….")],
    verdict: Annotated[str, typer.Argument(help="upheld or overturned.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say whether the decision was right."""
    with program_of(context).client() as client:
        write_document(client.decide_appeal(appeal, verdict, key=key), as_json=as_json)
