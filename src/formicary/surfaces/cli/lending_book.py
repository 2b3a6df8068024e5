"""``formicary lending close`` and its like: business dates through the API, the book from the journal."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Final

import msgspec
import typer

from formicary.products.lending.portfolio.report import CURVE_DAYS, CurrencyPortfolio
from formicary.products.lending.portfolio.returns import RATES
from formicary.surfaces.cli.api_output import write_document
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import progress, write_json, write_table
from formicary.surfaces.lending.words import BUCKETS, curve_texts, share_text

__all__ = ["register"]

# A column each: the months by which a lender knows a vintage.
_AGES: Final = (0, 1, 2, 3, 6, 9, 12, 18, 24, 36)

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
        buckets = [(BUCKETS[row.bucket], f"{row.loans:,}", f"{row.owed:,}") for row in one.buckets]
        write_table(("days late", ">loans", ">owed"), buckets, title=title)
        _write_cohorts(one)
        for table in [table for table in one.roll_rates if table.rows][-1:]:
            rolls = [(BUCKETS[name], *map(share_text, shares)) for name, shares in table.rows.items()]
            to = (f">{BUCKETS[name]}" for name in table.to)
            write_table(("days late, before", *to), rolls, title=f"rolled in {table.month}")
        returns = [
            (f"{told.days}", *(share_text(getattr(told, name)) for name in RATES))
            for told in one.returns.values()
        ]
        write_table((">days", *(f">{name.rstrip('_').replace('_', ' ')}" for name in RATES)), returns)
        sums = [
            (name.replace("_", " "), f"{getattr(one.books, name):,}")
            for name in ("own_funds", "borrowed", "cash")
        ]
        write_table(("lent from", f">{one.currency}, minor units"), sums)


def _write_cohorts(one: CurrencyPortfolio) -> None:
    """Write what of each month's loans was in default by which age, a row each, and their curves."""
    cohorts = {
        cohort: {row.age: row for row in rows}
        for cohort, rows in groupby(one.vintages, key=lambda row: row.cohort)
    }
    oldest = max((row.age for row in one.vintages), default=-1)
    ages = [age for age in _AGES if age <= oldest]
    vintages = [
        (
            cohort,
            f"{rows[0].loans:,}",
            f"{rows[0].amount:,}",
            *(share_text(rows[age].share) if age in rows else "" for age in ages),
        )
        for cohort, rows in cohorts.items()
    ]
    columns = ("lent in", ">loans", ">amount", *(f">{age}" for age in ages))
    write_table(columns, vintages, title="in default, by months since")
    curves = [
        (curve.cohort, f"{curve.loans:,}", f"{curve.defaults:,}", *curve_texts(curve))
        for curve in one.default_curves
    ]
    days = (f">{days}" for days in CURVE_DAYS)
    write_table(("lent in", ">loans", ">defaults", *days), curves, title="default within so many days (95 %)")
