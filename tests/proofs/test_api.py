"""Hostile requests, thousands of them, and a few of what the command does more of."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx

from formicary.client.transport import AsgiTransport
from proofs.api.dropped import dropped_answers
from proofs.api.fuzz import Fuzz
from proofs.api.house import known_things, open_house
from proofs.api.parallel import parallel_requests

CASES = 5_000
KEYS = 20
DROPPED = 100


def test_every_answer_is_documented() -> None:
    """Right and wrong requests to every route end in documented answers; a key has one effect."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with open_house(home) as (api, key):
            with httpx.Client(base_url="http://api", transport=AsgiTransport(api)) as client:
                report = Fuzz(client, key, known=known_things(api, key)).run(CASES)
            assert parallel_requests(api, key, keys=KEYS, say=lambda _: None) == []
            assert dropped_answers(api, key, count=DROPPED, say=lambda _: None) == []
    assert report.findings == []
    assert report.cases >= CASES
    assert {200, 201, 400, 404} <= set(report.statuses)
