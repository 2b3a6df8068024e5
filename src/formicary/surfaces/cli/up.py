"""``formicary up``: run everything."""

from __future__ import annotations

import typer

from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, write_json

__all__ = ["up"]


def up(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Run PostgreSQL, the engine, the follower and the API until interrupted; start again whichever dies."""
    program = program_of(context)
    if not as_json:
        note(f"data in {program.home}; the first start compiles for about a minute; Ctrl-C ends it")
    last: dict[str, int] = {}

    def on_change(processes: dict[str, int]) -> None:
        last.update(processes)
        if not as_json:
            note("  ".join(f"{name} {pid or 'down'}" for name, pid in processes.items()))

    program.up(on_change)
    if as_json:
        write_json({"ended": sorted(last)})
