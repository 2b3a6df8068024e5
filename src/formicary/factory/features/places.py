"""Where a definition stands, for errors that name file and line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

__all__ = ["place_of_caller"]

_PACKAGE: Final = str(Path(__file__).parent)


def place_of_caller() -> str:
    """Return file and line of the first frame outside of this package: where a definition is being made."""
    frame = sys._getframe(1)  # noqa: SLF001, the documented way to a caller's line without a whole trace
    # What dataclasses generate has no file.
    while frame.f_back is not None and frame.f_code.co_filename.startswith(("<", _PACKAGE)):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
