"""``formicary doctor``."""

from __future__ import annotations

import pytest

from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.ports import Check, Outcome
from tests.surfaces.cli.kit import MemoryProgram, Terminal

CHECKS = [
    Check(name="cores", outcome=Outcome.OK, found="2"),
    Check(name="clock", outcome=Outcome.WARN, found="[not] synchronized", advice="Run chrony."),
    Check(name="disk", outcome=Outcome.FAIL, found="full", advice="Free some."),
]


@pytest.mark.parametrize(("count", "code"), [(1, ExitCode.DONE), (2, ExitCode.DONE), (3, ExitCode.FINDINGS)])
def test_only_failures_are_findings(
    terminal: Terminal, program: MemoryProgram, count: int, code: ExitCode
) -> None:
    """A warning does not stop a script; a failure does."""
    program.checks = CHECKS[:count]
    assert terminal.run("doctor") == code


def test_each_check_is_told(terminal: Terminal, program: MemoryProgram) -> None:
    """What was found stands beside what to do, words in brackets included."""
    program.checks = CHECKS
    terminal.run("doctor")
    assert "[not] synchronized" in terminal.out
    assert "Free some." in terminal.out
    documents = terminal.json("doctor")["checks"]
    assert documents[1] == {
        "name": "clock",
        "outcome": "warn",
        "found": "[not] synchronized",
        "advice": "Run chrony.",
    }
