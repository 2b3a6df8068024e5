"""The command line as a whole: errors, exit codes, what is written where."""

from __future__ import annotations

import pytest

from formicary import __version__
from formicary.base.errors import OperationalFault, ProgrammingError, Refusal
from formicary.factory.engine.client import EngineRefused
from formicary.factory.journal.errors import JournalUnavailable
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal, failing


def test_version(terminal: Terminal) -> None:
    """The version is one line on stdout."""
    assert terminal.run("--version") == ExitCode.DONE
    assert terminal.out == f"formicary {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["ledger", "account"], ["ledger", "accounts", "--limit", "0"]]
)
def test_wrong_command_lines(terminal: Terminal, arguments: list[str]) -> None:
    """A command line that is wrong ends with its own code and writes nothing to stdout."""
    assert terminal.run(*arguments) == ExitCode.USAGE
    assert terminal.out == ""


@pytest.mark.parametrize(
    ("error", "code", "exit_code", "retry"),
    [
        (JournalUnavailable("the server\n  is gone"), "JournalUnavailable", ExitCode.FAULT, True),
        (Refusal("no"), "refused", ExitCode.REFUSED, False),
        (EngineRefused("request_too_large", "no"), "request_too_large", ExitCode.REFUSED, False),
        (EngineRefused("engine_busy", "later"), "engine_busy", ExitCode.FAULT, True),
    ],
)
def test_errors_are_one_line(
    capsys: pytest.CaptureFixture[str], error: Exception, code: str, exit_code: ExitCode, *, retry: bool
) -> None:
    """No traceback for what is no bug: the code, the message, whether to try again."""
    assert isinstance(error, Refusal | OperationalFault)
    terminal = Terminal(failing(error), capsys)
    assert terminal.run("ledger", "accounts") == exit_code
    assert terminal.err.count("\n") == 1
    assert f"({code})" in terminal.err
    assert terminal.json("ledger", "accounts")["error"] == {
        "code": code,
        "message": " ".join(str(error).split()),
        "retry": retry,
    }


def test_bugs_are_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    """A programmer's error is not dressed up."""
    with pytest.raises(ProgrammingError):
        Terminal(failing(ProgrammingError("bug")), capsys).run("ledger", "accounts")


def test_interrupts(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends without a traceback and with the code that shells give it."""
    program = MemoryProgram(failure=KeyboardInterrupt())
    assert Terminal(program, capsys).run("ledger", "accounts") == ExitCode.INTERRUPTED


def test_up(terminal: Terminal) -> None:
    """Every change of a process is a line on stderr."""
    assert terminal.run("up") == ExitCode.DONE
    assert "engine 7" in terminal.err
    assert "engine down" in terminal.err
    assert terminal.json("up") == {"ended": ["engine"]}
    assert terminal.err == ""
