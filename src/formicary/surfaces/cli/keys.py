"""``formicary keys``: API keys; the first comes past the API, the others through it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from formicary.surfaces.cli.api_output import new_group, write_document
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of
from formicary.surfaces.cli.output import write_json

__all__ = ["group"]

KeyArgument = Annotated[str, typer.Argument(help="Id of the key, key_….")]


def group() -> typer.Typer:
    """Return the commands."""
    keys = new_group("Make, replace and end API keys.")
    keys.command("house")(house)
    keys.command("issue")(issue)
    keys.command("rotate")(rotate)
    keys.command("revoke")(revoke)
    return keys


def house(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Make a key of the house with every scope, through the engine's own socket, and show it this once."""
    text = program_of(context).issue_house_key()
    if as_json:
        write_json({"key": text})
    else:
        # Alone on its line: FORMICARY_KEY=$(formicary keys house).
        sys.stdout.write(text + "\n")


def issue(
    context: typer.Context,
    party: Annotated[str, typer.Argument(help="Id of the party, pty_….")],
    *,
    scope: Annotated[list[str], typer.Option("--scope", help="A scope; may be given several times.")],
    expires: Annotated[str | None, typer.Option("--expires", help="RFC 3339; never unless given.")] = None,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a party and show it this once."""
    with program_of(context).client() as client:
        write_document(client.issue_key(party, scope, expires_at=expires, key=key), as_json=as_json)


def rotate(
    context: typer.Context,
    key_id: KeyArgument,
    *,
    overlap: Annotated[int, typer.Option("--overlap", min=0, help="Seconds the old text stays valid.")] = 0,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Replace a key's text and show the new one this once."""
    with program_of(context).client() as client:
        write_document(client.rotate_key(key_id, overlap_seconds=overlap, key=key), as_json=as_json)


def revoke(
    context: typer.Context, key_id: KeyArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """End a key."""
    with program_of(context).client() as client:
        write_document(client.revoke_key(key_id, key=key), as_json=as_json)
