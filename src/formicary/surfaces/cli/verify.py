"""``formicary verify``: whether the journal is what it was and all state follows from it."""

from __future__ import annotations

from typing import Any

import typer

from formicary.factory.follower import Verification
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table

__all__ = ["verification_document", "verify"]


def verify(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Fold the whole journal again; compare commits, balances, snapshots and the running engine."""
    with progress("folding the journal", 1) as step:
        found = program_of(context).verify(step.reach)
    if as_json:
        write_json(verification_document(found))
    else:
        _write(found)
    if not found.sound:
        raise typer.Exit(ExitCode.FINDINGS)


def verification_document(found: Verification) -> dict[str, Any]:
    """Return what a verification saw as a JSON document."""
    counts = ("position", "rows", "commits", "accounts", "snapshots")
    return {
        **{name: getattr(found, name) for name in counts},
        "state_hash": f"{found.state_hash:016x}",
        "seconds": round(found.seconds, 3),
        "rows_per_second": round(found.rows_per_second),
        "findings": [
            {"what": finding.what, "position": finding.position, "message": finding.message}
            for finding in found.findings
        ],
        "sound": found.sound,
    }


def _write(found: Verification) -> None:
    rows = [
        ("rows folded", f"{found.rows:,}"),
        ("commits whose state hash was compared", f"{found.commits:,}"),
        ("accounts whose entries were summed up", f"{found.accounts:,}"),
        ("snapshots compared", f"{found.snapshots:,}"),
        ("state hash", f"{found.state_hash:016x}"),
        ("rows folded a second", f"{found.rows_per_second:,.0f}"),
    ]
    write_table(("checked", ">"), rows)
    for finding in found.findings:
        note(f"found ({finding.what}, position {finding.position:,}): {finding.message}")
    note("Nothing is wrong." if found.sound else f"{len(found.findings)} finding(s).")
