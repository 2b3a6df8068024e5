"""``formicary lending policy``, ``apply`` and their like: by what the house lends, and to whom."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from formicary.surfaces.cli.api_output import new_group, write_document, write_documents
from formicary.surfaces.cli.lending_offers import PartyOption
from formicary.surfaces.cli.options import AsJson, IdempotencyKey, program_of

__all__ = ["register"]

ApplicationArgument = Annotated[str, typer.Argument(help="Id of the application, app_….")]
CurrencyArgument = Annotated[str, typer.Argument(help="ISO 4217 code.")]

_COLUMNS: Final = {
    "application": "id",
    "currency": "currency",
    ">asked for": "amount",
    "outcome": "outcome",
    ">limit": "limit",
    ">a day": "daily_rate",
    "decided": "decided_at",
}


def register(lending: typer.Typer) -> None:
    """Add the commands to the group."""
    policy = new_group("By what the house lends in a currency: set it, show it.")
    policy.command("set")(set_policy)
    policy.command("show")(show_policy)
    lending.add_typer(policy, name="policy")
    lending.command("borrower")(borrower)
    lending.command("apply")(apply)
    lending.command("application")(application)
    lending.command("applications")(applications)
    lending.command("notice")(notice)


def set_policy(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Its settings, a JSON object as the API takes them.")],
    *,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say by what the house lends from now on, with a key of the house; without it nothing is lent."""
    settings = _read(file)
    with program_of(context).client() as client:
        write_document(client.applications.set_policy(settings, key=key), as_json=as_json)


def show_policy(context: typer.Context, currency: CurrencyArgument, *, as_json: AsJson = False) -> None:
    """Show by what the house lends in a currency, with every default in its place."""
    with program_of(context).client() as client:
        write_document(client.applications.policy(currency), as_json=as_json)


def borrower(
    context: typer.Context,
    party: PartyOption,
    *,
    segment: Annotated[int, typer.Option("--segment", min=0, help="Its trade or place, by number.")] = 0,
    other_debts: Annotated[
        int, typer.Option("--other-debts", min=0, help="What others ask for in 30 days, minor units.")
    ] = 0,
    stopped: Annotated[
        bool, typer.Option("--stopped/--not-stopped", help="Whether somebody suspects it.")
    ] = False,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say what is known of a party by word, in place of what was said before, with a key of the house."""
    with program_of(context).client() as client:
        told = client.applications.describe(
            party, segment=segment, other_debts=other_debts, stopped=stopped, key=key
        )
        write_document(told, as_json=as_json)


def apply(
    context: typer.Context,
    party: PartyOption,
    amount: Annotated[int, typer.Argument(min=1, help="Minor units.")],
    currency: CurrencyArgument,
    *,
    wallet: Annotated[str | None, typer.Option("--wallet", help="For which wallet, acc_….")] = None,
    key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Apply for credit: it is decided at once, and the answer is an offer or reasons."""
    with program_of(context).client() as client:
        decided = client.applications.apply(party, amount, currency, wallet=wallet, key=key)
        write_document(decided, as_json=as_json)


def application(context: typer.Context, application: ApplicationArgument, *, as_json: AsJson = False) -> None:
    """Show what was decided about an application."""
    with program_of(context).client() as client:
        write_document(client.applications.application(application), as_json=as_json)


def applications(context: typer.Context, party: PartyOption, *, as_json: AsJson = False) -> None:
    """List what was decided about a party's applications, the oldest first."""
    with program_of(context).client() as client:
        write_documents(client.applications.of_party(party), _COLUMNS, as_json=as_json)


def notice(
    context: typer.Context,
    application: ApplicationArgument,
    *,
    as_page: Annotated[bool, typer.Option("--html", help="Write it as a page of HTML.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the notice to whoever was refused, or got less: the same bytes each time."""
    form = "application/json" if as_json else "text/html" if as_page else "text/plain"
    with program_of(context).client() as client:
        sys.stdout.write(client.applications.notice(application, form=form))


def _read(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    except msgspec.DecodeError as error:
        message = f"{file} is no JSON object: {error}"
        raise typer.BadParameter(message, param_hint="FILE") from error
