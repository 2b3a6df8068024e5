"""``python -m proofs.api``: made-up requests, many at once with one key, and answers that are lost."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from formicary.client.transport import AsgiTransport
from proofs.api.dropped import dropped_answers
from proofs.api.fuzz import Fuzz
from proofs.api.house import known_things, open_house
from proofs.api.parallel import parallel_requests

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run; return 0 if every answer was one that is documented."""
    parser = argparse.ArgumentParser(prog="proofs.api", description=__doc__)
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--keys", type=int, default=2_000, help="each sent a hundred times at once")
    parser.add_argument("--dropped", type=int, default=5_000, help="answers lost after their commit")
    parser.add_argument("--seed", type=int, default=0, help="of what is made up")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="formicary-fuzz-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with open_house(home) as (api, key):
            client = httpx.Client(base_url="http://api", transport=AsgiTransport(api))
            report = Fuzz(client, key, known=known_things(api, key), seed_number=chosen.seed).run(
                chosen.cases, console.print
            )
            client.close()
            report.keys = chosen.keys
            report.findings += parallel_requests(api, key, keys=chosen.keys, say=console.print)
            report.dropped = chosen.dropped
            report.findings += dropped_answers(api, key, count=chosen.dropped, say=console.print)
    if chosen.json:
        sys.stdout.write(json.dumps(report.figures() | {"found": report.findings}, indent=2) + "\n")
    else:
        table = Table("figure", "measured")
        for name, value in report.figures().items():
            table.add_row(name, str(value))
        Console().print(table)
        for finding in report.findings:
            console.print(finding, markup=False)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
