"""``formicary features backfill`` and ``archive``."""

from __future__ import annotations

from pathlib import Path

from formicary.base.purposes import Purpose
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal


def test_backfill(terminal: Terminal, program: MemoryProgram, tmp_path: Path) -> None:
    """What was asked for reaches the program, and what was written is told."""
    output = ("--output", str(tmp_path / "set"))
    assert terminal.run("features", "backfill", "risk", "--purpose", "fraud", *output) == ExitCode.DONE
    assert "risk for fraud" in terminal.out
    assert "1 to 5" in terminal.out
    more = ("--from", "2", "--until", "4", "--archive", str(tmp_path))
    document = terminal.json("features", "backfill", "risk", "--purpose", "credit", *output, *more)
    assert document == {
        "folder": str(tmp_path / "set"),
        "set": "risk",
        "purpose": "credit",
        "first": 2,
        "last": 4,
        "rows": 2,
        "files": 1,
        "bytes": 88,
        "features": 1,
        "state_hash": "feed",
    }
    folder = {"folder": tmp_path / "set"}
    assert program.backfills == [
        {"purpose": Purpose.FRAUD, "first": 1, "last": None, "archive": None, **folder},
        {"purpose": Purpose.CREDIT, "first": 2, "last": 4, "archive": tmp_path, **folder},
    ]


def test_a_purpose_that_there_is_not(terminal: Terminal, tmp_path: Path) -> None:
    """A wrong purpose, and an archive that is not there, are refused before anything is done."""
    output = ("--output", str(tmp_path / "set"))
    assert terminal.run("features", "backfill", "risk", "--purpose", "fun", *output) == ExitCode.REFUSED
    assert "unknown_purpose" in terminal.err
    wrong = ("--purpose", "fraud", "--archive", str(tmp_path / "nowhere"))
    assert terminal.run("features", "backfill", "risk", *wrong, *output) == ExitCode.USAGE


def test_archive(terminal: Terminal, tmp_path: Path) -> None:
    """How far the archive is."""
    assert terminal.run("features", "archive", str(tmp_path)) == ExitCode.DONE
    assert str(tmp_path) in terminal.err.replace("\n", "")
    document = terminal.json("features", "archive", str(tmp_path))
    assert document == {"folder": str(tmp_path), "position": 5, "parts": 1, "bytes": 99}
