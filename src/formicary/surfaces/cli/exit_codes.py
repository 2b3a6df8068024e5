"""What the process says when it ends; ``docs/cli.md`` lists them for callers."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    """What was asked for was done, or had been done before."""
    FINDINGS = 1
    """A check found something: `verify`, `doctor`, `lint`, harm, rejected rows, an unbalanced demo."""
    USAGE = 2
    """The command line is wrong."""
    REFUSED = 3
    """A rule refused it; the code says which, and trying again does not help."""
    FAULT = 4
    """The surroundings failed; trying again may help."""
    INTERRUPTED = 130
    """Interrupted from the keyboard."""
