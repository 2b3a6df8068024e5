"""``formicary policies``: armed, disarmed, looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from formicary.base.limits import POLICY_BYTES_MAX
from formicary.surfaces.cli import policies
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal

REASON = ("--reason", "It [stops] more.")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Write a policy and its rules."""
    (tmp_path / "policy.yaml").write_text("version: 3\nscore: 0.5\n")
    (tmp_path / "rules.yaml").write_text("rules: []\n")
    return [str(tmp_path / "policy.yaml"), str(tmp_path / "rules.yaml")]


def test_a_policy_is_armed_and_disarmed(terminal: Terminal, files: list[str]) -> None:
    """What is armed is shown with its texts, what was armed in the history."""
    armed = terminal.json("policies", "arm", "card_use", *files, *REASON)
    assert (armed["version"], armed["policy"], armed["rules"]) == (
        3,
        "version: 3\nscore: 0.5\n",
        "rules: []\n",
    )
    assert terminal.json("policies", "show", "card_use") == armed
    assert terminal.json("policies", "list")["policies"] == [armed]
    for arguments in (("list",), ("show", "card_use")):
        assert terminal.run("policies", *arguments) == ExitCode.DONE
        assert "It [stops] more." in terminal.out
    disarming = ("policies", "disarm", "card_use", "--reason", "Too many.", "--key", "one")
    disarmed = terminal.json(*disarming)
    assert disarmed["version"] is None
    assert terminal.json("policies", "list") == {"policies": []}
    assert terminal.json("policies", "list", "--history") == {"policies": [armed, disarmed]}
    assert terminal.run("policies", "show", "card_use") == ExitCode.REFUSED
    assert terminal.json(*disarming) == disarmed
    assert terminal.run("policies", "arm", "card_use", *files, *REASON) == ExitCode.REFUSED
    assert "policy_outdated" in terminal.err


def test_what_is_wrong_is_said(terminal: Terminal, program: MemoryProgram, files: list[str]) -> None:
    """All of it; nothing is sent."""
    program.wrong_policies = ("line 1: unknown", "line 2: too long")
    assert terminal.run("policies", "arm", "card_use", *files, *REASON) == ExitCode.REFUSED
    assert "policy_refused" in terminal.err
    assert "line 1: unknown; line 2: too long" in terminal.err
    assert program.models.commands == 0


def test_a_policy_that_is_too_large(terminal: Terminal, files: list[str]) -> None:
    """It would not reach the engine at all."""
    Path(files[1]).write_text("x" * POLICY_BYTES_MAX)
    assert terminal.run("policies", "arm", "card_use", *files, *REASON) == ExitCode.REFUSED
    assert "policy_too_large" in terminal.err


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("score: 0.5", "no version"),
        ("version: 0", "no version"),
        ("version: 1.5", "no version"),
        ("version: [1]", "no version"),
        ("- version: 1", "no version"),
        ("", "no version"),
        ("version: [", "no YAML"),
    ],
)
def test_a_policy_says_its_version(policy: str, said: str) -> None:
    """A whole number from 1; otherwise the command line is wrong."""
    assert policies._version_of("version: 12\nscore: 0.5") == 12
    with pytest.raises(typer.BadParameter, match=said):
        policies._version_of(policy)


def test_files_that_cannot_be_read(terminal: Terminal, files: list[str]) -> None:
    """One that is not there, and one that is no text."""
    Path(files[1]).unlink()
    assert terminal.run("policies", "arm", "card_use", *files, *REASON) == ExitCode.USAGE
    Path(files[0]).write_bytes(b"\xff")
    assert terminal.run("policies", "arm", "card_use", *files, *REASON) == ExitCode.USAGE
    assert "cannot be read" in " ".join(terminal.err.split())
