"""Every test of the command line runs one on a ledger in memory."""

from __future__ import annotations

import pytest

from tests.surfaces.cli.kit import MemoryProgram, Terminal


@pytest.fixture
def program() -> MemoryProgram:
    """Give a program without processes and without a database."""
    return MemoryProgram()


@pytest.fixture
def terminal(program: MemoryProgram, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Run command lines on that program."""
    return Terminal(program, capsys)
