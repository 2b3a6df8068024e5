"""Real kills, two of each victim: the command does more of them; the test holds what must never be."""

from __future__ import annotations

import tempfile
from pathlib import Path

from proofs.kill.campaign import Campaign
from proofs.kill.victims import Victim

KILLS_EACH = 2


def test_nothing_acknowledged_is_lost_by_kills() -> None:
    """The engine, postgres, postgres with its backends: 0 lost, 0 doubled, 0 unbalanced, and it verifies."""
    # Not pytest's own folder: the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="fkill-") as folder:
        home = Path(folder)
        # The server runs as another user when the tests run as root.
        home.chmod(0o755)
        victims = set(Victim) - {Victim.API}
        report = Campaign(home, seed=1, say=lambda _: None).run(KILLS_EACH * len(victims))
    assert report.findings == []
    assert (report.lost, report.doubled, report.unbalanced) == (0, 0, 0)
    assert {victim: len(waits) for victim, waits in report.waits_seconds.items()} == dict.fromkeys(
        victims, KILLS_EACH
    )
    assert report.acknowledged > 0


def test_nothing_acknowledged_over_http_is_lost_by_kills() -> None:
    """The API's worker dies as well, and callers hang up: each key has one effect and keeps its answer."""
    with tempfile.TemporaryDirectory(prefix="fkill-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        campaign = Campaign(home, seed=2, say=lambda _: None, through_http=True)
        report = campaign.run(KILLS_EACH * len(Victim))
    assert report.findings == []
    assert (report.lost, report.doubled, report.unbalanced) == (0, 0, 0)
    assert set(report.waits_seconds) == set(Victim)
    assert report.acknowledged > report.hang_ups > 0
