"""Where the kernels are, and how one is changed in a running process."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numba
import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.factory import ledger

__all__ = ["FOLDER", "ROOT", "plant", "sources"]

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = Path(ledger.__file__).parent
_USERS: Final = "formicary.factory."


def sources() -> dict[str, str]:
    """Return the text of every module of kernels, by its name."""
    return {path.stem: path.read_text() for path in sorted(FOLDER.glob("_[a-z]*.py"))}


def plant(name: str, source: str) -> None:
    """Let a module of kernels, and whoever imported from it, mean what ``source`` says; there is no way back.

    As plain Python (``NUMBA_DISABLE_JIT=1``) a kernel is a function, known by the same object
    everywhere: it gets other code. A changed constant is put wherever the old one was imported.
    """
    config: Any = numba.config
    if not config.DISABLE_JIT:
        message = "kernels are compiled here: set NUMBA_DISABLE_JIT=1"
        raise ProgrammingError(message)
    module = importlib.import_module(f"{ledger.__name__}.{name}")
    fresh: dict[str, Any] = {"__name__": module.__name__}
    exec(compile(source, f"{name}.py", "exec"), fresh)  # noqa: S102 - our own source, but for one mistake.
    for key, value in fresh.items():
        known = getattr(module, key, None)
        if isinstance(known, FunctionType) and value.__module__ == module.__name__:
            known.__code__ = value.__code__
        elif isinstance(value, int | np.generic | tuple) and value != known:
            _put(key, known, value)


def _put(key: str, known: object, value: object) -> None:
    for user, module in list(sys.modules.items()):
        if user.startswith(_USERS) and vars(module).get(key) is known:
            setattr(module, key, value)
