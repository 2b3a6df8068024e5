"""Hostile requests, right and wrong ones to every route, and a few of what the command does more of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = 400
OPTIONS = ("--cases", str(CASES), "--keys", "5", "--dropped", "50", "--json")


def test_every_answer_is_documented() -> None:
    """Right and wrong requests to every route end in documented answers; a key has one effect.

    A process of its own: measuring coverage would take longer than the requests.
    """
    done = subprocess.run(
        [sys.executable, "-m", "proofs.api", *OPTIONS], cwd=ROOT, check=False, capture_output=True, text=True
    )
    report = json.loads(done.stdout)
    assert report["found"] == []
    assert done.returncode == 0
    assert report["cases"] >= CASES
    assert {"answers 200", "answers 201", "answers 400", "answers 404"} <= report.keys()
