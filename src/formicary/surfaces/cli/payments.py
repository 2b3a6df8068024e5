"""``formicary payments``: money from one party to another, through the API."""

from __future__ import annotations

from typing import Annotated

import typer

from formicary.surfaces.cli.api_output import new_group, write_document
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, PeriodEnd, PeriodStart, program_of
from formicary.surfaces.cli.output import write_json

__all__ = ["group"]

PaymentArgument = Annotated[str, typer.Argument(help="Id of the payment, pay_….")]
Amount = Annotated[int, typer.Option("--amount", min=1, help="Minor units.")]
Note = Annotated[
    str,
    typer.Option(
        "--note", help="Why: payer_confirmed, payer_denied, checked, suspicious, appealed or unsaid."
    ),
]
Currency = Annotated[str, typer.Option("--currency", help="ISO 4217 code.")]


def group() -> typer.Typer:
    """Return the commands."""
    payments = new_group("Pay, refund, top up, and look at payments.")
    payments.command("pay")(pay)
    payments.command("show")(show)
    payments.command("refund")(refund)
    payments.command("release")(release)
    payments.command("return")(give_back)
    payments.command("statement")(statement)
    payments.command("order")(order)
    payments.command("bank-said")(bank_said)
    return payments


def pay(
    context: typer.Context,
    *,
    payer: Annotated[str, typer.Option("--from", help="Id of the party that pays.")],
    payee: Annotated[str, typer.Option("--to", help="Id of the party that is paid.")],
    amount: Amount,
    currency: Currency,
    reference: Annotated[str, typer.Option("--reference", help="Kept as a hash, to search by.")] = "",
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay from one party's wallet into another's."""
    with program_of(context).client() as client:
        made = client.pay(
            payer=payer, payee=payee, amount=amount, currency=currency, reference=reference, key=key
        )
        write_document(made, as_json=as_json)


def show(context: typer.Context, payment: PaymentArgument, *, as_json: AsJson = False) -> None:
    """Show a payment."""
    with program_of(context).client() as client:
        write_document(client.payment(payment), as_json=as_json)


def refund(
    context: typer.Context,
    payment: PaymentArgument,
    *,
    amount: Amount,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Give back what was paid or a part of it."""
    with program_of(context).client() as client:
        write_document(client.refund(payment, amount, key=key), as_json=as_json)


def release(
    context: typer.Context,
    payment: PaymentArgument,
    *,
    note: Note = "unsaid",
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay what a decision holds, and charge the fee."""
    with program_of(context).client() as client:
        write_document(client.release(payment, note=note, key=key), as_json=as_json)


def give_back(
    context: typer.Context,
    payment: PaymentArgument,
    *,
    note: Note = "unsaid",
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Give back what a decision holds."""
    with program_of(context).client() as client:
        write_document(client.give_back(payment, note=note, key=key), as_json=as_json)


def statement(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="Id of the account, acc_….")],
    *,
    since: PeriodStart,
    until: PeriodEnd,
    form: Annotated[str, typer.Option("--format", help="csv or camt.053.")] = "csv",
    as_json: AsJson = False,
) -> None:
    """Write an account's statement of a period."""
    with program_of(context).client() as client:
        text = client.statement(account, since=since, until=until, form=form).decode()
    if as_json:
        write_json({"account": account, "format": form, "statement": text})
    else:
        typer.echo(text, nl=False)


def order(
    context: typer.Context,
    direction: Annotated[str, typer.Argument(help="top_up or cash_out.")],
    *,
    party: Annotated[str, typer.Option("--party", help="Whose wallet.")],
    amount: Amount,
    currency: Currency,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Order money from a party's bank or to it."""
    with program_of(context).client() as client:
        made = client.order(direction, party=party, amount=amount, currency=currency, key=key)
        write_document(made, as_json=as_json)


def bank_said(
    context: typer.Context,
    order: Annotated[str, typer.Argument(help="Id of the order, rail_….")],
    word: Annotated[str, typer.Argument(help="confirm, fail or return.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Enter what the bank said of an order."""
    with program_of(context).client() as client:
        write_document(client.bank_said(order, word, key=key), as_json=as_json)
