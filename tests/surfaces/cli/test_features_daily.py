"""``formicary features daily``."""

from __future__ import annotations

import pytest

from formicary.factory.features.slow.spans import day_of
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import NOON, MemoryProgram, Terminal


def test_yesterday_unless_given(terminal: Terminal, program: MemoryProgram) -> None:
    """Today is the program's; what was found is told."""
    assert terminal.run("features", "daily") == ExitCode.DONE
    assert "slow features of 2011-12-08" in terminal.out
    assert program.days == [(day_of(NOON) - 1, None)]


def test_a_day_and_labels(terminal: Terminal, program: MemoryProgram) -> None:
    """Both reach the program; the document has all counts."""
    document = terminal.json("features", "daily", "--day", "1970-02-01", "--labels", "fraud_label")
    assert program.days == [(31, "fraud_label")]
    assert document == {
        "day": "1970-02-01",
        "position": 5,
        "transfers": 4,
        "devices": 3,
        "labels": 2,
        "parties": 6,
        "features": 122,
        "recorded": 20,
        "there": 10,
    }


@pytest.mark.parametrize("day", ["yesterday", "1969-12-31"])
def test_what_is_no_day(terminal: Terminal, program: MemoryProgram, day: str) -> None:
    """A wrong day is a wrong command line."""
    assert terminal.run("features", "daily", "--day", day) == ExitCode.USAGE
    assert program.days == []
