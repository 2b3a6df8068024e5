"""A team's own definitions: the sets of features at the top level of one Python file.

Only that file is run, as the program's own user; nothing beside it is looked for. The name of every error is
``DefinitionsUnusable`` or that of what is wrong with a definition, and each says file and line.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, Final

from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.errors import DefinitionsUnusable, FeatureRefused

__all__ = ["sets_in"]

# What a file raises that is not written right; what else it may raise is no mistake in a definition.
_MISTAKES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def sets_in(path: Path) -> tuple[FeatureSet, ...]:
    """Return the sets of features that a file defines, in their order.

    Raises
    ------
    DefinitionsUnusable
        The file cannot be read, it is no Python, it fails, or it defines no set.
    FeatureRefused
        A definition in it is wrong at first sight; what is wrong beside others is found when sets compile.
    """
    names = _run(path)
    # A set with two names is one set.
    sets = tuple(dict.fromkeys(value for value in names.values() if isinstance(value, FeatureSet)))
    if not sets:
        message = "no FeatureSet has a name at its top level"
        raise DefinitionsUnusable(message, place=str(path))
    return sets


def _run(path: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    try:
        # Not imported: that would leave a folder of compiled code beside it, and take one that lies there.
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        exec(code, names)  # noqa: S102, to run it is what whoever started the program asked for
    except FeatureRefused as refused:
        refused.place = refused.place or _place_in(path, refused)
        raise
    except SyntaxError as error:
        place = f"{error.filename or path}:{error.lineno or 1}"
        raise DefinitionsUnusable(error.msg, place=place) from error
    except _MISTAKES as error:
        message = f"{type(error).__name__}: {error}"
        raise DefinitionsUnusable(message, place=_place_in(path, error)) from error
    return names


def _place_in(path: Path, error: BaseException) -> str:
    """Return file and line of what failed: the last line of the file itself that led there, if any did."""
    steps = traceback.extract_tb(error.__traceback__)
    lines = [step.lineno for step in steps if step.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
