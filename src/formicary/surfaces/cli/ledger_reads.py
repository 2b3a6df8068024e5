"""``formicary ledger``: looking at accounts, transfers, entries and balances."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from formicary.base.errors import Refusal
from formicary.base.ids import format_id
from formicary.factory.ledger import AccountFilter, QueryFilter
from formicary.surfaces.cli import ledger_documents as documents
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.ledger_documents import Document, Records
from formicary.surfaces.cli.options import AccountArgument, AsJson, Limit, Newest, program_of
from formicary.surfaces.cli.output import write_json, write_table
from formicary.surfaces.cli.ports import LedgerAccess
from formicary.surfaces.cli.values import (
    amount_text,
    ledger_name,
    ledger_number,
    parse_identifier,
    parse_time,
    time_text,
)

__all__ = ["AccountNotFound", "account_of", "register"]

_DEFAULT_LIMIT = 50

LedgerOption = Annotated[
    str | None, typer.Option("--ledger", help="Only this ledger: a currency's code or a number.")
]
CodeOption = Annotated[int, typer.Option("--code", min=0, max=2**16 - 1, help="Only this code.")]
Since = Annotated[str | None, typer.Option("--since", help="Nothing before this time (RFC 3339).")]
Until = Annotated[str | None, typer.Option("--until", help="Nothing after this time (RFC 3339).")]


class AccountNotFound(Refusal):
    """There is no account with this id, or there was none yet at the time asked for."""

    code = "account_not_found"


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.command("accounts")(accounts)
    group.command("account")(account)
    group.command("transfers")(transfers)
    group.command("entries")(entries)
    group.command("balance")(balance)
    group.command("trial-balance")(trial_balance)


def accounts(
    context: typer.Context,
    *,
    ledger: LedgerOption = None,
    code: CodeOption = 0,
    limit: Limit = _DEFAULT_LIMIT,
    newest: Newest = False,
    as_json: AsJson = False,
) -> None:
    """List accounts in order of opening."""
    wanted = QueryFilter(
        ledger=ledger_number(ledger) if ledger else 0, code=code, limit=limit, reversed=newest
    )
    with program_of(context).ledger() as book:
        found = documents.account_documents(book.query_accounts(wanted))
    if as_json:
        write_json({"accounts": found})
    else:
        write_table(documents.ACCOUNT_COLUMNS, map(documents.account_row, found))


def account(context: typer.Context, account_id: AccountArgument, *, as_json: AsJson = False) -> None:
    """Show one account with its four totals."""
    identifier = parse_identifier(account_id)
    with program_of(context).ledger() as book:
        found = documents.account_documents(account_of(book, identifier))[0]
    if as_json:
        write_json(found)
    else:
        write_table(documents.ACCOUNT_COLUMNS, [documents.account_row(found)])


def transfers(
    context: typer.Context,
    account_id: Annotated[str | None, typer.Argument(help="Only those of this account.")] = None,
    *,
    since: Since = None,
    until: Until = None,
    code: CodeOption = 0,
    limit: Limit = _DEFAULT_LIMIT,
    newest: Newest = False,
    as_json: AsJson = False,
) -> None:
    """List transfers, of one account or of all."""
    wanted = QueryFilter(
        timestamp_min=_bound(since), timestamp_max=_bound(until), code=code, limit=limit, reversed=newest
    )
    identifier = parse_identifier(account_id) if account_id else None
    with program_of(context).ledger() as book:
        if identifier is None:
            records = book.query_transfers(wanted)
        else:
            account_of(book, identifier)
            records = book.get_account_transfers(_of_account(identifier, wanted))
    found = documents.transfer_documents(records)
    if as_json:
        write_json({"transfers": found})
    else:
        write_table(documents.TRANSFER_COLUMNS, map(documents.transfer_row, found))


def entries(
    context: typer.Context,
    account_id: AccountArgument,
    *,
    since: Since = None,
    until: Until = None,
    limit: Limit = _DEFAULT_LIMIT,
    newest: Newest = False,
    as_json: AsJson = False,
) -> None:
    """List an account's totals after each of its entries."""
    identifier = parse_identifier(account_id)
    wanted = QueryFilter(
        timestamp_min=_bound(since), timestamp_max=_bound(until), limit=limit, reversed=newest
    )
    with program_of(context).ledger() as book:
        ledger = int(account_of(book, identifier)[0]["ledger"])
        found = documents.balance_documents(book.get_account_balances(_of_account(identifier, wanted)))
    if as_json:
        write_json({"account_id": format_id(identifier), "entries": found})
    else:
        write_table(documents.BALANCE_COLUMNS, [documents.balance_row(entry, ledger) for entry in found])


