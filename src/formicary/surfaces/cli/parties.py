"""``formicary parties``: who takes part, through the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from formicary.surfaces.cli.api_output import new_group, write_document
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["group"]

PartyArgument = Annotated[str, typer.Argument(help="Id of the party, pty_….")]
PurposeArgument = Annotated[str, typer.Argument(help="credit, insurance, marketing and so on.")]


def group() -> typer.Typer:
    """Return the commands."""
    parties = new_group("Register parties, open their wallets, look at them.")
    parties.command("add")(add)
    parties.command("show")(show)
    parties.command("close")(close)
    parties.command("erase")(erase)
    parties.command("open-account")(open_account)
    parties.command("consents")(consents)
    parties.command("grant-consent")(grant_consent)
    parties.command("revoke-consent")(revoke_consent)
    return parties


def add(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="person, merchant or partner.")] = "person",
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Register a party."""
    with program_of(context).client() as client:
        write_document(client.register_party(kind, key=key), as_json=as_json)


def show(context: typer.Context, party: PartyArgument, *, as_json: AsJson = False) -> None:
    """Show a party."""
    with program_of(context).client() as client:
        write_document(client.party(party), as_json=as_json)


def close(
    context: typer.Context, party: PartyArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """End a party's part in anything new, for good."""
    with program_of(context).client() as client:
        write_document(client.close_party(party, key=key), as_json=as_json)


def erase(
    context: typer.Context, party: PartyArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """Destroy a party's personal data, for good."""
    with program_of(context).client() as client:
        write_document(client.erase_party(party, key=key), as_json=as_json)


def open_account(
    context: typer.Context,
    party: PartyArgument,
    currency: Annotated[str, typer.Argument(help="ISO 4217 code.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Open a party's wallet in a currency; opening it again shows it."""
    with program_of(context).client() as client:
        write_document(client.open_account(party, currency, key=key), as_json=as_json)


def consents(context: typer.Context, party: PartyArgument, *, as_json: AsJson = False) -> None:
    """Show for every purpose that takes consent whether a party agrees to it."""
    with program_of(context).client() as client:
        found = client.consents(party)
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        rows = [
            (one.purpose, "yes" if one.granted else "no", one.act or "", one.wording or "") for one in found
        ]
        write_table(("purpose", "granted", "act", "wording"), rows)


def grant_consent(
    context: typer.Context,
    party: PartyArgument,
    purpose: PurposeArgument,
    *,
    wording: Annotated[
        str, typer.Option("--wording", help="First 32 digits of the SHA-256 of the text that was shown.")
    ],
    act: Annotated[
        str, typer.Option("--act", help="written or spoken; signed_in_party with the party's own token.")
    ],
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Enter that a party agreed to a purpose."""
    with program_of(context).client() as client:
        write_document(
            client.grant_consent(party, purpose, wording=wording, act=act, key=key), as_json=as_json
        )


def revoke_consent(
    context: typer.Context,
    party: PartyArgument,
    purpose: PurposeArgument,
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take a party's consent to a purpose back."""
    with program_of(context).client() as client:
        write_document(client.revoke_consent(party, purpose, key=key), as_json=as_json)
