"""``formicary ledger``: what a bank's file says, and what is open on an account that should be zero."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from formicary.base.clock import LiveClock
from formicary.base.currencies import currency_of_ledger
from formicary.base.ids import format_id
from formicary.base.limits import BANK_FILE_BYTES_MAX
from formicary.factory.history import all_account_transfers
from formicary.factory.ledger import AccountFilter
from formicary.factory.ledger.ageing import AgeBucket, OpenItem, age_buckets, open_items
from formicary.factory.ledger.reconciliation import (
    Difference,
    Line,
    MalformedStatement,
    Reconciliation,
    lines_of,
    read_camt053,
    read_csv,
    reconcile,
)
from formicary.factory.ledger.statements import statement
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.ledger_documents import Records
from formicary.surfaces.cli.ledger_reads import account_of
from formicary.surfaces.cli.options import AccountArgument, AsJson, PeriodEnd, PeriodStart, program_of
from formicary.surfaces.cli.output import write_json, write_table
from formicary.surfaces.cli.values import amount_text, parse_identifier, parse_time, time_text

__all__ = ["register"]

AsOf = Annotated[str | None, typer.Option("--as-of", help="Ages at this time (RFC 3339), not now.")]
_NANOSECONDS_PER_DAY: Final = 86_400 * 10**9


def register(group: typer.Typer) -> None:
    """Add the commands to their group."""
    group.command("reconcile")(reconcile_file)
    group.command("ageing")(ageing)


def reconcile_file(
    context: typer.Context,
    account_id: AccountArgument,
    file: Annotated[Path, typer.Argument(help="The bank's file: camt.053, or CSV.")],
    *,
    since: PeriodStart,
    until: PeriodEnd,
    as_json: AsJson = False,
) -> None:
    """Compare a bank's file with the account that mirrors the one at the bank; list what differs."""
    identifier, start, end = parse_identifier(account_id), parse_time(since), parse_time(until)
    content = _content_of(file)
    ledger, transfers = _transfers_of(context, identifier, start=start, end=end)
    currency = currency_of_ledger(ledger)
    shown = statement(identifier, transfers, currency=currency, start=start, end=end, mirrored=True)
    is_xml = content.lstrip().startswith(b"<")
    lines = read_camt053(content, currency) if is_xml else read_csv(_text_of(content), currency)
    found = reconcile([line for line in lines if start <= line.at <= end], lines_of(shown))
    if as_json:
        write_json(_reconciliation_document(found))
    else:
        rows = [_difference_row(difference, ledger) for difference in found.differences]
        write_table(("difference", "reference", "at", ">in the file", ">in the ledger"), rows)
        sums = [amount_text(size, ledger) for size in (found.file_sum, found.ledger_sum)]
        write_table(
            (">lines that met", ">sum of the file", ">sum of the ledger"), [[str(found.matched), *sums]]
        )
    if not found.reconciles:
        raise typer.Exit(ExitCode.FINDINGS)


def ageing(
    context: typer.Context,
    account_id: AccountArgument,
    *,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """List what is open on an account that is expected to be zero, by age."""
    identifier = parse_identifier(account_id)
    now = parse_time(as_of) if as_of else LiveClock().now()
    ledger, transfers = _transfers_of(context, identifier, start=0, end=now)
    buckets = age_buckets(open_items(identifier, transfers), now=now)
    if as_json:
        found = _bucket_documents(buckets)
        write_json({"account_id": format_id(identifier), "as_of": time_text(now), "buckets": found})
    else:
        rows = [_item_row(bucket, item, ledger) for bucket in buckets for item in bucket.items]
        write_table(("age", "since", "reference", ">booked", ">held"), rows)


def _transfers_of(context: typer.Context, identifier: int, *, start: int, end: int) -> tuple[int, Records]:
    """Return the ledger of an account and all its transfers from ``start`` to ``end``, in nanoseconds."""
    wanted = AccountFilter(account_id=identifier, timestamp_min=start, timestamp_max=end)
    with program_of(context).ledger() as book:
        ledger = int(account_of(book, identifier)[0]["ledger"])
        return ledger, all_account_transfers(book.get_account_transfers, wanted)


def _content_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            # One more than is read: it is refused as too large.
            return opened.read(BANK_FILE_BYTES_MAX + 1)
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise MalformedStatement(message) from error


def _text_of(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the file is not in UTF-8: {error.reason} at byte {error.start}"
        raise MalformedStatement(message) from error


def _reconciliation_document(found: Reconciliation) -> dict[str, Any]:
    return {
        "reconciles": found.reconciles,
        "matched": found.matched,
        "file_sum": found.file_sum,
        "ledger_sum": found.ledger_sum,
        "differences": [
            {
                "kind": str(difference.kind),
                "amount": difference.amount,
                "file": _line_document(difference.file),
                "ledger": _line_document(difference.ledger),
            }
            for difference in found.differences
        ],
    }


def _line_document(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {"at": time_text(line.at), "amount": line.amount, "reference": format_id(line.reference)}


def _difference_row(difference: Difference, ledger: int) -> list[str]:
    lines = (difference.file, difference.ledger)
    known = next(line for line in lines if line is not None)
    amounts = ["" if line is None else amount_text(line.amount, ledger) for line in lines]
    return [str(difference.kind), format_id(known.reference), time_text(known.at), *amounts]


def _bucket_documents(buckets: Iterable[AgeBucket]) -> list[dict[str, Any]]:
    return [
        {
            "days_above": bucket.after // _NANOSECONDS_PER_DAY,
            "days_up_to": None if bucket.until is None else bucket.until // _NANOSECONDS_PER_DAY,
            "booked": bucket.booked,
            "held": bucket.held,
            "items": [
                {
                    "reference": format_id(item.reference),
                    "since": time_text(item.since),
                    "booked": item.booked,
                    "held": item.held,
                }
                for item in bucket.items
            ],
        }
        for bucket in buckets
    ]


def _item_row(bucket: AgeBucket, item: OpenItem, ledger: int) -> list[str]:
    above, until = bucket.after // _NANOSECONDS_PER_DAY, (bucket.until or 0) // _NANOSECONDS_PER_DAY
    age = f"up to {until} days" if until else f"above {above} days"
    amounts = [amount_text(size, ledger) for size in (item.booked, item.held)]
    return [age, time_text(item.since), format_id(item.reference), *amounts]
