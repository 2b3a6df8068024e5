"""The commands, put together, and what happens to their errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from formicary import __version__
from formicary.base.errors import OperationalFault, Refusal
from formicary.surfaces.cli import (
    appeals,
    credit,
    decisions,
    escrow,
    experiments,
    features_backfill,
    features_catalogue,
    features_daily,
    features_quality,
    keys,
    learn,
    ledger_audits,
    ledger_reads,
    ledger_writes,
    lending,
    models,
    parties,
    payments,
    policies,
    rules,
)
from formicary.surfaces.cli.bench import bench
from formicary.surfaces.cli.demo import demo
from formicary.surfaces.cli.doctor import doctor
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.import_history import import_history
from formicary.surfaces.cli.openapi import openapi
from formicary.surfaces.cli.output import report_error
from formicary.surfaces.cli.ports import Program
from formicary.surfaces.cli.train import train
from formicary.surfaces.cli.up import up
from formicary.surfaces.cli.verify import verify

__all__ = ["build", "run"]


def build(program: Program) -> typer.Typer:
    """Return the command line of a program."""
    app = typer.Typer(
        name="formicary",
        add_completion=False,
        no_args_is_help=True,
        # A Refusal is one line and a bug is a plain traceback; nothing prints variables, which may be secret.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "obj": program},
    )
    app.callback()(_formicary)
    app.command()(up)
    app.command()(demo)
    app.command("import")(import_history)
    app.command()(train)
    app.command(context_settings={"allow_extra_args": True})(bench)
    app.command()(verify)
    app.command()(doctor)
    app.command()(openapi)
    ledger = typer.Typer(no_args_is_help=True, help="Look at accounts and transfers, and make them.")
    ledger_reads.register(ledger)
    ledger_audits.register(ledger)
    ledger_writes.register(ledger)
    app.add_typer(ledger, name="ledger")
    features = typer.Typer(
        no_args_is_help=True, help="Features: what they mean, and what they were in all of history."
    )
    features_catalogue.register(features)
    features_backfill.register(features)
    features_daily.register(features)
    features_quality.register(features)
    app.add_typer(features, name="features")
    app.add_typer(models.group(), name="models")
    app.add_typer(learn.group(), name="learn")
    app.add_typer(policies.group(), name="policies")
    app.add_typer(decisions.group(), name="decisions")
    app.add_typer(rules.group(), name="rules")
    app.add_typer(experiments.group(), name="experiments")
    app.add_typer(parties.group(), name="parties")
    app.add_typer(payments.group(), name="payments")
    app.add_typer(appeals.group(), name="appeals")
    app.add_typer(escrow.group(), name="escrow")
    app.add_typer(credit.group(), name="credit")
    app.add_typer(lending.group(), name="lending")
    app.add_typer(keys.group(), name="keys")
    return app


def run(program: Program, arguments: Sequence[str] | None = None) -> int:
    """Run one command line, that of the process unless given, and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    code = int(ExitCode.DONE)
    try:
        build(program)(args=given, prog_name="formicary")
    except (Refusal, OperationalFault) as error:
        code = report_error(error, as_json="--json" in given)
    except SystemExit as done:
        # How typer ends, also after a wrong command line or an interrupt.
        code = int(done.code or 0)
    return code


def _write_version(wanted: bool) -> None:  # noqa: FBT001, the option's value
    if wanted:
        sys.stdout.write(f"formicary {__version__}\n")
        raise typer.Exit


def _formicary(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Write the version and end.", is_eager=True, callback=_write_version),
    ] = False,
) -> None:
    """Run an AI factory for financial services: one journal, one ledger, one engine, thin products."""
