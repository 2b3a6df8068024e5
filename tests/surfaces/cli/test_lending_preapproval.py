"""``formicary lending preapprove``."""

from __future__ import annotations

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal


def test_preapprove(terminal: Terminal, program: MemoryProgram) -> None:
    """Each currency has a row; one without a champion says so."""
    program.runs = [
        {"currency": "EUR", "offers": 900, "parties": 1_100, "offered": 950, "limits": 12_345_600},
        {"currency": "GBP"},
    ]
    assert terminal.run("lending", "preapprove") == ExitCode.DONE
    for told in ("EUR", "900", "1,100", "950", "12,345,600"):
        assert told in terminal.out
    said = " ".join(terminal.err.split())
    assert "In GBP nothing was looked at: no model is the champion." in said
    assert "EUR" in said
    assert terminal.json("lending", "preapprove", "--currency", "EUR") == {"runs": program.runs}
    assert program.runs_wanted == [None, 978]
    assert terminal.run("lending", "preapprove", "--currency", "XYZ") == ExitCode.REFUSED
