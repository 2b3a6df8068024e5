"""An import: a history is read, asked for in its own time, and summed up."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from formicary.economy.history.mapping_file import MappingFile
from formicary.economy.history.reading import History, read_history
from formicary.economy.history.replay import Outcome, replay_history
from formicary.economy.history.report import document, write_rejected
from formicary.surfaces.cli.output import note, progress, write_json, write_table
from formicary.surfaces.cli.ports import Program

__all__ = ["run_import"]


def run_import(
    program: Program, path: Path, *, dry_run: bool, report: Path | None, limit: int | None, as_json: bool
) -> bool:
    """Import the history of a mapping and write what came of it; return whether rows were rejected.

    Parameters
    ----------
    program
        Where the data sets and the factory are.
    path
        The mapping.
    dry_run
        Only read and check.
    report
        Where to write the rejected rows.
    limit
        Import only so many events.
    as_json
        Write one JSON document instead of tables.
    """
    written = MappingFile(path)
    with progress("reading", None):
        history = read_history(written, data_sets=program.data_sets, now=program.now())
    if limit is not None:
        history = replace(history, plan=history.plan.limited(limit))
    outcome, seconds = (None, 0.0) if dry_run else _import(program, written, history)
    found = document(written.mapping, history, outcome, seconds)
    if report is not None:
        late = [outcome.rejected] if outcome is not None else []
        write_rejected(pl.concat([history.rejected, *late]), report)
    if as_json:
        write_json(found)
    else:
        _write(found)
    return bool(found["rejected"])


def _import(program: Program, written: MappingFile, history: History) -> tuple[Outcome, float]:
    """Ask for a history; return how that was answered, and how long it took without starting up."""
    plan = history.plan
    with ExitStack() as stack:
        with progress("starting PostgreSQL and the engine; the first time compiles for a minute", None):
            factory = stack.enter_context(program.history(start_ns=max(plan.first_at - 1, 1)))
        began = time.perf_counter()
        with progress("importing", len(plan)) as step:
            outcome = replay_history(written.mapping, plan, factory, done=step.advance)
        return outcome, time.perf_counter() - began


def _write(found: dict[str, Any]) -> None:
    counts = ("asked", "created", "existing")
    things = [
        *(
            (name, "", *(f"{found[name][count]:,}" for count in counts), "")
            for name in ("parties", "accounts")
        ),
        *(
            (
                event["event"],
                f"{event['rows']:,}",
                *(f"{event[count]:,}" for count in counts),
                f"{event['rejected']:,}",
            )
            for event in found["events"]
        ),
    ]
    columns = (found["source"], ">rows", ">asked for", ">created", ">there before", ">rejected")
    write_table(columns, things)
    if found["reasons"]:
        rows = [
            (one["event"], one["file"], one["column"], one["reason"], f"{one['rows']:,}")
            for one in found["reasons"]
        ]
        write_table(("rejected", "file", "column", "reason", ">rows"), rows)
    note(_conclusion(found))


def _conclusion(found: dict[str, Any]) -> str:
    if found["dry_run"]:
        return "A dry run: nothing was imported."
    created = sum(event["created"] for event in found["events"]) + found["parties"]["created"]
    if not created + found["accounts"]["created"]:
        return "Nothing is new: all of it had been imported before, or was rejected."
    return f"Imported in {found['seconds']:,.1f} s: {found['rows_per_second']:,} events a second."
