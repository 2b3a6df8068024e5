"""``formicary train``."""

from __future__ import annotations

from pathlib import Path

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal


def test_train(terminal: Terminal, program: MemoryProgram, tmp_path: Path) -> None:
    """What was asked for reaches the program; rows, metrics, gates and hash are told."""
    assert terminal.run("train", "risk_model") == ExitCode.DONE
    for told in ("immature, left out", "1 to 5", "beef", "area under roc", "0.7500", "0.7000", "0.5"):
        assert told in terminal.out
    assert "feed.model" in terminal.err.replace("\n", "")
    assert "replaying risk_model" in terminal.err
    assert "training risk_model" in terminal.err
    given = ("--last", "4", "--from-archive", str(tmp_path), "--out", "my.model", "--threads", "3")
    document = terminal.json("train", "risk_model", *given)
    assert document["file"] == "nowhere/feed.model"
    assert document["manifest"] == "nowhere/feed.json"
    assert document["trained_on"]["immature"] == 3
    assert program.trainings == [
        {"last": None, "archive": None, "table": None, "output": None, "threads": 1},
        {"last": 4, "archive": tmp_path, "table": None, "output": Path("my.model"), "threads": 3},
    ]


def test_a_table(terminal: Terminal, program: MemoryProgram, tmp_path: Path) -> None:
    """A table has a label and no positions."""
    table = tmp_path / "rows.parquet"
    table.write_bytes(b"")
    given = ("--table", str(table), "--label", "bad")
    assert terminal.run("train", "risk_model", *given) == ExitCode.DONE
    assert "immature" not in terminal.out
    assert program.trainings[0]["table"] == (table, "bad")
    for wrong in (given[:2], given[2:], (*given, "--last", "3"), (*given, "--from-archive", str(tmp_path))):
        assert terminal.run("train", "risk_model", *wrong) == ExitCode.USAGE
    assert len(program.trainings) == 1
