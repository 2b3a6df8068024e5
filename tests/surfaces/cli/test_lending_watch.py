"""``formicary lending watch``."""

from __future__ import annotations

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal


def test_watch(terminal: Terminal, program: MemoryProgram) -> None:
    """Who is warned of has a row, with what it is explained by; without a line that is said."""
    warned = {
        "party": "pty_7",
        "usual": 40_250_000,
        "last": 1_009,
        "weeks": 3,
        "evidence": 12_345_678,
        "share": 500_000,
    }
    program.watched = {"borrowers": 1_200, "loans": 2_000, "warned": 1, "cut": 2, "parties": [warned]}
    assert terminal.run("lending", "watch") == ExitCode.DONE
    for told in ("pty_7", "40.2", "1,009", "3", "12.3", "50 %"):
        assert told in terminal.out
    assert "Of 1,200 borrowers 1 are warned of; 2 lines were cut." in " ".join(terminal.err.split())
    assert terminal.json("lending", "watch") == {"run": program.watched}
    program.watched = None
    assert terminal.run("lending", "watch") == ExitCode.DONE
    assert "There was never a line" in terminal.err
