"""The program as a process starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from formicary import __version__
from formicary.runtime.main import main

IMPORTS = (
    "import sys, formicary.runtime.main; sys.exit(bool({'polars', 'pyarrow', 'lightgbm'} & set(sys.modules)))"
)


def test_main(capsys: pytest.CaptureFixture[str]) -> None:
    """The entry point reads the environment and runs one command line."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"formicary {__version__}\n"


def test_the_engines_process_carries_no_data_frames() -> None:
    """The engine is forked from the command line's process, and threads of a library would slow it down."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0