def balance(
    context: typer.Context,
    account_id: AccountArgument,
    *,
    as_of: Annotated[str | None, typer.Option("--as-of", help="At this time (RFC 3339), not now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show an account's totals, now or as of any time."""
    identifier = parse_identifier(account_id)
    at = parse_time(as_of) if as_of else None
    with program_of(context).ledger() as book:
        now = account_of(book, identifier)
        totals = now[0] if at is None else book.balance_as_of(identifier, at)
    if totals is None:
        message = f"the account was not open at {as_of}"
        raise AccountNotFound(message)
    _write_balance(documents.account_documents(now)[0], totals, at, as_json=as_json)


def trial_balance(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Sum all accounts by ledger; debits equal credits, or the command ends with a finding."""
    with program_of(context).ledger() as book:
        sums = book.trial_balance()
    found = [
        {
            "ledger": ledger,
            "ledger_name": ledger_name(ledger),
            **dict(zip(documents.TOTALS, totals, strict=True)),
            # Apart, as a mistake in one must not hide one in the other.
            "pending_difference": totals[0] - totals[2],
            "posted_difference": totals[1] - totals[3],
        }
        for ledger, totals in sorted(sums.items())
    ]
    if as_json:
        write_json({"ledgers": found})
    else:
        columns = ("ledger", *documents.BALANCE_COLUMNS[1:], ">pending difference", ">posted difference")
        write_table(columns, map(_trial_balance_row, found))
    if any(document["pending_difference"] or document["posted_difference"] for document in found):
        raise typer.Exit(ExitCode.FINDINGS)


def _trial_balance_row(document: Document) -> list[str]:
    ledger = document["ledger"]
    differences = (document["pending_difference"], document["posted_difference"])
    amounts = [amount_text(difference, ledger) for difference in differences]
    return [document["ledger_name"], *documents.totals_row(document, ledger), *amounts]


def _write_balance(opened: Document, totals: Records, at: int | None, *, as_json: bool) -> None:
    found = {name: int(totals[name]) for name in documents.TOTALS}
    asked = "now" if at is None else time_text(at)
    if as_json:
        kept = {name: opened[name] for name in ("id", "ledger", "ledger_name")}
        write_json({**kept, "as_of": asked, **found})
    else:
        row = [asked, *documents.totals_row(found, opened["ledger"])]
        write_table(("as of", *documents.BALANCE_COLUMNS[1:]), [row])


def account_of(book: LedgerAccess, identifier: int) -> Records:
    """Return an account, (1,) of ``ACCOUNT``; ``AccountNotFound`` where there is none."""
    found = book.lookup_accounts([identifier])
    if not len(found):
        raise AccountNotFound
    return np.asarray(found)


def _bound(time: str | None) -> int:
    return parse_time(time) if time else 0


def _of_account(identifier: int, wanted: QueryFilter) -> AccountFilter:
    return AccountFilter(
        account_id=identifier,
        code=wanted.code,
        timestamp_min=wanted.timestamp_min,
        timestamp_max=wanted.timestamp_max,
        limit=wanted.limit,
        reversed=wanted.reversed,
    )
