"""What the simulator reports when a guarantee does not hold."""

from __future__ import annotations

from typing import NoReturn

__all__ = ["Violation", "require", "violate"]


class Violation(AssertionError):
    """A guarantee was broken.

    ``check`` names the guarantee in a few words.
    """

    def __init__(self, check: str, detail: str) -> None:
        super().__init__(f"{check}: {detail}")
        self.check = check


def require(condition: object, check: str, detail: str = "") -> None:
    """Raise ``Violation`` unless a condition holds."""
    if not condition:
        violate(check, detail)


def violate(check: str, detail: str) -> NoReturn:
    """Raise ``Violation``."""
    raise Violation(check, detail)
