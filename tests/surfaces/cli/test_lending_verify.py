"""``formicary lending verify``."""

from __future__ import annotations

from formicary.base.public_ids import Prefix, encode
from formicary.products.lending.applications.recomputed import Differing, Recomputed
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal


def test_decisions_that_hold(terminal: Terminal, program: MemoryProgram) -> None:
    """So many were taken again, and none differs."""
    program.recomputed = Recomputed(position=7_000, applications=1_234, models=2, differing=())
    assert terminal.run("lending", "verify") == ExitCode.DONE
    rows = {" ".join(line.split()) for line in terminal.out.splitlines()}
    assert {"applications decided again 1,234", "models that decided 2", "decisions that differ 0"} <= rows
    told = terminal.json("lending", "verify")
    assert told == {"position": 7_000, "applications": 1_234, "models": 2, "differing": [], "sound": True}


def test_decisions_that_differ(terminal: Terminal, program: MemoryProgram) -> None:
    """Each with its application, where it is, and how it differs; whoever calls sees it by the code."""
    differing = Differing(
        application=77, position=6_543, found=("limit comes out as 1", "rate comes out as 2")
    )
    program.recomputed = Recomputed(position=7_000, applications=1, models=1, differing=(differing,))
    assert terminal.run("lending", "verify") == ExitCode.FINDINGS
    application = encode(Prefix.APPLICATION, 77)
    said = " ".join(terminal.err.split())
    assert f"{application}, position 6,543: limit comes out as 1" in said
    assert "rate comes out as 2" in said
    assert terminal.run("lending", "verify", "--json") == ExitCode.FINDINGS
    assert application in terminal.out
