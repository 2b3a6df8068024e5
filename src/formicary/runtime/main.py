"""The program ``formicary``: settings of the environment, the parts, the command line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import read_settings
from formicary.surfaces.cli import run

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, that of the process unless given, and return the exit code."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    settings = read_settings(os.environ, folder=Path.cwd(), is_root=os.geteuid() == 0)
    return run(LocalProgram(settings), arguments)
