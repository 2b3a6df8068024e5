"""``formicary lending close`` and its like: business dates through the API, the book from the journal."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from formicary.surfaces.cli.api_output import write_document
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import progress, write_json, write_table

__all__ = ["register"]

DateArgument = Annotated[str, typer.Argument(help="As 2025-01-31.")]


def register(lending: typer.Typer) -> None:
    """Add the commands to the group."""
    lending.command("close")(close)
    lending.command("date")(date)
    lending.command("provisions")(provisions)
    lending.command("portfolio")(portfolio)


def close(context: typer.Context, date: DateArgument, *, as_json: AsJson = False) -> None:
    """Close a business date, with a key of the house; ``up`` does it by itself."""
    with program_of(context).client() as client, progress(f"closing {date}", None) as step:
        told = client.lending.close(date)
        while not told.closed:
            told = client.lending.close(date)
            step.advance(1)
    write_document(told, as_json=as_json)


def date(context: typer.Context, date: DateArgument, *, as_json: AsJson = False) -> None:
    """Show how far the close of a business date came."""
    with program_of(context).client() as client:
        write_document(client.lending.business_date(date), as_json=as_json)


def provisions(context: typer.Context, date: DateArgument, *, as_json: AsJson = False) -> None:
    """Show how allowances moved on a business date."""
    with program_of(context).client() as client:
        found = client.lending.provisions(date)
    if as_json:
        write_json(msgspec.to_builtins(found))
        return
    names = ("opening", "new", "moved_in", "moved_out", "remeasured", "gone", "closing")
    rows = [(one.currency, str(one.stage), *(f"{getattr(one, name):,}" for name in names)) for one in found]
    write_table(("currency", ">stage", *(f">{name.replace('_', ' ')}" for name in names)), rows)


def portfolio(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Fold the book from the journal: who is late, vintages, roll rates, default curves, returns."""
    with progress("folding the book", None):
        found = program_of(context).portfolio()
    if as_json:
        write_json(msgspec.to_builtins(found))
        return
    for one in found.currencies:
        title = f"{one.currency}, as of {found.as_of}"
        buckets = [(row.bucket, f"{row.loans:,}", f"{row.owed:,}") for row in one.buckets]
        write_table(("days late", ">loans", ">owed"), buckets, title=title)
        vintages = [
            (row.cohort, f"{row.age}", f"{row.loans:,}", f"{row.amount:,}", _share(row.share))
            for row in one.vintages
        ]
        write_table(("lent in", ">age", ">loans", ">amount", ">in default"), vintages)
        for table in one.roll_rates[-1:]:
            rolls = [(name, *map(_share, shares)) for name, shares in table.rows.items()]
            write_table(("was", *(f">{name}" for name in table.to)), rolls, title=f"rolled in {table.month}")
        returns = [
            (f"{told.days}", *map(_share, (told.yield_, told.cost_of_risk, told.write_offs)))
            for told in one.returns.values()
        ]
        write_table((">days", ">yield", ">cost of risk", ">write-offs"), returns)


def _share(millionths: int | None) -> str:
    return "" if millionths is None else f"{millionths / 10_000:.2f} %"
