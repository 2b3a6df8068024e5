"""Every error of the project hangs on this one tree.

::

    FormicaryError
    ├── Refusal             business: the request may not be done; `code` says why, for good
    ├── OperationalFault    the surroundings failed; counted, and the caller may try again
    └── ProgrammingError    the code is wrong; crash, because going on would be guessing

Refusals are answers and reach the caller; operational faults become a retry or a clear
"not now"; programming errors are never caught. An error that takes no arguments has its
docstring as its message, so that the text is written once, where the error is explained.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, ClassVar, Final

__all__ = ["FormicaryError", "OperationalFault", "ProgrammingError", "Refusal"]

_CODE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class FormicaryError(Exception):
    """Something in formicary went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(_docstring(type(self)) if message is None else message)


class Refusal(FormicaryError):
    """The request was refused by a rule of the business.

    A subclass names its documented ``code`` in snake case; a code belongs to one class only,
    because callers branch on it::

        class AccountNotFound(Refusal):
            \"\"\"There is no account with this id.\"\"\"

            code = "account_not_found"
    """

    code: ClassVar[str] = "refused"
    _owners: ClassVar[dict[str, str]] = {"refused": f"{__name__}.Refusal"}

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Check the code of a new kind of refusal; a bad or taken one is a ``ProgrammingError``."""
        super().__init_subclass__(**arguments)
        if "code" not in cls.__dict__ or not _CODE.fullmatch(cls.code):
            message = f"{cls.__name__} must declare a code in snake case"
            raise ProgrammingError(message)
        # The qualified name, not the class: a module that is imported again may declare it again.
        name = f"{cls.__module__}.{cls.__qualname__}"
        owner = Refusal._owners.setdefault(cls.code, name)
        if owner != name:
            message = f"the code {cls.code!r} of {name} already belongs to {owner}"
            raise ProgrammingError(message)

    @staticmethod
    def codes() -> tuple[str, ...]:
        """Return every declared code in alphabetical order; the documentation is tested against it."""
        return tuple(sorted(Refusal._owners))


class OperationalFault(FormicaryError):
    """The surroundings failed: a process, a disk, a connection; trying again may help."""


class ProgrammingError(FormicaryError):
    """The code broke its own rules; stop instead of going on with a guess."""


def _docstring(kind: type[FormicaryError]) -> str:
    # The first paragraph, on one line. Python run with -OO has no docstrings.
    paragraph = inspect.cleandoc(kind.__doc__ or kind.__name__).partition("\n\n")[0]
    # Whoever reads a message does not read the markup of docstrings.
    return " ".join(paragraph.split()).replace("``", "`")
