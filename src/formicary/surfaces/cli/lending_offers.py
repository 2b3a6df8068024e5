"""``formicary lending offer`` and its like: who may have credit, through the API."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import typer

from formicary.surfaces.cli.api_output import write_document, write_documents
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of

__all__ = ["OfferArgument", "PartyOption", "register"]

OfferArgument = Annotated[str, typer.Argument(help="Id of the offer, ofr_….")]
PartyOption = Annotated[str, typer.Argument(help="Id of the party, pty_….")]

_COLUMNS: Final = {
    "offer": "id",
    "currency": "currency",
    ">limit": "limit",
    ">effective rate": "effective_rate",
    "state": "state",
    "until": "expires_at",
}


def register(lending: typer.Typer) -> None:
    """Add the commands to the group."""
    lending.command("offer")(offer)
    lending.command("offers")(offers)
    lending.command("quote")(quote)
    lending.command("withdraw")(withdraw)


def offer(
    context: typer.Context,
    party: PartyOption,
    *,
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 code.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Minor units.")],
    rate: Annotated[int, typer.Option("--rate", min=0, help="Interest a year, in billionths.")],
    until: Annotated[str, typer.Option("--until", help="When it ends, RFC 3339.")],
    instalments: Annotated[
        int, typer.Option("--instalments", min=0, help="How many; 0 for a line of credit.")
    ] = 0,
    share: Annotated[
        int, typer.Option("--share", min=0, help="Of a line, what falls due each period, in millionths.")
    ] = 0,
    terms: Annotated[
        str, typer.Option("--terms", help="Further terms as a JSON object, as the API takes them.")
    ] = "{}",
    default: Annotated[int, typer.Option("--default", min=0, help="Chance of default, millionths.")] = 0,
    loss: Annotated[int, typer.Option("--loss", min=0, help="Loss given default, millionths.")] = 0,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Offer a party credit, with a key of the house."""
    agreed = {"rate": rate, "kind": "instalments" if instalments else "line"}
    agreed |= {"instalments": instalments, "share": share} | _further(terms)
    with program_of(context).client() as client:
        made = client.lending.offer(
            party,
            currency=currency,
            limit=limit,
            terms=agreed,
            expires_at=until,
            default=default,
            loss=loss,
            key=key,
        )
        write_document(made, as_json=as_json)


def offers(context: typer.Context, party: PartyOption, *, as_json: AsJson = False) -> None:
    """List a party's offers, the oldest first."""
    with program_of(context).client() as client:
        write_documents(client.lending.offers(party), _COLUMNS, as_json=as_json)


def quote(
    context: typer.Context,
    offer: OfferArgument,
    *,
    amount: Annotated[int, typer.Option("--amount", min=1, help="Minor units.")],
    as_json: AsJson = False,
) -> None:
    """Say what an amount of an offer would cost if it were drawn today."""
    with program_of(context).client() as client:
        write_document(client.lending.quote(offer, amount), as_json=as_json)


def withdraw(
    context: typer.Context, offer: OfferArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """Take an open offer back, with a key of the house."""
    with program_of(context).client() as client:
        write_document(client.lending.withdraw(offer, key=key), as_json=as_json)


def _further(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        message = "it is a JSON object"
        raise typer.BadParameter(message, param_hint="--terms") from error
