"""A history on a real journal: imported, imported again, verified, and refused while an engine runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from formicary.runtime.history_factory import EngineRuns, open_history
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from formicary.surfaces.cli import run
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.economy.history.kit import JANUARY, SALES, written
from tests.runtime.test_ledgers import running_engine


def document(capsys: pytest.CaptureFixture[str], settings: Settings, *arguments: str) -> Any:
    """Run a command with ``--json`` and return what it wrote."""
    capsys.readouterr()
    assert run(LocalProgram(settings), [*arguments, "--json"]) == ExitCode.DONE
    return json.loads(capsys.readouterr().out)


def test_import_again_and_verify(
    hosted_home: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Transfers have the rows' times; again nothing is new; the journal folds to the same."""
    written(tmp_path, sales=SALES)
    mapping = str(tmp_path / "mapping.yaml")
    first = document(capsys, hosted_home, "import", mapping)
    assert [event["created"] for event in first["events"]] == [4, 1]
    transfers = document(capsys, hosted_home, "ledger", "transfers")["transfers"]
    assert transfers[0]["timestamp"] == JANUARY + 36_000_000_000_000
    again = document(capsys, hosted_home, "import", mapping)
    assert [event["existing"] for event in again["events"]] == [4, 1]
    assert again["parties"]["created"] == again["accounts"]["created"] == 0
    assert document(capsys, hosted_home, "verify")["sound"]


def test_an_engine_that_runs_is_left_alone(hosted_home: Settings) -> None:
    """Its journal is in present time, and it would be deposed."""
    with (
        running_engine(hosted_home),
        pytest.raises(EngineRuns),
        open_history(hosted_home, start_ns=JANUARY),
    ):
        pytest.fail("it was opened")
