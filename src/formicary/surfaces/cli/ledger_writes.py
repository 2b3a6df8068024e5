"""``formicary ledger``: opening accounts and moving money."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated, Any

import numpy.typing as npt
import typer

from formicary.base.clock import LiveClock
from formicary.base.ids import IdGenerator, format_id
from formicary.factory.ledger import (
    Account,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    Transfer,
    TransferFlags,
)
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, write_json, write_table
from formicary.surfaces.cli.values import ledger_number, parse_amount, parse_identifier, time_text

__all__ = ["register"]

Records = npt.NDArray[Any]

_FLAGS_OF_ACCOUNTS = ", ".join(str(flag.name).lower() for flag in AccountFlags)
_FLAGS_OF_TRANSFERS = ", ".join(str(flag.name).lower() for flag in TransferFlags)

Id = Annotated[
    str | None, typer.Option("--id", help="Its id; the same id again changes nothing. New unless given.")
]
Ledger = Annotated[str, typer.Option("--ledger", help="A currency's code (GBP), or the number of a book.")]
Code = Annotated[int, typer.Option("--code", min=1, max=2**16 - 1, help="From the chart of accounts.")]


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.command("create-account")(create_account)
    group.command("transfer")(transfer)


def create_account(
    context: typer.Context,
    *,
    ledger: Ledger,
    code: Code = 1,
    account_id: Id = None,
    flags: Annotated[list[str] | None, typer.Option("--flag", help=_FLAGS_OF_ACCOUNTS)] = None,
    credit_limit: Annotated[str, typer.Option(help="How far debits may exceed credits.")] = "0",
    as_json: AsJson = False,
) -> None:
    """Open an account."""
    number = ledger_number(ledger)
    wanted = Account(
        id=_identifier(account_id),
        ledger=number,
        code=code,
        flags=_flags(flags, AccountFlags),
        credit_limit=parse_amount(credit_limit, number),
    )
    with program_of(context).ledger() as book:
        result = book.create_accounts([wanted])[0]
    _answer(wanted.id, result, CreateAccountStatus(int(result["status"])), as_json=as_json)


def transfer(
    context: typer.Context,
    *,
    debit: Annotated[str, typer.Option("--from", help="Account to debit.")] = "0",
    credit: Annotated[str, typer.Option("--to", help="Account to credit.")] = "0",
    amount: Annotated[str, typer.Option(help="In units of the currency: 12.50.")] = "0",
    ledger: Ledger,
    code: Code = 1,
    transfer_id: Id = None,
    flags: Annotated[list[str] | None, typer.Option("--flag", help=_FLAGS_OF_TRANSFERS)] = None,
    pending_id: Annotated[str, typer.Option(help="The hold to post or void.")] = "0",
    timeout_seconds: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of a hold; 0: for ever.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Move money between two accounts, or make, post or void a hold."""
    number = ledger_number(ledger)
    wanted = Transfer(
        id=_identifier(transfer_id),
        debit_account_id=parse_identifier(debit),
        credit_account_id=parse_identifier(credit),
        amount=parse_amount(amount, number),
        pending_id=parse_identifier(pending_id),
        timeout=timeout_seconds,
        ledger=number,
        code=code,
        flags=_flags(flags, TransferFlags),
    )
    with program_of(context).ledger() as book:
        result = book.create_transfers([wanted])[0]
    _answer(wanted.id, result, CreateTransferStatus(int(result["status"])), as_json=as_json)


def _identifier(text: str | None) -> int:
    if text is None:
        return IdGenerator(LiveClock(), os.urandom).next()
    return parse_identifier(text)


def _flags(names: Iterable[str] | None, kind: type[AccountFlags | TransferFlags]) -> int:
    flags = 0
    for name in names or ():
        try:
            flags |= kind[name.upper()]
        except KeyError as error:
            message = f"{name!r} is none of {', '.join(str(flag.name).lower() for flag in kind)}"
            raise typer.BadParameter(message, param_hint="--flag") from error
    return flags


def _answer(identifier: int, result: Records, status: IntEnum, *, as_json: bool) -> None:
    """Write a result; end with ``REFUSED`` unless it was created, now or before."""
    name, at = status.name.lower(), int(result["timestamp"])
    if as_json:
        write_json({"id": format_id(identifier), "status": name, "timestamp": at})
    elif name in ("created", "exists"):
        write_table(("id", "status", "at"), [(format_id(identifier), name, time_text(at))])
    else:
        note(f"refused ({name}): see docs/ledger.md for what it means")
    if name not in ("created", "exists"):
        raise typer.Exit(ExitCode.REFUSED)
