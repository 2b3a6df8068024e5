"""``python -m proofs.kill``: kill, see how long until the next answer, check every acknowledged transfer."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from proofs.kill.campaign import Campaign

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign; return 0 if nothing was lost, doubled or unbalanced and answers came in time."""
    parser = argparse.ArgumentParser(prog="proofs.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="how many; 1,000 over a release")
    parser.add_argument("--seed", type=int, default=0, help="of the order of victims and pauses")
    parser.add_argument("--http", action="store_true", help="through the API, whose worker dies as well")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="formicary-kill-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        report = Campaign(home, seed=chosen.seed, say=console.print, through_http=chosen.http).run(
            chosen.kills
        )
    if chosen.json:
        sys.stdout.write(json.dumps(report.figures(), indent=2) + "\n")
    else:
        table = Table("figure", "measured")
        for name, value in report.figures().items():
            table.add_row(name, str(value))
        Console().print(table)
        for finding in report.findings:
            console.print(f"[red]{finding}[/red]")
    return 0 if report.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
