"""``formicary lending loan`` and its like: loans from the offer to the last payment, through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
import typer

from formicary.client import Formicary
from formicary.client.lending import Loan
from formicary.surfaces.cli.api_output import write_document, write_documents
from formicary.surfaces.cli.lending_offers import OfferArgument, PartyOption
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of
from formicary.surfaces.cli.output import write_json, write_table

__all__ = ["register"]

LoanArgument = Annotated[str, typer.Argument(help="Id of the loan, loan_….")]
Amount = Annotated[int, typer.Option("--amount", min=1, help="Minor units.")]

_LOANS: Final = {
    "loan": "id",
    "currency": "currency",
    "state": "state",
    ">owed": "owed",
    "next due": "next_due",
    ">days late": "days_late",
}
_ENTRIES: Final = {
    "at": "at",
    "kind": "kind",
    ">amount": "amount",
    "from": "debit_account",
    "to": "credit_account",
}


def register(lending: typer.Typer) -> None:
    """Add the commands to the group."""
    lending.command("accept")(accept)
    lending.command("loans")(loans)
    lending.command("loan")(loan)
    lending.command("schedule")(schedule)
    lending.command("entries")(entries)
    lending.command("draw")(draw)
    lending.command("repay")(repay)
    lending.command("refinance")(refinance)
    lending.command("collection")(collection)
    lending.command("charge-off")(charge_off)
    lending.command("recover")(recover)
    lending.command("write-back")(write_back)
    lending.command("risk")(risk)


def accept(
    context: typer.Context,
    offer: OfferArgument,
    *,
    amount: Amount,
    effective_rate: Annotated[
        int, typer.Option("--effective-rate", min=0, help="What the party was shown, millionths a year.")
    ],
    collect: Annotated[
        bool, typer.Option("--collect/--no-collect", help="What falls due may be taken from the wallet.")
    ],
    wallet: Annotated[str | None, typer.Option("--wallet", help="Another account of the party.")] = None,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take an offer; nothing is drawn yet."""
    with program_of(context).client() as client:
        made = client.lending.accept(
            offer,
            amount=amount,
            effective_rate=effective_rate,
            collected=collect,
            wallet=wallet,
            key=key,
        )
    _write(made, as_json=as_json)


def loans(context: typer.Context, party: PartyOption, *, as_json: AsJson = False) -> None:
    """List a party's loans, the oldest first."""
    with program_of(context).client() as client:
        write_documents(client.lending.loans(party), _LOANS, as_json=as_json)


def loan(context: typer.Context, loan: LoanArgument, *, as_json: AsJson = False) -> None:
    """Show a loan as it stands today."""
    with program_of(context).client() as client:
        _write(client.lending.loan(loan), as_json=as_json)


def schedule(context: typer.Context, loan: LoanArgument, *, as_json: AsJson = False) -> None:
    """Show what is still to fall due of a loan."""
    with program_of(context).client() as client:
        found = client.lending.schedule(loan)
    if as_json:
        write_json(msgspec.to_builtins(found))
    else:
        columns = ("payment", "principal", "interest", "fees", "balance")
        rows = [(one.due, *(str(getattr(one, name)) for name in columns)) for one in found.items]
        write_table(("due", *(f">{name}" for name in columns)), rows)


def entries(context: typer.Context, loan: LoanArgument, *, as_json: AsJson = False) -> None:
    """List what moved on the ledger because of a loan, the newest first."""
    with program_of(context).client() as client:
        write_documents(client.lending.entries(loan), _ENTRIES, as_json=as_json)


def draw(
    context: typer.Context,
    loan: LoanArgument,
    *,
    amount: Amount,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay out into the wallet: any amount of a line, all of an instalment loan."""
    _act(context, lambda client: client.lending.draw(loan, amount, key=key), as_json=as_json)


def repay(
    context: typer.Context,
    loan: LoanArgument,
    *,
    amount: Amount,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Pay back from the wallet; more than is owed is not taken."""
    _act(context, lambda client: client.lending.repay(loan, amount, key=key), as_json=as_json)


def refinance(
    context: typer.Context,
    loan: LoanArgument,
    other: Annotated[str, typer.Argument(help="Id of the loan that is paid off.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Draw an accepted instalment loan to pay off another one."""
    _act(context, lambda client: client.lending.refinance(loan, other, key=key), as_json=as_json)


def collection(
    context: typer.Context,
    loan: LoanArgument,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Take what falls due from the wallet, or not.")],
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Let what falls due be taken from the wallet, or no more."""
    _act(context, lambda client: client.lending.switch_collection(loan, on=on, key=key), as_json=as_json)


def charge_off(
    context: typer.Context, loan: LoanArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """Take the loss of a loan in arrears, with a key of the house."""
    _act(context, lambda client: client.lending.charge_off(loan, key=key), as_json=as_json)


def recover(
    context: typer.Context,
    loan: LoanArgument,
    *,
    amount: Amount,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take from the wallet what comes of a loan that was charged off, with a key of the house."""
    _act(context, lambda client: client.lending.recover(loan, amount, key=key), as_json=as_json)


def write_back(
    context: typer.Context, loan: LoanArgument, *, key: IdempotencyKey = None, as_json: AsJson = False
) -> None:
    """Take a charge-off back, with a key of the house."""
    _act(context, lambda client: client.lending.write_back(loan, key=key), as_json=as_json)


def risk(
    context: typer.Context,
    loan: LoanArgument,
    *,
    default: Annotated[
        int, typer.Option("--default", min=1, help="Chance of default within 12 months, millionths.")
    ],
    impaired: Annotated[bool, typer.Option("--impaired", help="It is in default already.")] = False,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say what the chance of default is now, with a key of the house."""
    _act(
        context,
        lambda client: client.lending.assess(loan, default=default, impaired=impaired, key=key),
        as_json=as_json,
    )


def _act(context: typer.Context, act: Callable[[Formicary], Loan], *, as_json: bool) -> None:
    with program_of(context).client() as client:
        done = act(client)
    _write(done, as_json=as_json)


def _write(found: Loan, *, as_json: bool) -> None:
    """Write a loan; what is made of parts is a line of its own each."""
    if as_json:
        write_document(found, as_json=True)
        return
    rows = []
    for name, value in msgspec.to_builtins(found).items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        rows += [(f"{name} {part}".strip(), "" if one is None else str(one)) for part, one in parts]
    write_table(("field", "value"), rows)
