"""What came of a history: rejected rows as CSV, and sums by event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from formicary.base.errors import OperationalFault
from formicary.economy.history.mapping import Mapping
from formicary.economy.history.reading import History
from formicary.economy.history.replay import Outcome

__all__ = ["ReportNotWritten", "document", "reasons", "write_rejected"]


class ReportNotWritten(OperationalFault):
    """The report of rejected rows could not be written; what was imported stays so."""


def write_rejected(rejected: pl.DataFrame, path: Path) -> None:
    """Write rejected rows (n) of ``REJECTIONS`` as CSV, in the order of files and rows.

    Raises
    ------
    ReportNotWritten
        There is no such folder, or no room or right to write there.
    """
    try:
        rejected.sort("file", "row", "event", "reason").write_csv(path)
    except OSError as error:
        message = f"{path}: {error}"
        raise ReportNotWritten(message) from error


def reasons(rejected: pl.DataFrame) -> list[dict[str, Any]]:
    """Return how many rows were rejected by event, column and reason, most frequent first."""
    groups = rejected.group_by("event", "file", "column", "reason").agg(rows=pl.len())
    return groups.sort(
        ["rows", "event", "column", "reason"], descending=[True, False, False, False]
    ).to_dicts()


def document(mapping: Mapping, history: History, outcome: Outcome | None, seconds: float) -> dict[str, Any]:
    """Return what came of a history as a JSON document; without an outcome, of a dry run.

    ``seconds`` is how long importing took.
    """
    late = outcome.rejected if outcome is not None else history.rejected.clear()
    rejected = pl.concat([history.rejected, late])
    by_event = dict(rejected.group_by("event").len().iter_rows())
    asked = dict(history.plan.events.group_by("event").len().iter_rows())
    events = [
        {
            "event": rows.event.kind,
            "file": rows.event.file,
            "rows": rows.read,
            "asked": asked.get(number, 0),
            "created": outcome.created[number] if outcome else 0,
            "existing": outcome.existing[number] if outcome else 0,
            "rejected": by_event.get(rows.event.kind, 0),
        }
        for number, rows in enumerate(history.events)
    ]
    return {
        "source": mapping.source,
        "dry_run": outcome is None,
        "parties": _counted(len(history.plan.parties), outcome, "parties"),
        "accounts": _counted(len(history.plan.accounts), outcome, "accounts"),
        "events": events,
        "rejected": len(rejected),
        "reasons": reasons(rejected),
        "seconds": round(seconds, 3),
        "rows_per_second": round(len(history.plan.events) / seconds) if seconds and outcome else 0,
    }


def _counted(asked: int, outcome: Outcome | None, name: str) -> dict[str, int]:
    created, existing = (getattr(outcome, name), getattr(outcome, f"{name}_before")) if outcome else (0, 0)
    return {"asked": asked, "created": created, "existing": existing}
