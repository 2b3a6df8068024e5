"""``formicary escrow``: a buyer's money that waits, through the API."""

from __future__ import annotations

from typing import Annotated

import typer

from formicary.surfaces.cli.api_output import new_group, write_document
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of

__all__ = ["group"]

EscrowArgument = Annotated[str, typer.Argument(help="Id of the escrow, esc_….")]


def group() -> typer.Typer:
    """Return the commands."""
    escrow = new_group("Agree on trades, move them on, look at them.")
    escrow.command("open")(open_escrow)
    escrow.command("show")(show)
    escrow.command("move")(move)
    return escrow


def open_escrow(
    context: typer.Context,
    *,
    buyer: Annotated[str, typer.Option("--buyer", help="Id of the party that buys.")],
    seller: Annotated[str, typer.Option("--seller", help="Id of the party that sells.")],
    amount: Annotated[int, typer.Option("--amount", min=1, help="Minor units.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 code.")],
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Agree on a trade; nothing moves until the buyer pays."""
    with program_of(context).client() as client:
        made = client.open_escrow(buyer=buyer, seller=seller, amount=amount, currency=currency, key=key)
        write_document(made, as_json=as_json)


def show(context: typer.Context, escrow: EscrowArgument, *, as_json: AsJson = False) -> None:
    """Show an escrow."""
    with program_of(context).client() as client:
        write_document(client.escrow(escrow), as_json=as_json)


def move(
    context: typer.Context,
    escrow: EscrowArgument,
    verb: Annotated[str, typer.Argument(help="pay, ship, confirm, extend, close, refund, refund/agree ….")],
    *,
    side: Annotated[str | None, typer.Option("--as", help="The side a key of the house acts for.")] = None,
    amount: Annotated[int | None, typer.Option("--amount", min=0, help="Of a refund: minor units.")] = None,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Move an escrow on."""
    name = "amount_to_buyer" if verb == "refund/rule" else "amount"
    fields = {} if amount is None else {name: amount}
    with program_of(context).client() as client:
        moved = client.move_escrow(escrow, verb, acting_as=side, key=key, **fields)
        write_document(moved, as_json=as_json)
