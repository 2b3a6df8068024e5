"""``formicary verify``: whether the journal is what it was and all state follows from it."""

from __future__ import annotations

import typer

from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table

__all__ = ["verify"]


def verify(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Fold the whole journal again; compare state hash, balances and snapshots."""
    with progress("folding the journal", 1) as step:
        found = program_of(context).verify(progress=step.reach)
    if as_json:
        write_json(
            {
                "position": found.position,
                "state_hash": f"{found.state_hash:016x}",
                "checked": found.checked,
                "findings": list(found.findings),
            }
        )
    else:
        rows = [("positions folded", f"{found.position:,}"), ("state hash", f"{found.state_hash:016x}")]
        rows += [(name, f"{count:,}") for name, count in found.checked.items()]
        write_table(("checked", ">"), rows)
        for finding in found.findings:
            note(f"found: {finding}")
        note("nothing is wrong" if not found.findings else f"{len(found.findings)} finding(s)")
    if found.findings:
        raise typer.Exit(ExitCode.FINDINGS)
