"""``formicary import`` on an engine in memory; ``tests/runtime`` has it on a real journal."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.ports import Program
from tests.economy.history.kit import MAPPING, NOW, SALES, HistoryWorld, written
from tests.surfaces.cli.kit import MemoryProgram, Terminal

BAD = SALES + "4,2020-01-10,bob,s2,1,0\n5,2020-01-11,bob,s2,x,0\n"


@pytest.fixture
def mapping(program: MemoryProgram, tmp_path: Path) -> str:
    """Write a mapping and its file, and give the program a factory to import into."""
    written(tmp_path, sales=SALES)
    program.clock.set(NOW)
    program.imported = HistoryWorld(tmp_path)
    return str(tmp_path / "mapping.yaml")


def test_an_import_and_the_same_again(terminal: Terminal, program: MemoryProgram, mapping: str) -> None:
    """What was created is told; the second time, that nothing is new."""
    assert terminal.run("import", mapping) == ExitCode.DONE
    assert "events a second" in terminal.err
    assert "sale" in terminal.out
    position = program.imported.position
    assert terminal.run("import", mapping) == ExitCode.DONE
    assert "Nothing is new" in terminal.err
    assert program.imported.position == position


def test_as_a_document(terminal: Terminal, mapping: str) -> None:
    """Counts by event, parties and accounts, and how fast."""
    document = terminal.json("import", mapping)
    assert document["parties"] == document["accounts"] == {"asked": 4, "created": 4, "existing": 0}
    assert document["events"] == [
        {"event": "sale", "file": "sales", "rows": 4, "asked": 4, "created": 4, "existing": 0, "rejected": 0},
        {
            "event": "fraud",
            "file": "sales",
            "rows": 1,
            "asked": 1,
            "created": 1,
            "existing": 0,
            "rejected": 0,
        },
    ]
    assert (document["source"], document["dry_run"], document["rejected"]) == ("shop", False, 0)
    assert document["rows_per_second"] > 0
    again = terminal.json("import", mapping)
    assert [event["existing"] for event in again["events"]] == [4, 1]


def test_a_dry_run_writes_nothing(terminal: Terminal, program: MemoryProgram, mapping: str) -> None:
    """Everything is checked; no factory is even opened."""
    program.imported = None
    document = terminal.json("import", mapping, "--dry-run")
    assert (document["dry_run"], document["rows_per_second"]) == (True, 0)
    assert [event["asked"] for event in document["events"]] == [4, 1]
    assert terminal.run("import", mapping, "--dry-run") == ExitCode.DONE
    assert "nothing was imported" in terminal.err


def test_rejected_rows_are_reported(terminal: Terminal, mapping: str, tmp_path: Path) -> None:
    """Each with file, row, column and reason; the others are imported, and it ends with a finding."""
    (tmp_path / "sales.csv").write_text(BAD)
    report = tmp_path / "report.csv"
    assert terminal.run("import", mapping, "--report", str(report)) == ExitCode.FINDINGS
    assert "not_a_number" in terminal.out
    with report.open() as file:
        rows = list(csv.DictReader(file))
    assert [tuple(row.values()) for row in rows] == [
        ("sale", "sales", "5", "id", "duplicate_key"),
        ("sale", "sales", "6", "amount", "not_a_number"),
    ]
    (tmp_path / "sales.csv").write_text(SALES + "9,2020-01-02,ann,s1,1,0\n")
    document = terminal.json("import", mapping, "--report", str(report))
    assert document["reasons"] == [
        {"event": "sale", "file": "sales", "column": "", "reason": "older_than_journal", "rows": 1}
    ]
    assert document["events"][0] == {
        "event": "sale",
        "file": "sales",
        "rows": 5,
        "asked": 5,
        "created": 0,
        "existing": 4,
        "rejected": 1,
    }
    assert "older_than_journal" in report.read_text()


def test_a_report_that_cannot_be_written(terminal: Terminal, mapping: str, tmp_path: Path) -> None:
    """It is a fault; what was imported stays so."""
    assert terminal.run("import", mapping, "--report", str(tmp_path / "no" / "report.csv")) == ExitCode.FAULT
    assert "ReportNotWritten" in terminal.err


def test_a_limit(terminal: Terminal, mapping: str) -> None:
    """The first events in order of time, then the rest."""
    counts = [terminal.json("import", mapping, "--limit", limit)["events"] for limit in ("2", "9")]
    assert [event["created"] for event in counts[0]] == [2, 0]
    assert [event["created"] for event in counts[1]] == [2, 1]


def test_what_is_wrong_with_a_mapping(terminal: Terminal, mapping: str, tmp_path: Path) -> None:
    """One line with the place; nothing is opened."""
    (tmp_path / "mapping.yaml").write_text(MAPPING.replace("key: id", "kee: id", 1))
    assert terminal.run("import", mapping) == ExitCode.REFUSED
    assert "refused (mapping_malformed)" in terminal.err
    assert "line 8, events[0]" in terminal.err or "line 11, events[0].kee" in terminal.err


def test_the_kit_is_a_program(program: MemoryProgram) -> None:
    """What tests run commands on has every part of the port."""
    assert {name for name in vars(Program) if not name.startswith("_")} <= set(dir(program))
