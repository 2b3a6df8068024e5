"""``formicary doctor``: whether this machine can run it, and what to do first."""

from __future__ import annotations

from typing import Final

import typer

from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import progress, write_json, write_table
from formicary.surfaces.cli.ports import Outcome

__all__ = ["doctor"]

_STYLES: Final = {Outcome.OK: "green", Outcome.WARN: "yellow", Outcome.FAIL: "bold red"}


def doctor(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Look at the machine and the installation; say what to do about what is wrong."""
    checks = []
    with progress("looking", None) as step:
        for check in program_of(context).doctor():
            checks.append(check)
            step.advance(1)
    if as_json:
        names = ("name", "outcome", "found", "advice")
        write_json({"checks": [{name: str(getattr(check, name)) for name in names} for check in checks]})
    else:
        rows = [
            (
                check.name,
                f"[{_STYLES[check.outcome]}]{check.outcome}[/]",
                _plain(check.found),
                _plain(check.advice),
            )
            for check in checks
        ]
        write_table(("what", "", "found", "what to do"), rows)
    if any(check.outcome is Outcome.FAIL for check in checks):
        raise typer.Exit(ExitCode.FINDINGS)


def _plain(text: str) -> str:
    # Rich takes words in brackets for styles.
    return text.replace("[", r"\[")
