"""The program ``formicary``: settings of the environment, the parts, the command line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from formicary.base.errors import Refusal
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import read_settings
from formicary.surfaces.cli import run
from formicary.surfaces.cli.exit_codes import ExitCode

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, that of the process unless given, and return the exit code."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    try:
        settings = read_settings(os.environ, folder=Path.cwd(), is_root=os.geteuid() == 0)
    except Refusal as refusal:
        sys.stderr.write(f"refused ({refusal.code}): {refusal}\n")
        return int(ExitCode.USAGE)
    return run(LocalProgram(settings), arguments)
